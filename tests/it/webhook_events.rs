//! The effects of webhook events, with several processes and shops, replaced secrets, and late repetitions.

use std::time::Duration;

use chrono::Utc;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shopify_simulator::{
    BulkFault, NewCustomer, NewLine, NewOrder, OrderChange, RefundLine, RefundRequest, Shop,
    ShopSettings, WebhookPlan,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xboard::db::jobs::JobKind;
use xboard::db::shops::ShopStatus;

use crate::support::{
    Connected, ITSELF, REGISTER, Simulated, deliver, deliver_to, quick_retries, register_input,
    sign,
};

fn place(shop: &Shop, customer: Option<u64>) -> shopify_simulator::Order {
    let line = NewLine {
        title: Some("Lamp".to_owned()),
        price: Some("20.00".parse().unwrap()),
        quantity: 1,
        ..NewLine::default()
    };
    let new = NewOrder {
        customer,
        lines: vec![line],
        ..NewOrder::default()
    };
    shop.place_order(&new).unwrap()
}

/// A synced shop whose app signs with `hush`.
async fn store(world: &Simulated, label: &str) -> Connected {
    let shop = world.app.simulator.add_shop(ShopSettings::new(label));
    let store = world.register_signing(shop, "hush").await;
    world.sync(&store).await;
    store
}

/// A synced shop that sends webhooks to the program.
async fn listening(world: &Simulated, label: &str) -> Connected {
    let shop = world.app.simulator.add_shop(ShopSettings::new(label));
    shop.set_webhook_plan(WebhookPlan {
        allow_http: true,
        ..WebhookPlan::default()
    });
    let (id, secret, _) = shop.credentials();
    let email = format!("owner@{label}.example");
    let mut input = register_input(&email, "a passphrase, long enough", label, "");
    input["shop"]["credentials"] =
        json!({ "clientCredentials": { "clientId": id, "clientSecret": secret } });
    let payload = world
        .app
        .field(REGISTER, json!({ "input": input }), None)
        .await;
    let token = payload["session"]["token"].as_str().unwrap().to_owned();
    let store = Connected { shop, token };
    world.sync(&store).await;
    store
}

async fn delivered(store: &Connected) {
    for _ in 0..6_000 {
        if store.shop.delivery_counts().under_way == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", store.shop.delivery_counts());
}

async fn send(world: &Simulated, label: &str, topic: &str, id: &str, body: &str) {
    let signature = sign("hush", body.as_bytes());
    let status = deliver(
        &world.app,
        label,
        topic,
        id,
        &signature,
        body.as_bytes().to_vec(),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
}

async fn orders(world: &Simulated, store: &Connected) -> i64 {
    let query = "{ overview(range: { preset: ALL_TIME }) { metrics { orders } } }";
    let overview = world.app.field(query, json!({}), Some(&store.token)).await;
    overview["metrics"]["orders"].as_i64().unwrap()
}

async fn wait_for_orders(world: &Simulated, store: &Connected, number: i64) {
    for _ in 0..6_000 {
        if orders(world, store).await == number {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} orders", orders(world, store).await);
}

#[tokio::test]
async fn the_end_of_a_bulk_operation_wakes_the_waiting_process() {
    let world = Simulated::start_with(|config| config.public_url = Some(ITSELF.to_owned())).await;
    let store = listening(&world, "bulky").await;
    assert_eq!(store.shop.subscriptions().len(), 16);
    place(&store.shop, None);
    store.shop.reset_statistics();
    store
        .shop
        .set_bulk_times(Duration::ZERO, Duration::from_millis(150));

    // The first process receives deliveries. The second has the worker, which polls once an hour.
    let second = world
        .app
        .beside_with(|config| {
            config.shopify.retry = quick_retries();
            config.sync.bulk_poll_min = Duration::from_hours(1);
            config.sync.bulk_poll_max = Duration::from_hours(1);
        })
        .await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(xboard::sync::worker::run(
        second.app().sync().clone(),
        stop.clone(),
    ));
    let query = "mutation { sync(input: { mode: FULL }) { syncRun { id } } }";
    world.app.field(query, json!({}), Some(&store.token)).await;
    wait_for_orders(&world, &store, 1).await;
    while world.app.database.jobs().await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(
        store.shop.statistics().bulk_started.values().sum::<u64>(),
        3
    );
}

#[tokio::test]
async fn a_changed_name_zone_or_currency_of_a_shop_is_stored() {
    let world = Simulated::start_with(|config| config.public_url = Some(ITSELF.to_owned())).await;
    let store = listening(&world, "moved").await;
    store.shop.set_name("Moved");
    store.shop.set_zone("Asia/Tokyo".parse().unwrap());
    store.shop.set_currency("CHF".parse().unwrap());
    delivered(&store).await;
    assert_eq!(store.shop.delivery_counts().failed, 0);
    world.app.work().await;
    let query = "{ me { tenant { shop { name timeZone currencyCode } } } }";
    let me = world.app.field(query, json!({}), Some(&store.token)).await;
    assert_eq!(
        me["tenant"]["shop"],
        json!({ "name": "Moved", "timeZone": "Asia/Tokyo", "currencyCode": "CHF" })
    );
}

#[tokio::test]
async fn merged_customers_and_their_orders_are_fetched_again() {
    let world = Simulated::start().await;
    let store = store(&world, "merged").await;
    let [kept, gone] = ["Ada", "Ada L."].map(|name| {
        let new = NewCustomer {
            name: name.to_owned(),
            ..NewCustomer::default()
        };
        store.shop.create_customer(&new).id
    });
    place(&store.shop, Some(gone));
    world.sync(&store).await;
    store.shop.delete_customer(gone).unwrap();
    store.shop.reset_statistics();
    let gid = |id: u64| format!("gid://shopify/Customer/{id}");
    let body = json!({
        "admin_graphql_api_customer_kept_id": gid(kept),
        "admin_graphql_api_customer_deleted_id": gid(gone),
        "status": "completed",
    });
    send(&world, "merged", "customers/merge", "m1", &body.to_string()).await;
    world.app.work().await;
    let customers = world
        .app
        .field(
            "{ customers { nodes { displayName } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(customers["nodes"], json!([{ "displayName": "Ada" }]));
    let asked = store.shop.statistics().by_operation;
    assert_eq!(
        asked.keys().filter(|name| name.contains("Order")).count(),
        1,
        "{asked:?}"
    );
}

/// A trigger that delays the commit of a delivery while the test holds a lock. Other processes run meanwhile.
const HOLD: &str = "create function hold() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock(4400); return null; end $$;
    create constraint trigger hold after insert on webhook_deliveries deferrable initially deferred
    for each row execute function hold();";

#[tokio::test]
async fn a_refetch_whose_job_ran_before_its_commit_is_executed() {
    let world = Simulated::start().await;
    let store = store(&world, "raced").await;
    let placed = place(&store.shop, None);
    let mut connection = world.app.database.connection().await;
    sqlx::raw_sql(HOLD).execute(&mut connection).await.unwrap();
    sqlx::raw_sql("select pg_advisory_lock(4400)")
        .execute(&mut connection)
        .await
        .unwrap();
    // The same job waits already.
    let mut transaction = world
        .app
        .database
        .db()
        .tenant(world.tenant(&store).await)
        .await
        .unwrap();
    assert!(
        transaction
            .queue_job(JobKind::Refetch, Utc::now())
            .await
            .unwrap()
    );
    transaction.commit().await.unwrap();

    let body = format!("{{\"id\":{}}}", placed.id);
    let sending = send(&world, "raced", "orders/create", "d1", &body);
    let meanwhile = async {
        let mut looking = world.app.database.connection().await;
        loop {
            let held: i64 = sqlx::query_scalar("select count(*) from pg_locks where locktype = 'advisory' and objid = 4400 and not granted")
                .fetch_one(&mut looking)
                .await
                .unwrap();
            if held == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.app.work().await;
        assert_eq!(orders(&world, &store).await, 0);
        sqlx::raw_sql("select pg_advisory_unlock(4400)")
            .execute(&mut connection)
            .await
            .unwrap();
    };
    tokio::join!(sending, meanwhile);
    assert_eq!(world.app.database.jobs().await, 1, "the refetch has a job");
    world.app.work().await;
    assert_eq!(orders(&world, &store).await, 1);
}

#[tokio::test]
async fn refetches_run_during_the_long_backfill_of_another_shop() {
    let world = Simulated::start_with(|config| config.sync.concurrency = 2).await;
    let calm = store(&world, "calm").await;
    let slow = store(&world, "slow").await;
    slow.shop
        .push_bulk_fault(Some("customers"), BulkFault::Stall);
    let full = "mutation { sync(input: { mode: FULL }) { syncRun { id } } }";
    world.app.field(full, json!({}), Some(&slow.token)).await;
    world.app.field(full, json!({}), Some(&calm.token)).await;
    calm.shop
        .push_bulk_fault(Some("customers"), BulkFault::Stall);
    let stop = CancellationToken::new();
    let worker = tokio::spawn(xboard::sync::worker::run(
        world.app.app().sync().clone(),
        stop.clone(),
    ));
    let placed = place(&calm.shop, None);
    send(
        &world,
        "calm",
        "orders/create",
        "d1",
        &format!("{{\"id\":{}}}", placed.id),
    )
    .await;
    wait_for_orders(&world, &calm, 1).await;
    // One sync still runs, the other waits for a slot.
    while world.app.database.jobs().await > 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    worker.await.unwrap();
    world.app.database.leaves_jobs(2);
}

#[tokio::test]
async fn a_shop_with_many_refetches_does_not_delay_others() {
    let world = Simulated::start_with(|config| {
        config.sync.concurrency = 1;
        config.sync.refetch_batch = 2;
        config.sync.refetch_time_slice = Duration::ZERO;
        config.sync.refetch_pause = Duration::ZERO;
    })
    .await;
    let (busy, calm) = (store(&world, "busy").await, store(&world, "calm").await);
    for number in 0..12 {
        let body = format!("{{\"id\":{}}}", place(&busy.shop, None).id);
        send(
            &world,
            "busy",
            "orders/create",
            &format!("d{number}"),
            &body,
        )
        .await;
    }
    let body = format!("{{\"id\":{}}}", place(&calm.shop, None).id);
    send(&world, "calm", "orders/create", "d", &body).await;
    world.app.work().await;
    assert_eq!(
        (orders(&world, &busy).await, orders(&world, &calm).await),
        (12, 1)
    );
    let mut connection = world.app.database.connection().await;
    let stores: Vec<Uuid> = sqlx::query_scalar(
        "select tenant_id from orders group by tenant_id, synced_at order by synced_at",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let calm = serde_json::to_value(world.tenant(&calm).await).unwrap();
    let place = stores
        .iter()
        .position(|store| json!(store) == calm)
        .unwrap();
    assert!(place < stores.len() - 2, "{place} of {stores:?}");
}

#[tokio::test]
async fn a_repeated_delivery_is_recognised_after_a_week_and_an_uninstallation_for_ever() {
    let world = Simulated::start().await;
    let store = store(&world, "again").await;
    let body = format!("{{\"id\":{}}}", place(&store.shop, None).id);
    send(&world, "again", "orders/create", "d1", &body).await;
    let gone =
        r#"{"id":1,"myshopify_domain":"again.myshopify.com","updated_at":"2026-01-01T00:00:00Z"}"#;
    send(&world, "again", "app/uninstalled", "u1", gone).await;
    world.app.work().await;
    let status = async || {
        let query = "{ me { tenant { shop { status } } } }";
        world.app.field(query, json!({}), Some(&store.token)).await["tenant"]["shop"]["status"]
            .take()
    };
    assert_eq!(status().await, "DISCONNECTED");
    // A request that fails after the uninstallation does not change the status.
    let tenant = world.tenant(&store).await;
    let mut transaction = world.app.database.db().tenant(tenant).await.unwrap();
    transaction
        .set_shop_status(ShopStatus::ReauthorisationNeeded, "late")
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(status().await, "DISCONNECTED");

    let query = "mutation ($credentials: CredentialsInput!) {
        updateShopCredentials(input: { credentials: $credentials }) { userErrors { code message } } }";
    let credentials = json!({ "accessToken": { "token": "shpat_again", "apiSecret": "hush" } });
    let back = world
        .app
        .field(
            query,
            json!({ "credentials": credentials }),
            Some(&store.token),
        )
        .await;
    assert_eq!(back["userErrors"], json!([]));
    world.app.work().await;
    assert_eq!(status().await, "CONNECTED");
    for days in [8, 40] {
        let mut connection = world.app.database.connection().await;
        sqlx::query(
            "update webhook_deliveries set received_at = now() - make_interval(days => $1)",
        )
        .bind(days)
        .execute(&mut connection)
        .await
        .unwrap();
        world
            .app
            .app()
            .sync()
            .queue_maintenance(tenant)
            .await
            .unwrap();
        world.app.work().await;
        send(&world, "again", "app/uninstalled", "u2", gone).await;
        send(&world, "again", "orders/create", "d1", &body).await;
        world.app.work().await;
        assert_eq!(
            (status().await, orders(&world, &store).await),
            (json!("CONNECTED"), 1),
            "after {days} days"
        );
    }
}

#[tokio::test]
async fn a_replaced_secret_is_accepted_for_six_hours() {
    let world = Simulated::start().await;
    let store = store(&world, "turned").await;
    let query = "mutation ($credentials: CredentialsInput!) {
        updateShopCredentials(input: { credentials: $credentials }) { userErrors { code message } } }";
    let credentials =
        json!({ "accessToken": { "token": "shpat_turned", "apiSecret": "hush-again" } });
    let answer = world
        .app
        .field(
            query,
            json!({ "credentials": credentials }),
            Some(&store.token),
        )
        .await;
    assert_eq!(answer["userErrors"], json!([]));
    world.app.work().await;
    let body = b"{\"id\":7}";
    // A new process has no cached keys.
    let try_both = async |number: u8| {
        let fresh = world.app.beside().await;
        let mut statuses = Vec::new();
        for secret in ["hush", "hush-again"] {
            let id = format!("{number} {secret}");
            statuses.push(
                deliver_to(
                    &fresh,
                    "turned",
                    "orders/create",
                    &id,
                    &sign(secret, body),
                    body.to_vec(),
                )
                .await,
            );
        }
        statuses
    };
    assert_eq!(try_both(1).await, [StatusCode::OK, StatusCode::OK]);
    let mut connection = world.app.database.connection().await;
    sqlx::raw_sql("update shop_credentials set replaced_at = replaced_at - interval '6 hours'")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(
        try_both(2).await,
        [StatusCode::UNAUTHORIZED, StatusCode::OK]
    );
    world.app.work().await;
}

#[tokio::test]
async fn a_redacted_customer_leaves_no_tags_and_later_syncs_restore_nothing() {
    let world = Simulated::start().await;
    let store = store(&world, "private").await;
    let new = |name: &str| NewCustomer {
        name: name.to_owned(),
        ..NewCustomer::default()
    };
    let ada = store.shop.create_customer(&new("Ada")).id;
    let (hers, guests) = (place(&store.shop, Some(ada)), place(&store.shop, None));
    let tagged = OrderChange {
        tags: Some(vec!["for Ada".to_owned()]),
        ..OrderChange::default()
    };
    for order in [&hers, &guests] {
        store.shop.change_order(order.id, &tagged).unwrap();
    }
    world.sync(&store).await;
    let redaction = |customer: u64, orders: &[u64]| {
        json!({ "shop_id": 1, "shop_domain": "private.myshopify.com", "customer": { "id": customer }, "orders_to_redact": orders })
            .to_string()
    };
    send(
        &world,
        "private",
        "customers/redact",
        "r1",
        &redaction(ada, &[guests.id]),
    )
    .await;
    // A customer that was not fetched yet.
    let late = store.shop.create_customer(&new("Grace")).id;
    send(
        &world,
        "private",
        "customers/redact",
        "r2",
        &redaction(late, &[]),
    )
    .await;
    world.app.work().await;
    let shown = async || {
        let query = "{ orders(sort: PROCESSED_AT_ASC) { nodes { tags } } customers { nodes { displayName email tags } } }";
        let body = world
            .app
            .graphql(query, json!({}), Some(&store.token))
            .await;
        let tags: Vec<Value> = body["data"]["orders"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["tags"].clone())
            .collect();
        let mut names: Vec<String> = body["data"]["customers"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        names.dedup();
        (tags, names)
    };
    let nobody = r#"{"displayName":"Customer","email":null,"tags":[]}"#.to_owned();
    let clean = (vec![json!([]), json!([])], vec![nobody]);
    assert_eq!(shown().await, clean);
    // Changed in the shop and fetched again; then everything is fetched.
    let again = OrderChange {
        tags: Some(vec!["Ada's, again".to_owned()]),
        ..OrderChange::default()
    };
    for order in [&hers, &guests] {
        store.shop.change_order(order.id, &again).unwrap();
    }
    let third = place(&store.shop, Some(late));
    store.shop.change_order(third.id, &tagged).unwrap();
    world.sync(&store).await;
    assert_eq!(
        world.app.sync_and_wait(&store.token, "FULL").await,
        "SUCCEEDED"
    );
    let (tags, names) = shown().await;
    assert_eq!((tags, &names), (vec![json!([]); 3], &clean.1));
    world.assert_verified(&store).await;
    let mut connection = world.app.database.connection().await;
    let kept: i64 = sqlx::query_scalar(
        "select count(*) from customers c, orders o where (c.display_name || c.tags::text || o.tags::text) ~ 'Ada|Grace'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn an_order_of_which_only_its_own_row_changes_keeps_its_parts_and_figures() {
    let world = Simulated::start_with(|config| config.public_url = Some(ITSELF.to_owned())).await;
    let store = listening(&world, "tagged").await;
    let stop = CancellationToken::new();
    let sync = world.app.app().sync().clone();
    let worker = tokio::spawn(xboard::sync::worker::run(sync, stop.clone()));
    let first = place(&store.shop, None);
    wait_for_orders(&world, &store, 1).await;
    let query = "{ orders(first: 1) { nodes { tags financialStatus refunds { totalRefunded { amount } } \
                 lineItems { nodes { title currentQuantity } } } } \
                 overview(range: { preset: ALL_TIME }) { metrics { netSales { amount } } } }";
    let shows = async |what: Value| {
        let mut body = Value::Null;
        for _ in 0..6_000 {
            body = world
                .app
                .graphql(query, json!({}), Some(&store.token))
                .await;
            let order = &body["data"]["orders"]["nodes"][0];
            let shown = json!([
                order["tags"],
                order["lineItems"]["nodes"][0]["currentQuantity"],
                order["refunds"].as_array().map(Vec::len),
                body["data"]["overview"]["metrics"]["netSales"]["amount"],
            ]);
            if shown == what {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{body}");
    };
    let tag = |tag: &str| {
        let change = OrderChange {
            tags: Some(vec![tag.to_owned()]),
            ..OrderChange::default()
        };
        store.shop.change_order(first.id, &change).unwrap();
    };
    shows(json!([[], 1, 0, "20.00"])).await;
    tag("early");
    shows(json!([["early"], 1, 0, "20.00"])).await;
    // As one that a program of before wrote.
    let mut connection = world.app.database.connection().await;
    sqlx::raw_sql("update orders set row_hash = 0")
        .execute(&mut connection)
        .await
        .unwrap();
    tag("late");
    shows(json!([["late"], 1, 0, "20.00"])).await;
    let refund = RefundRequest {
        lines: vec![RefundLine {
            line: first.line_items[0].id,
            quantity: 1,
        }],
        ..RefundRequest::default()
    };
    store.shop.refund_order(first.id, &refund).unwrap();
    shows(json!([["late"], 0, 1, "0.00"])).await;
    tag("last");
    shows(json!([["last"], 0, 1, "0.00"])).await;
    delivered(&store).await;
    while world.app.database.jobs().await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    worker.await.unwrap();
    world.assert_verified(&store).await;
}

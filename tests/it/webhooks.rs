//! Webhooks over HTTP: the response to each delivery, and that the state of the shop counts, whatever the order of the
//! deliveries.

use std::fs;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use shopify_simulator::{
    NewCustomer, NewLine, NewOrder, RefundLine, RefundRequest, ShopSettings, WebhookPlan,
};

use crate::support::{Connected, ITSELF, REGISTER, Simulated, deliver, register_input, sign};

/// A synced shop whose app signs with `hush`.
async fn store(world: &Simulated, label: &str) -> Connected {
    let shop = world.app.simulator.add_shop(ShopSettings::new(label));
    let store = world.register_signing(shop, "hush").await;
    world.sync(&store).await;
    store
}

fn order(store: &Connected) -> shopify_simulator::Order {
    let line = NewLine {
        title: Some("Lamp".to_owned()),
        price: Some("20.00".parse().unwrap()),
        quantity: 2,
        ..NewLine::default()
    };
    let new = NewOrder {
        lines: vec![line],
        ..NewOrder::default()
    };
    store.shop.place_order(&new).unwrap()
}

async fn send(world: &Simulated, topic: &str, id: &str, body: &str) -> StatusCode {
    let signature = sign("hush", body.as_bytes());
    deliver(
        &world.app,
        "hooks",
        topic,
        id,
        &signature,
        body.as_bytes().to_vec(),
    )
    .await
}

/// The orders and total sales of all time.
async fn totals(world: &Simulated, store: &Connected) -> (i64, String) {
    let query =
        "{ overview(range: { preset: ALL_TIME }) { metrics { orders totalSales { amount } } } }";
    let overview = world.app.field(query, json!({}), Some(&store.token)).await;
    let metrics = &overview["metrics"];
    let total = metrics["totalSales"]["amount"].as_str().unwrap().to_owned();
    (metrics["orders"].as_i64().unwrap(), total)
}

async fn count(world: &Simulated, table: &str) -> i64 {
    let counts = world.app.database.row_counts().await;
    counts.iter().find(|(name, _)| name == table).unwrap().1
}

#[tokio::test]
async fn each_delivery_gets_its_documented_status_and_refused_ones_store_nothing() {
    let world = Simulated::start().await;
    store(&world, "hooks").await;
    world.app.simulator.add_shop(ShopSettings::new("other"));
    world.app.register_owner("other").await;
    world.app.work().await;
    let body = r#"{"id":7}"#.as_bytes().to_vec();
    let good = sign("hush", &body);
    let before = world.app.database.row_counts().await;

    let refused = StatusCode::UNAUTHORIZED;
    let cases: Vec<(&str, &str, String, Vec<u8>, StatusCode)> = vec![
        ("wrong", "hooks", sign("hash", &body), body.clone(), refused),
        ("missing", "hooks", String::new(), body.clone(), refused),
        (
            "truncated",
            "hooks",
            good[..20].to_owned(),
            body.clone(),
            refused,
        ),
        ("no base64", "hooks", "☕".to_owned(), body.clone(), refused),
        (
            "of another body",
            "hooks",
            good.clone(),
            b"{\"id\":8}".to_vec(),
            refused,
        ),
        (
            "a shop without a secret",
            "other",
            good.clone(),
            body.clone(),
            refused,
        ),
        (
            "unknown shop",
            "nobody",
            good.clone(),
            body.clone(),
            refused,
        ),
        ("no shop", "../..", good.clone(), body.clone(), refused),
        (
            "no JSON",
            "hooks",
            sign("hush", b"id=7"),
            b"id=7".to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        (
            "no id",
            "hooks",
            sign("hush", b"{}"),
            b"{}".to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        (
            "no id at all",
            "hooks",
            sign("hush", b""),
            Vec::new(),
            StatusCode::BAD_REQUEST,
        ),
        (
            "10 MB",
            "hooks",
            good.clone(),
            vec![b' '; 10 << 20],
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
    ];
    for (what, shop, signature, body, expected) in cases {
        let status = deliver(&world.app, shop, "orders/create", "d1", &signature, body).await;
        assert_eq!(status, expected, "{what}");
    }
    let shaped = |topic: &'static str, id: &'static str| {
        let (world, good, body) = (&world, good.clone(), body.clone());
        async move { deliver(&world.app, "hooks", topic, id, &good, body).await }
    };
    assert_eq!(
        shaped("themes/publish", "d2").await,
        StatusCode::OK,
        "unknown topic"
    );
    assert_eq!(shaped("", "d2").await, StatusCode::BAD_REQUEST, "no topic");
    assert_eq!(
        shaped("orders/create", "").await,
        StatusCode::BAD_REQUEST,
        "no id of the delivery"
    );
    let get = world.app.get("/webhooks").send().await.unwrap().status();
    assert_eq!(get, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        world.app.database.row_counts().await,
        before,
        "nothing was stored"
    );

    let answer = world.app.get("/webhooks").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "");
}

#[tokio::test]
async fn shopifys_sample_is_verified() {
    let path = "../shared/shopify/payloads/app_uninstalled.json";
    let Ok(body) = fs::read(path) else { return };
    let signature = "yXcpiKN4Kd+V1J7MCROCIS08vSLEsoFW2pU4b/4K74c=";
    assert_eq!(sign("hush", &body), signature);
    let world = Simulated::start().await;
    store(&world, "hooks").await;
    // The signature holds, but the body is about another shop.
    let status = deliver(&world.app, "hooks", "app/uninstalled", "d", signature, body).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(count(&world, "webhook_deliveries").await, 0);
}

#[tokio::test]
async fn a_repeated_delivery_is_acknowledged_and_executed_once() {
    let world = Simulated::start().await;
    let store = store(&world, "hooks").await;
    let placed = order(&store);
    let body = format!("{{\"id\":{}}}", placed.id);
    assert_eq!(
        send(&world, "orders/create", "d1", &body).await,
        StatusCode::OK
    );
    assert_eq!(
        send(&world, "orders/create", "d1", &body).await,
        StatusCode::OK
    );
    assert_eq!(count(&world, "pending_refetches").await, 1);
    world.app.work().await;
    assert_eq!(count(&world, "pending_refetches").await, 0);
    assert_eq!(
        send(&world, "orders/create", "d1", &body).await,
        StatusCode::OK
    );
    assert_eq!(count(&world, "pending_refetches").await, 0);
    assert_eq!(totals(&world, &store).await, (1, "40.00".to_owned()));
}

#[tokio::test]
async fn the_order_of_deliveries_makes_no_difference() {
    let world = Simulated::start().await;
    let store = store(&world, "hooks").await;
    let customer = store.shop.create_customer(&NewCustomer::default());
    let (kept, gone) = (order(&store), order(&store));
    let line = kept.line_items[0].id;
    let request = RefundRequest {
        lines: vec![RefundLine { line, quantity: 1 }],
        ..RefundRequest::default()
    };
    store.shop.refund_order(kept.id, &request).unwrap();
    store.shop.delete_order(gone.id).unwrap();
    let deliveries = [
        ("orders/delete", format!("{{\"id\":{}}}", gone.id)),
        (
            "refunds/create",
            format!("{{\"id\":1,\"order_id\":{}}}", kept.id),
        ),
        (
            "orders/updated",
            format!(
                "{{\"id\":{},\"updated_at\":\"2020-01-01T00:00:00Z\"}}",
                kept.id
            ),
        ),
        ("orders/create", format!("{{\"id\":{}}}", gone.id)),
        ("orders/create", format!("{{\"id\":{}}}", kept.id)),
        ("customers/update", format!("{{\"id\":{}}}", customer.id)),
    ];
    for (number, (topic, body)) in deliveries.iter().enumerate() {
        assert_eq!(
            send(&world, topic, &format!("d{number}"), body).await,
            StatusCode::OK
        );
        if number % 2 == 1 {
            world.app.work().await;
        }
    }
    world.app.work().await;
    assert_eq!(totals(&world, &store).await, (1, "20.00".to_owned()));
    world.assert_verified(&store).await;
}

/// The program with an address that receives webhooks.
async fn reachable() -> Simulated {
    Simulated::start_with(|config| config.public_url = Some(ITSELF.to_owned())).await
}

/// A synced shop that accepts `http://` addresses, connected by client id and secret.
async fn listening(world: &Simulated, label: &str, plan: WebhookPlan) -> Connected {
    let shop = world.app.simulator.add_shop(ShopSettings::new(label));
    shop.set_webhook_plan(WebhookPlan {
        allow_http: true,
        ..plan
    });
    let mut input = register_input(
        &format!("owner@{label}.example"),
        "a passphrase, long enough",
        label,
        "",
    );
    let (id, secret, _) = shop.credentials();
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

/// Waits until the simulator sends no more deliveries.
async fn delivered(store: &Connected) {
    for _ in 0..1_000 {
        if store.shop.delivery_counts().under_way == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!(
        "deliveries do not come to an end: {:?}",
        store.shop.delivery_counts()
    );
}

#[tokio::test]
async fn subscriptions_are_created_repaired_and_deleted() {
    let world = reachable().await;
    let store = listening(&world, "heard", WebhookPlan::default()).await;
    assert_eq!(store.shop.subscriptions().len(), 16);
    let orders = store.shop.subscriptions();
    let created = orders
        .iter()
        .find(|one| one.topic == "ORDERS_CREATE")
        .unwrap();
    assert_eq!(created.include_fields, ["id", "updated_at"]);

    let placed = order(&store);
    delivered(&store).await;
    world.app.work().await;
    assert_eq!(totals(&world, &store).await, (1, "40.00".to_owned()));
    store.shop.delete_order(placed.id).unwrap();
    delivered(&store).await;
    world.app.work().await;
    assert_eq!(totals(&world, &store).await, (0, "0.00".to_owned()));

    let tenant = world.tenant(&store).await;
    let sync = world.app.app().sync();
    store.shop.lose_subscriptions();
    sync.queue_maintenance(tenant).await.unwrap();
    world.app.work().await;
    assert_eq!(store.shop.subscriptions().len(), 16);
    store.shop.reset_statistics();
    sync.queue_maintenance(tenant).await.unwrap();
    world.app.work().await;
    assert_eq!(
        store.shop.statistics().by_operation.get("WebhookCreate"),
        None
    );
    sync.delete_webhook_subscriptions(tenant).await.unwrap();
    assert_eq!(store.shop.subscriptions(), Vec::new());
}

#[tokio::test]
async fn a_shop_without_the_merge_scope_sends_all_other_topics() {
    let world = reachable().await;
    let store = listening(&world, "reserved", WebhookPlan::default()).await;
    store.shop.lose_subscriptions();
    store.shop.set_scopes(&[
        "read_all_orders",
        "read_customers",
        "read_orders",
        "read_products",
    ]);
    world.sync(&store).await;
    let tenant = world.tenant(&store).await;
    world
        .app
        .app()
        .sync()
        .queue_maintenance(tenant)
        .await
        .unwrap();
    world.app.work().await;
    let subscriptions = store.shop.subscriptions();
    assert_eq!(subscriptions.len(), 15);
    assert!(
        !subscriptions
            .iter()
            .any(|one| one.topic == "CUSTOMERS_MERGE")
    );
    let health = world
        .app
        .field(
            "{ me { tenant { shop { health { webhooks webhooksProblem } } } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(
        health["tenant"]["shop"]["health"],
        json!({ "webhooks": "ACTIVE", "webhooksProblem": null })
    );
}

#[tokio::test]
async fn a_shop_that_refuses_http_addresses_is_reported() {
    let world = reachable().await;
    let store = listening(&world, "plain", WebhookPlan::default()).await;
    store.shop.lose_subscriptions();
    store.shop.set_webhook_plan(WebhookPlan::default());
    let tenant = world.tenant(&store).await;
    world
        .app
        .app()
        .sync()
        .queue_maintenance(tenant)
        .await
        .unwrap();
    world.app.work().await;
    assert_eq!(store.shop.subscriptions(), Vec::new());
    let mut snapshot = world
        .app
        .database
        .db()
        .tenant_snapshot(tenant)
        .await
        .unwrap();
    let maintenance = snapshot.maintenance().await.unwrap();
    assert_eq!(maintenance.webhooks_registered, 0);
    let problem = maintenance.webhooks_problem.unwrap();
    assert!(problem.contains("http:// is not supported"), "{problem}");
}

#[tokio::test]
async fn the_reconciliation_finds_missed_changes_and_deletions() {
    let world = Simulated::start().await;
    let store = store(&world, "hooks").await;
    let (kept, gone) = (order(&store), order(&store));
    let customer = store.shop.create_customer(&NewCustomer::default());
    world.sync(&store).await;
    let fresh = order(&store);
    store.shop.delete_order(gone.id).unwrap();
    store.shop.delete_customer(customer.id).unwrap();
    store.shop.cancel_order(kept.id).unwrap();
    let tenant = world.tenant(&store).await;
    world
        .app
        .app()
        .sync()
        .queue_maintenance(tenant)
        .await
        .unwrap();
    world.app.work().await;
    assert_eq!(
        totals(&world, &store).await,
        (2, "40.00".to_owned()),
        "{}",
        fresh.id
    );
    world.assert_verified(&store).await;
    let mut snapshot = world
        .app
        .database
        .db()
        .tenant_snapshot(tenant)
        .await
        .unwrap();
    let maintenance = snapshot.maintenance().await.unwrap();
    assert_eq!(
        (
            maintenance.reconciled_missed,
            maintenance.reconciled_deleted
        ),
        (2, 2)
    );
}

#[tokio::test]
async fn the_number_of_customers_follows_creations_and_deletions() {
    let world = Simulated::start().await;
    let store = store(&world, "hooks").await;
    let customers: Vec<_> = (0..3)
        .map(|_| store.shop.create_customer(&NewCustomer::default()).id)
        .collect();
    let reconciled = async || {
        let tenant = world.tenant(&store).await;
        world
            .app
            .app()
            .sync()
            .queue_maintenance(tenant)
            .await
            .unwrap();
        world.app.work().await;
        world.assert_verified(&store).await;
        let query = "{ overview { totalCustomers } }";
        world.app.field(query, json!({}), Some(&store.token)).await["totalCustomers"]
            .as_i64()
            .unwrap()
    };
    world.sync(&store).await;
    let before = reconciled().await;
    store.shop.delete_customer(customers[0]).unwrap();
    store.shop.delete_customer(customers[1]).unwrap();
    assert_eq!(reconciled().await, before - 2);

    // The reconciliation corrects a wrong number.
    let mut connection = world.app.database.connection().await;
    sqlx::query("update shops set customers = customers + 5")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(reconciled().await, before - 2);
    store.shop.create_customer(&NewCustomer::default());
    world.sync(&store).await;
    let number: i64 = sqlx::query_scalar("select customers from shops")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(number, before - 1);
}

#[tokio::test]
async fn an_uninstalled_app_loses_its_token_and_a_redacted_shop_leaves_nothing() {
    let world = reachable().await;
    let store = listening(&world, "leaving", WebhookPlan::default()).await;
    let other = listening(&world, "staying", WebhookPlan::default()).await;
    order(&store);
    order(&other);
    delivered(&store).await;
    delivered(&other).await;
    world.app.work().await;
    let body = r#"{"shop_id":1,"shop_domain":"leaving.myshopify.com"}"#;
    let signature = sign("shpss_leaving", body.as_bytes());
    let redact = |id: &'static str| {
        deliver(
            &world.app,
            "leaving",
            "shop/redact",
            id,
            &signature,
            body.into(),
        )
    };
    // A shop whose credentials work was not uninstalled.
    assert_eq!(redact("r1").await, StatusCode::OK);
    world.app.work().await;
    assert_eq!(totals(&world, &store).await, (1, "40.00".to_owned()));

    store.shop.uninstall();
    delivered(&store).await;
    world.app.work().await;
    let shop = world
        .app
        .field(
            "{ me { tenant { shop { status } } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(shop["tenant"]["shop"]["status"], "DISCONNECTED");
    assert_eq!(
        totals(&world, &store).await,
        (1, "40.00".to_owned()),
        "the data stays"
    );
    assert_eq!(redact("r2").await, StatusCode::OK);
    world.app.work().await;
    assert_eq!(count(&world, "orders").await, 1);
    assert_eq!(count(&world, "shops").await, 1);
    assert_eq!(count(&world, "users").await, 1);
    let forgotten: Vec<(String, String)> =
        sqlx::query_as("select shop_domain, requested_by from erased_shops")
            .fetch_all(&mut world.app.database.connection().await)
            .await
            .unwrap();
    let expected = ("leaving.myshopify.com".to_owned(), "SHOPIFY".to_owned());
    assert_eq!(forgotten, [expected]);
    assert_eq!(totals(&world, &other).await, (1, "40.00".to_owned()));
    assert_eq!(
        redact("r3").await,
        StatusCode::UNAUTHORIZED,
        "the shop does not exist any more"
    );
}

#[tokio::test]
async fn a_customer_gets_the_stored_data_and_its_redaction_changes_no_figure() {
    let world = Simulated::start().await;
    let store = store(&world, "hooks").await;
    let customer = store.shop.create_customer(&NewCustomer {
        name: "Ada".to_owned(),
        email: Some("ada@example.com".to_owned()),
        ..NewCustomer::default()
    });
    let new = NewOrder {
        customer: Some(customer.id),
        lines: vec![NewLine {
            title: Some("Lamp".to_owned()),
            price: Some("20.00".parse().unwrap()),
            quantity: 1,
            ..NewLine::default()
        }],
        ..NewOrder::default()
    };
    store.shop.place_order(&new).unwrap();
    world.sync(&store).await;
    let body = |field: &str| {
        format!(
            r#"{{"shop_id":1,"shop_domain":"hooks.myshopify.com","customer":{{"id":{},"email":"ada@example.com"}},"{field}":[1]}}"#,
            customer.id
        )
    };
    let asked = send(
        &world,
        "customers/data_request",
        "p1",
        &body("orders_requested"),
    )
    .await;
    assert_eq!(asked, StatusCode::OK);
    world.app.work().await;
    let requests = "{ privacyRequests { kind customerShopifyId completedAt document } }";
    let held = world
        .app
        .field(requests, json!({}), Some(&store.token))
        .await;
    let document = held[0]["document"].as_str().unwrap();
    assert!(
        document.contains("ada@example.com") && document.contains("Lamp"),
        "{document}"
    );

    let asked = send(&world, "customers/redact", "p2", &body("orders_to_redact")).await;
    assert_eq!(asked, StatusCode::OK);
    world.app.work().await;
    let held = world
        .app
        .field(requests, json!({}), Some(&store.token))
        .await;
    assert_eq!(held[0]["kind"], "CUSTOMER_REDACTION");
    assert_eq!(held[1]["document"], json!(null));
    // A later sync does not restore the fields, although the shop still has them.
    assert_eq!(
        world.app.sync_and_wait(&store.token, "FULL").await,
        "SUCCEEDED"
    );
    let customers = world
        .app
        .field(
            "{ customers { nodes { displayName email } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(
        customers["nodes"],
        json!([{ "displayName": "Customer", "email": null }])
    );
    assert_eq!(totals(&world, &store).await, (1, "20.00".to_owned()));
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn a_burst_costs_few_queries_to_shopify() {
    let world = Simulated::start().await;
    let store = store(&world, "hooks").await;
    for number in 0..200 {
        let body = format!("{{\"id\":{}}}", order(&store).id);
        for topic in ["orders/create", "orders/updated"] {
            let id = format!("{topic}{number}");
            assert_eq!(send(&world, topic, &id, &body).await, StatusCode::OK);
        }
    }
    store.shop.reset_statistics();
    world.app.work().await;
    assert_eq!(totals(&world, &store).await, (200, "8000.00".to_owned()));
    let asked = store.shop.statistics().requests;
    assert!(
        asked <= 6,
        "{asked} queries for 400 deliveries of 200 orders"
    );
}

#[tokio::test]
async fn concurrent_deliveries_are_recorded_in_batches_and_each_is_executed() {
    let world = Simulated::start().await;
    let store = store(&world, "hooks").await;
    let bodies: Vec<String> = (0..60)
        .map(|_| format!("{{\"id\":{}}}", order(&store).id))
        .collect();
    let mut holder = world.app.database.connection().await;
    sqlx::raw_sql("begin; lock table webhook_deliveries in exclusive mode")
        .execute(&mut holder)
        .await
        .unwrap();
    // The first delivery waits for the table, the others for the first. One is repeated.
    let named = bodies.iter().enumerate().chain([(7, &bodies[7])]);
    let sending = join_all(named.map(|(number, body)| {
        let id = format!("d{number}");
        let world = &world;
        async move { send(world, "orders/create", &id, body).await }
    }));
    let releasing = async {
        let mut looking = world.app.database.connection().await;
        let waits = "select exists (select from pg_locks where relation = 'webhook_deliveries'::regclass and not granted)";
        while !sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(&mut looking)
            .await
            .unwrap()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    };
    let (answers, ()) = tokio::join!(sending, releasing);
    assert!(answers.iter().all(|answer| *answer == StatusCode::OK));
    let mut looking = world.app.database.connection().await;
    let (deliveries, transactions): (i64, i64) = sqlx::query_as(
        "select count(*), count(distinct xmin::text) from webhook_deliveries where topic = 'orders/create'",
    )
    .fetch_one(&mut looking)
    .await
    .unwrap();
    assert_eq!(deliveries, 60);
    assert!(
        transactions <= 20,
        "{deliveries} deliveries by {transactions} transactions"
    );
    assert_eq!(count(&world, "pending_refetches").await, 60);
    assert_eq!(world.app.database.jobs().await, 1);
    world.app.work().await;
    assert_eq!(count(&world, "pending_refetches").await, 0);
    assert_eq!(totals(&world, &store).await, (60, "2400.00".to_owned()));
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn an_order_that_is_too_old_to_be_shown_is_not_deleted() {
    let world = Simulated::start().await;
    let store = store(&world, "hooks").await;
    let old = NewOrder {
        lines: vec![NewLine {
            title: Some("Lamp".to_owned()),
            price: Some("20.00".parse().unwrap()),
            quantity: 1,
            ..NewLine::default()
        }],
        created_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        processed_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..NewOrder::default()
    };
    let old = store.shop.place_order(&old).unwrap();
    assert_eq!(
        world.app.sync_and_wait(&store.token, "FULL").await,
        "SUCCEEDED"
    );
    store
        .shop
        .set_scopes(&["read_customers", "read_orders", "read_products"]);
    world.sync(&store).await;
    assert_eq!(totals(&world, &store).await, (1, "20.00".to_owned()));
    let body = format!("{{\"id\":{}}}", old.id);
    assert_eq!(
        send(&world, "orders/updated", "d1", &body).await,
        StatusCode::OK
    );
    world.app.work().await;
    assert_eq!(totals(&world, &store).await, (1, "20.00".to_owned()));
}

#[tokio::test]
async fn deliveries_of_invented_shops_cost_few_queries_and_evict_no_real_shop() {
    let world = Simulated::start_with(|config| {
        config.sync.max_unverified_lookups = 5.try_into().unwrap();
    })
    .await;
    store(&world, "hooks").await;
    assert_eq!(
        send(&world, "orders/create", "d1", r#"{"id":7}"#).await,
        StatusCode::OK
    );
    world.app.work().await;
    let mut statuses = std::collections::BTreeMap::new();
    for batch in 0..45 {
        let answers = join_all((0..100).map(|number| {
            let (app, label) = (&world.app, format!("invented-{batch}-{number}"));
            async move {
                let signature = sign("hash", b"{}");
                deliver(
                    app,
                    &label,
                    "orders/create",
                    "d",
                    &signature,
                    b"{}".to_vec(),
                )
                .await
            }
        }));
        for status in answers.await {
            *statuses.entry(status.as_u16()).or_insert(0) += 1;
        }
    }
    let looked_up = statuses.get(&401).copied().unwrap_or_default();
    let refused = statuses.get(&503).copied().unwrap_or_default();
    assert_eq!(looked_up + refused, 4_500, "{statuses:?}");
    assert!(looked_up < 1_000, "look-ups are bounded: {statuses:?}");
    // The keys of the real shop are still cached: its delivery reads no directory.
    let mut holder = world.app.database.connection().await;
    sqlx::raw_sql("begin; lock table tenants in access exclusive mode")
        .execute(&mut holder)
        .await
        .unwrap();
    assert_eq!(
        send(&world, "orders/create", "d2", r#"{"id":7}"#).await,
        StatusCode::OK
    );
    sqlx::raw_sql("rollback")
        .execute(&mut holder)
        .await
        .unwrap();
    world.app.work().await;
}

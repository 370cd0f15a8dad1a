//! Syncs against a store that misbehaves as Shopify does. Whatever goes wrong, in the end the program holds
//! what the store holds, and says what stands in the way where it cannot.

use std::time::Duration;

use serde_json::{Value, json};
use shopify_simulator::{
    AccessChange, BulkFault, CustomerChange, Fault, FaultRate, FaultScript, NewCustomer, NewLine,
    NewOrder, NewProduct, NewVariant, OrderChange, RefundLine, RefundRequest, ShopSettings,
};

use crate::support::{Connected, Simulated};

/// Fills a store with a few customers, products and orders.
fn fill(store: &Connected, orders: usize) {
    let customers: Vec<_> = (0..5)
        .map(|number| {
            store
                .shop
                .create_customer(&NewCustomer {
                    name: format!("Customer {number}"),
                    ..NewCustomer::default()
                })
                .id
        })
        .collect();
    let product = store.shop.create_product(&NewProduct {
        title: "Lamp".to_owned(),
        variants: vec![NewVariant {
            price: "20.00".parse().unwrap(),
            ..NewVariant::default()
        }],
        ..NewProduct::default()
    });
    for number in 0..orders {
        let placed = store
            .shop
            .place_order(&NewOrder {
                customer: (number % 7 != 0).then(|| customers[number % customers.len()]),
                lines: vec![NewLine {
                    variant: Some(product.variants[0].id),
                    quantity: i32::try_from(number % 3).unwrap() + 1,
                    ..NewLine::default()
                }],
                shipping: "4.90".parse().unwrap(),
                ..NewOrder::default()
            })
            .unwrap();
        if number % 5 == 0 {
            let line = placed.line_items[0].id;
            let request = RefundRequest {
                lines: vec![RefundLine { line, quantity: 1 }],
                ..RefundRequest::default()
            };
            store.shop.refund_order(placed.id, &request).unwrap();
        }
    }
}

/// What the store itself adds up to: orders, and the total of every sale of every agreement.
fn truth(store: &Connected) -> (usize, String) {
    let mut orders = store.shop.orders();
    orders.retain(|order| !order.deleted);
    let hundredths: i128 = orders
        .iter()
        .flat_map(|order| &order.agreements)
        .flat_map(|agreement| &agreement.sales)
        .map(|sale| {
            let text = sale.total.to_string();
            let amount: rust_decimal::Decimal = text.parse().unwrap();
            (amount * rust_decimal::Decimal::ONE_HUNDRED).mantissa()
                / 10_i128.pow((amount * rust_decimal::Decimal::ONE_HUNDRED).scale())
        })
        .sum();
    (
        orders.len(),
        format!("{}.{:02}", hundredths / 100, hundredths % 100),
    )
}

/// What the program answers for all time: the same two figures.
async fn answer(world: &Simulated, store: &Connected) -> (usize, String) {
    let overview = world
        .app
        .field(
            "{ overview(range: { preset: ALL_TIME }) { metrics { orders totalSales { amount } } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    let orders = usize::try_from(overview["metrics"]["orders"].as_i64().unwrap()).unwrap();
    (
        orders,
        overview["metrics"]["totalSales"]["amount"]
            .as_str()
            .unwrap()
            .to_owned(),
    )
}

async fn assert_complete(world: &Simulated, store: &Connected) {
    assert_eq!(answer(world, store).await, truth(store));
    world.assert_verified(store).await;
}

async fn last_run(world: &Simulated, store: &Connected) -> Value {
    let runs = world
        .app
        .field(
            "{ syncRuns(first: 1) { nodes { mode status trigger error progress { kind done total } } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    runs["nodes"][0].clone()
}

#[tokio::test]
async fn the_first_sync_brings_in_the_whole_store() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("whole")).await;
    fill(&store, 40);
    world.sync(&store).await;
    assert_complete(&world, &store).await;
    assert_eq!(
        last_run(&world, &store).await,
        json!({ "mode": "FULL", "status": "SUCCEEDED", "trigger": "REGISTER", "error": null, "progress": [
            { "kind": "CUSTOMERS", "done": 5, "total": 5 },
            { "kind": "PRODUCTS", "done": 1, "total": 1 },
            { "kind": "ORDERS", "done": 40, "total": 40 },
        ]})
    );
    let shop = world
        .app
        .field(
            "{ me { tenant { shop { connected lastSyncedAt orderHistoryDays } } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(shop["tenant"]["shop"]["connected"], true);
    assert!(shop["tenant"]["shop"]["lastSyncedAt"].is_string());
    assert_eq!(shop["tenant"]["shop"]["orderHistoryDays"], Value::Null);
}

#[tokio::test]
async fn an_empty_store_is_synced_too() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("empty")).await;
    world.sync(&store).await;
    assert_eq!(answer(&world, &store).await, (0, "0.00".to_owned()));
    fill(&store, 3);
    world.sync(&store).await;
    assert_complete(&world, &store).await;
}

#[tokio::test]
async fn an_incremental_sync_brings_in_what_changed_and_asks_for_little() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("changes")).await;
    fill(&store, 30);
    world.sync(&store).await;
    let order = store.shop.orders()[3].clone();
    store.shop.cancel_order(order.id).unwrap();
    let customer = store.shop.customers()[0].id;
    store
        .shop
        .update_customer(
            customer,
            &CustomerChange {
                name: Some("Grace".to_owned()),
                ..CustomerChange::default()
            },
        )
        .unwrap();
    store.shop.reset_statistics();
    world.sync(&store).await;
    assert_complete(&world, &store).await;
    let customers = world
        .app
        .field(
            "{ customers(filter: { search: \"Grace\" }) { totalCount } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(customers["totalCount"], 1);
    assert_eq!(
        store.shop.statistics().bulk_started.len(),
        0,
        "an incremental sync needs no bulk operation"
    );
}

#[tokio::test]
async fn a_second_sync_of_an_unchanged_store_writes_nothing() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("still")).await;
    fill(&store, 20);
    world.sync(&store).await;
    let tenant = world.tenant(&store).await;
    let rows = async || -> Vec<(String,)> {
        world
            .app
            .database
            .rows(
                "select xmin::text || ' ' || id from orders where tenant_id = $1 order by id",
                tenant,
            )
            .await
    };
    let before = rows().await;
    world.sync(&store).await;
    assert_eq!(
        world.app.sync_and_wait(&store.token, "FULL").await,
        "SUCCEEDED"
    );
    assert_eq!(rows().await, before);
}

#[tokio::test]
async fn an_order_with_more_lines_and_events_than_a_page_loses_none() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("long")).await;
    fill(&store, 1);
    world.sync(&store).await;
    let line = || NewLine {
        quantity: 3,
        price: Some("2.50".parse().unwrap()),
        title: Some("Article".to_owned()),
        ..NewLine::default()
    };
    let placed = store
        .shop
        .place_order(&NewOrder {
            lines: (0..130).map(|_| line()).collect(),
            ..NewOrder::default()
        })
        .unwrap();
    for item in placed.line_items.iter().take(40) {
        let request = RefundRequest {
            lines: vec![RefundLine {
                line: item.id,
                quantity: 1,
            }],
            ..RefundRequest::default()
        };
        store.shop.refund_order(placed.id, &request).unwrap();
    }
    world.sync(&store).await;
    assert_complete(&world, &store).await;
    let tenant = world.tenant(&store).await;
    let kept: Vec<(i64, i64)> = world
        .app
        .database
        .rows(
            "select (select count(*) from line_items where tenant_id = $1), (select count(*) from sales where tenant_id = $1)",
            tenant,
        )
        .await;
    let sales: usize = store
        .shop
        .orders()
        .iter()
        .flat_map(|order| &order.agreements)
        .map(|agreement| agreement.sales.len())
        .sum();
    assert_eq!(kept, [(131, i64::try_from(sales).unwrap())]);
}

#[tokio::test]
async fn a_refused_bulk_query_is_replaced_by_pages() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("refused")).await;
    fill(&store, 25);
    store.shop.push_bulk_fault(
        Some("orders"),
        BulkFault::Refuse {
            message: "The parent 'node' field for a nested connection must implement Node"
                .to_owned(),
        },
    );
    world.sync(&store).await;
    assert_complete(&world, &store).await;
}

#[tokio::test]
async fn only_the_documented_code_of_a_denied_bulk_query_stops_its_retries() {
    for (label, error_code, operations) in [
        ("denied", "ACCESS_DENIED", 1),
        ("similar", "TEMPORARILY_ACCESS_DENIED", 2),
    ] {
        let world = Simulated::start().await;
        let store = world.register(ShopSettings::new(label)).await;
        fill(&store, 25);
        let fault = BulkFault::Fail {
            error_code: error_code.to_owned(),
            after_lines: None,
        };
        store.shop.push_bulk_fault(Some("orders"), fault);
        world.sync(&store).await;
        assert_complete(&world, &store).await;
        let started = store.shop.statistics().bulk_started["orders"];
        assert_eq!(started, operations, "{error_code}");
    }
}

#[tokio::test]
async fn a_bulk_operation_without_a_whole_result_is_run_again() {
    for (label, fault) in [
        (
            "failed",
            BulkFault::Fail {
                error_code: "INTERNAL_SERVER_ERROR".to_owned(),
                after_lines: Some(20),
            },
        ),
        (
            "timeout",
            BulkFault::Fail {
                error_code: "TIMEOUT".to_owned(),
                after_lines: None,
            },
        ),
        (
            "denied",
            BulkFault::Fail {
                error_code: "ACCESS_DENIED".to_owned(),
                after_lines: None,
            },
        ),
        ("stopped", BulkFault::Cancel),
        ("expired", BulkFault::ExpiredUrl),
        (
            "cut",
            BulkFault::CutFile {
                after_bytes: 2_000,
                times: 3,
            },
        ),
        ("miscounted", BulkFault::WrongCount { by: 1 }),
        ("missing", BulkFault::MissingLines { every: 9 }),
        ("fileless", BulkFault::NoFile),
    ] {
        let world = Simulated::start().await;
        let store = world.register(ShopSettings::new(label)).await;
        fill(&store, 25);
        store.shop.push_bulk_fault(Some("orders"), fault);
        world.sync(&store).await;
        assert_complete(&world, &store).await;
    }
}

#[tokio::test]
async fn a_bulk_operation_that_stands_still_is_begun_anew() {
    let world =
        Simulated::start_with(|config| config.sync.bulk_stall = Duration::from_millis(300)).await;
    let store = world.register(ShopSettings::new("stalled")).await;
    fill(&store, 10);
    store.shop.push_bulk_fault(Some("orders"), BulkFault::Stall);
    world.sync(&store).await;
    assert_complete(&world, &store).await;
}

#[tokio::test]
async fn bulk_operations_that_keep_failing_give_way_to_pages() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("hopeless")).await;
    fill(&store, 25);
    for _ in 0..3 {
        store
            .shop
            .push_bulk_fault(Some("orders"), BulkFault::WrongCount { by: -1 });
    }
    world.sync(&store).await;
    assert_complete(&world, &store).await;
}

#[tokio::test]
async fn faults_on_the_wire_are_outlived() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("weather")).await;
    fill(&store, 60);
    store.shop.set_fault_rate(Some(FaultRate {
        percent: 30,
        faults: vec![
            Fault::TooManyRequests {
                retry_after: "0.02".to_owned(),
            },
            Fault::ServerError { status: 502 },
            Fault::DropConnection,
            Fault::TruncateBody,
            Fault::Throttled,
            Fault::InternalServerError,
            Fault::Slow { millis: 20 },
        ],
        seed: 7,
    }));
    world.sync(&store).await;
    let orders = store.shop.orders();
    for order in orders.iter().take(20) {
        store
            .shop
            .change_order(
                order.id,
                &OrderChange {
                    tags: Some(vec!["seen".to_owned()]),
                    ..OrderChange::default()
                },
            )
            .unwrap();
        store.shop.cancel_order(order.id).unwrap();
    }
    world.sync(&store).await;
    store.shop.set_fault_rate(None);
    assert_complete(&world, &store).await;
}

#[tokio::test]
async fn an_empty_bucket_slows_a_sync_and_does_not_fail_it() {
    let world = Simulated::start().await;
    let settings = ShopSettings {
        bucket_size: 1_000,
        restore_rate: 2_000,
        ..ShopSettings::new("throttled")
    };
    let store = world.register(settings).await;
    fill(&store, 150);
    store.shop.push_bulk_fault(
        Some("orders"),
        BulkFault::Refuse {
            message: "no".to_owned(),
        },
    );
    world.sync(&store).await;
    assert_complete(&world, &store).await;
}

#[tokio::test]
async fn a_time_zone_that_the_database_does_not_know_ends_the_sync_and_leaves_the_figures() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("nowhere")).await;
    fill(&store, 5);
    world.sync(&store).await;
    store.shop.set_zone_name("Nowhere/Land");
    assert_eq!(
        world.app.sync_and_wait(&store.token, "INCREMENTAL").await,
        "FAILED"
    );
    assert_eq!(
        last_run(&world, &store).await["error"],
        "the database does not have the time zone Nowhere/Land; update its zone data, then sync again"
    );
    assert_complete(&world, &store).await;
    store.shop.set_zone("Europe/London".parse().unwrap());
    world.sync(&store).await;
}

#[tokio::test]
async fn a_revoked_token_ends_the_sync_and_asks_for_a_new_one() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("revoked")).await;
    fill(&store, 5);
    world.sync(&store).await;
    let fault = FaultScript {
        operation: None,
        after: 0,
        times: 1_000,
        fault: Fault::Unauthorized,
    };
    store.shop.push_fault(fault);
    assert_eq!(
        world.app.sync_and_wait(&store.token, "INCREMENTAL").await,
        "FAILED"
    );
    let run = last_run(&world, &store).await;
    assert_eq!(run["error"], "Shopify rejected the access token");
    let shop = world
        .app
        .field(
            "{ me { tenant { shop { connected status } } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(
        shop["tenant"]["shop"],
        json!({ "connected": false, "status": "REAUTHORISATION_NEEDED" })
    );
    // What was synced before is still answered.
    assert_eq!(answer(&world, &store).await, truth(&store));
    store.shop.clear_faults();
    world.sync(&store).await;
}

#[tokio::test]
async fn a_store_that_shows_sixty_days_is_synced_and_says_so() {
    let world = Simulated::start().await;
    let mut settings = ShopSettings::new("sixty");
    settings.scopes.retain(|scope| scope != "read_all_orders");
    let store = world.register(settings).await;
    let old = NewOrder {
        lines: vec![NewLine {
            quantity: 1,
            price: Some("9.00".parse().unwrap()),
            title: Some("Article".to_owned()),
            ..NewLine::default()
        }],
        processed_at: Some(store.shop.now().before(Duration::from_hours(90 * 24))),
        created_at: Some(store.shop.now().before(Duration::from_hours(90 * 24))),
        ..NewOrder::default()
    };
    store.shop.place_order(&old).unwrap();
    fill(&store, 5);
    world.sync(&store).await;
    assert_eq!(answer(&world, &store).await.0, 5);
    let history = "{ me { tenant { shop { orderHistoryDays } } } }";
    let shop = world
        .app
        .field(history, json!({}), Some(&store.token))
        .await;
    assert_eq!(shop["tenant"]["shop"]["orderHistoryDays"], 60);

    // The scope is granted: the next sync fetches what was hidden.
    store.shop.set_scopes(&shopify_simulator::ALL_SCOPES);
    world.sync(&store).await;
    assert_complete(&world, &store).await;
    let shop = world
        .app
        .field(history, json!({}), Some(&store.token))
        .await;
    assert_eq!(shop["tenant"]["shop"]["orderHistoryDays"], Value::Null);
}

#[tokio::test]
async fn a_full_sync_finds_what_was_deleted() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("deleted")).await;
    fill(&store, 12);
    world.sync(&store).await;
    for order in store.shop.orders().iter().take(4) {
        store.shop.delete_order(order.id).unwrap();
    }
    world.sync(&store).await;
    assert_ne!(
        answer(&world, &store).await,
        truth(&store),
        "an incremental sync cannot see deletions"
    );
    assert_eq!(
        world.app.sync_and_wait(&store.token, "FULL").await,
        "SUCCEEDED"
    );
    assert_complete(&world, &store).await;
}

#[tokio::test]
async fn asking_for_a_sync_twice_gives_the_one_that_is_waiting() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("twice")).await;
    let ask = "mutation { sync { syncRun { id trigger } userErrors { message } } }";
    let first = world.app.field(ask, json!({}), Some(&store.token)).await;
    let second = world.app.field(ask, json!({}), Some(&store.token)).await;
    assert_eq!(first, second);
    assert_eq!(first["syncRun"]["trigger"], "REGISTER");
    world.sync(&store).await;
}

#[tokio::test]
async fn stores_are_synced_on_a_schedule() {
    let world = Simulated::start_with(|config| {
        config.sync.sync_interval = Some(Duration::from_hours(1));
    })
    .await;
    let store = world.register(ShopSettings::new("scheduled")).await;
    world.sync(&store).await;
    let sync = world.app.app().sync();
    assert_eq!(sync.queue_due_syncs().await.unwrap(), 1);
    assert_eq!(
        sync.queue_due_syncs().await.unwrap(),
        0,
        "it is due again after the interval"
    );
    world.sync(&store).await;
    let run = last_run(&world, &store).await;
    assert_eq!(
        (run["trigger"].as_str(), run["status"].as_str()),
        (Some("SCHEDULE"), Some("SUCCEEDED"))
    );
}

#[tokio::test]
async fn every_due_shop_is_queued_though_one_fails() {
    let world = Simulated::start_with(|config| {
        config.sync.sync_interval = Some(Duration::from_hours(1));
        config.sync.maintenance_interval = Some(Duration::from_hours(24));
    })
    .await;
    let store = world.register(ShopSettings::new("first")).await;
    world.sync(&store).await;
    let mut connection = world.app.database.connection().await;
    for statement in [
        "insert into tenants (id, shop_domain, shop_gid, shop_name, status, created_at) \
         select gen_random_uuid(), 'copy-' || n || '.myshopify.com', 'gid://shopify/Shop/9' || n, 'Copy', 'CONNECTED', now() \
         from generate_series(1, 1200) n",
        "insert into shops (tenant_id, shop_gid, domain, name, currency, time_zone, scopes, status, connected_at) \
         select t.id, t.shop_gid, t.shop_domain, s.name, s.currency, s.time_zone, s.scopes, s.status, s.connected_at \
         from tenants t, shops s where t.shop_domain like 'copy-%'",
        "create function refuse() returns trigger language plpgsql as $$ begin \
            if new.tenant_id = (select id from tenants where shop_domain = 'copy-1.myshopify.com') then \
                raise exception 'this shop fails'; \
            end if; \
            return new; end $$",
        "alter function refuse() security definer",
        "create trigger refuse before insert on sync_runs for each row execute function refuse()",
    ] {
        sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let sync = world.app.app().sync();
    assert_eq!(sync.queue_due_syncs().await.unwrap(), 1_200);
    assert_eq!(world.app.database.jobs().await, 1_200);
    let due: Vec<String> = sqlx::query_scalar(
        "select shop_domain from tenants where next_sync_at is null or next_sync_at <= now()",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(
        due,
        ["copy-1.myshopify.com"],
        "a shop that failed stays due"
    );
    sqlx::raw_sql("drop trigger refuse on sync_runs")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(sync.queue_due_syncs().await.unwrap(), 1);
    assert_eq!(sync.queue_due_maintenance().await.unwrap(), 1_201);
    sqlx::raw_sql("delete from jobs")
        .execute(&mut connection)
        .await
        .unwrap();
}

const UPDATE_CREDENTIALS: &str = "mutation ($credentials: CredentialsInput!) {
    updateShopCredentials(input: { credentials: $credentials }) {
        tenant { shop { status statusReason } } syncRun { mode } userErrors { field code } } }";

#[tokio::test]
async fn a_store_that_let_the_app_go_comes_back_with_new_credentials() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("rotated")).await;
    fill(&store, 5);
    world.sync(&store).await;
    store.shop.change_access(AccessChange {
        static_token: Some("shpat_new".to_owned()),
        ..AccessChange::default()
    });
    assert_eq!(
        world.app.sync_and_wait(&store.token, "INCREMENTAL").await,
        "FAILED"
    );

    let give = async |token: &str| {
        let variables = json!({ "credentials": { "accessToken": { "token": token } } });
        world
            .app
            .field(UPDATE_CREDENTIALS, variables, Some(&store.token))
            .await
    };
    assert_eq!(
        give("shpat_wrong").await,
        json!({ "tenant": null, "syncRun": null,
            "userErrors": [{ "field": ["input", "credentials"], "code": "ACCESS_TOKEN_REJECTED" }] })
    );
    assert_eq!(
        give("shpat_new").await,
        json!({ "tenant": { "shop": { "status": "CONNECTED", "statusReason": null } },
            "syncRun": { "mode": "INCREMENTAL" }, "userErrors": [] })
    );
    fill(&store, 3);
    world.sync(&store).await;
    assert_complete(&world, &store).await;
}

#[tokio::test]
async fn a_token_of_client_credentials_is_renewed_when_it_ends() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("clients")).await;
    fill(&store, 5);
    world.sync(&store).await;
    let (id, secret, _) = store.shop.credentials();
    let variables = json!({ "credentials": { "clientCredentials": { "clientId": id, "clientSecret": secret } } });
    let payload = world
        .app
        .field(UPDATE_CREDENTIALS, variables, Some(&store.token))
        .await;
    assert_eq!(payload["userErrors"], json!([]));
    world.sync(&store).await;

    // The token is kept, sealed, from one sync to the next.
    let tokens = |store: &Connected| store.shop.statistics().tokens_issued;
    let issued = tokens(&store);
    fill(&store, 3);
    world.sync(&store).await;
    assert_eq!(tokens(&store), issued);
    assert_complete(&world, &store).await;

    store.shop.change_access(AccessChange {
        expire_tokens: true,
        ..AccessChange::default()
    });
    fill(&store, 3);
    world.sync(&store).await;
    assert_eq!(
        tokens(&store),
        issued + 1,
        "one renewal is enough for a whole sync"
    );
    assert_complete(&world, &store).await;

    // An app that was released without scopes gets tokens that open nothing.
    store.shop.change_access(AccessChange {
        expire_tokens: true,
        empty_scopes: Some(true),
        ..AccessChange::default()
    });
    assert_eq!(
        world.app.sync_and_wait(&store.token, "INCREMENTAL").await,
        "FAILED"
    );
    let run = last_run(&world, &store).await;
    assert_eq!(
        run["error"],
        "grant the app these scopes and sync again: read_customers, read_orders, read_products"
    );
}

//! A cached response is the response that the database would give: after every change, in every process, for every
//! tenant and role, past midnight, and without the event listener.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{ETAG, IF_NONE_MATCH};
use serde_json::{Value, json};
use shopify_simulator::ShopSettings;
use sqlx::postgres::PgListener;
use sqlx::{Connection as _, PgConnection};
use xboard::domain::clock::Clock;

use crate::support::Simulated;

const DASHBOARD: &str = "{
    overview(range: { preset: LAST_7_DAYS }, compareTo: PREVIOUS_YEAR) {
        range { from to } metrics { orders customers newCustomers grossSales { amount } }
        previous { metrics { orders } } totalCustomers ordersInOtherCurrencies }
    ordersByDate(range: { preset: LAST_7_DAYS }) { date start metrics { orders } }
    topCustomers(range: { preset: LAST_7_DAYS }) { rank customer { displayName } totalSpent { amount } }
    recentOrders { nodes { name customer { displayName } } } }";

async fn ask(address: &str, token: &str, query: &str) -> (StatusCode, Value) {
    let response = reqwest::Client::new()
        .post(format!("{address}/graphql"))
        .bearer_auth(token)
        .json(&json!({ "query": query }))
        .send()
        .await
        .unwrap();
    (response.status(), response.json().await.unwrap())
}

async fn orders(address: &str, token: &str) -> i64 {
    let (status, body) = ask(address, token, DASHBOARD).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body.get("errors"), None, "{body}");
    let orders = |value: &Value| value.as_i64().unwrap();
    let count = orders(&body["data"]["overview"]["metrics"]["orders"]);
    let series: i64 = body["data"]["ordersByDate"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| orders(&point["metrics"]["orders"]))
        .sum();
    assert_eq!(series, count, "{body}");
    count
}

/// Whether a query is answered while the tables of sessions and of the shop are locked.
async fn needs_no_database(world: &Simulated, address: &str, token: &str, query: &str) -> bool {
    let mut connection = world.app.database.connection().await;
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query(
        "lock table users, sessions, shops, orders, sales_rollups in access exclusive mode",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    let asked = ask(address, token, query);
    let answered = tokio::time::timeout(Duration::from_millis(500), asked).await;
    transaction.rollback().await.unwrap();
    answered.is_ok_and(|(status, _)| status == StatusCode::OK)
}

/// Repeats a query until the response comes from the cache.
async fn warm(world: &Simulated, address: &str, token: &str, query: &str) {
    for _ in 0..50 {
        ask(address, token, query).await;
        if needs_no_database(world, address, token, query).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the response is never cached");
}

#[tokio::test]
async fn a_response_is_cached_until_the_shop_changes_and_never_for_another_tenant() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("warm")).await;
    let other = world.register(ShopSettings::new("cold")).await;
    world.app.work().await;
    let address = world.app.address().to_owned();
    for number in 0..4 {
        assert_eq!(orders(&address, &store.token).await, number);
        warm(&world, &address, &store.token, DASHBOARD).await;
        warm(&world, &address, &other.token, DASHBOARD).await;
        assert_eq!(orders(&address, &store.token).await, number);
        assert_eq!(orders(&address, &other.token).await, 0);
        store.sell_lamp(None, "20.00");
        world.sync(&store).await;
    }
    assert_eq!(orders(&address, &store.token).await, 4);
    // Each delivery is charged, and account data is never cached.
    let first = ask(&address, &store.token, DASHBOARD).await.1;
    warm(&world, &address, &store.token, DASHBOARD).await;
    let again = ask(&address, &store.token, DASHBOARD).await.1;
    assert_eq!(first["data"], again["data"]);
    let cost = |body: &Value| body["extensions"]["cost"]["actualQueryCost"].clone();
    assert_eq!(cost(&first), cost(&again));
    assert!(cost(&again).as_i64().unwrap() > 0);
    let me = "{ me { email } }";
    ask(&address, &store.token, me).await;
    assert!(!needs_no_database(&world, &address, &store.token, me).await);
}

#[tokio::test]
async fn a_cached_get_has_the_same_etag() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("tags")).await;
    world.app.work().await;
    let get = async |tag: Option<&str>| {
        let path = "/graphql?query=%7Boverview%7BtotalCustomers%7D%7D";
        let mut request = world.app.get(path);
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        request.bearer_auth(&store.token).send().await.unwrap()
    };
    let first = get(None).await;
    let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
    warm(&world, world.app.address(), &store.token, DASHBOARD).await;
    let again = get(None).await;
    assert_eq!(again.headers()[ETAG], tag.as_str());
    assert_eq!(get(Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(get(Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(get(Some("W/\"other\"")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_cached_response_is_charged_and_throttled_without_budget() {
    let world = Simulated::start_with(|config| {
        config.limits.budget = Some(xboard::graphql::BucketConfig {
            capacity: std::num::NonZeroU64::new(1_000).unwrap(),
            refill_rate: std::num::NonZeroU64::new(1).unwrap(),
        });
    })
    .await;
    let store = world.register(ShopSettings::new("poor")).await;
    world.app.work().await;
    let query = "{ orders(first: 10) { totalCount } overview { totalCustomers } }";
    let mut refused = None;
    for _ in 0..40 {
        let (_, body) = ask(world.app.address(), &store.token, query).await;
        if body["errors"] != Value::Null {
            refused = Some(body["errors"][0]["extensions"]["code"].clone());
            break;
        }
    }
    assert_eq!(refused, Some("THROTTLED".into()));
}

#[tokio::test]
async fn signing_out_in_one_process_invalidates_the_session_in_another() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("out")).await;
    world.app.work().await;
    let second = world.app.beside().await;
    warm(&world, world.app.address(), &store.token, DASHBOARD).await;
    warm(&world, second.address(), &store.token, DASHBOARD).await;
    let logout = "mutation { logout { userErrors { code } } }";
    let (status, _) = ask(world.app.address(), &store.token, logout).await;
    assert_eq!(status, StatusCode::OK);
    // In this process at once, in the other as soon as the event arrives.
    let here = ask(world.app.address(), &store.token, DASHBOARD).await;
    assert_eq!(here.0, StatusCode::UNAUTHORIZED);
    let mut status = StatusCode::OK;
    for _ in 0..100 {
        status = ask(second.address(), &store.token, DASHBOARD).await.0;
        if status == StatusCode::UNAUTHORIZED {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_change_in_one_process_reaches_another_and_no_older_response_follows() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("two")).await;
    world.app.work().await;
    let second = world.app.beside().await;
    warm(&world, second.address(), &store.token, DASHBOARD).await;
    let mut seen = 0;
    for number in 1..=3 {
        store.sell_lamp(None, "20.00");
        world.sync(&store).await;
        for _ in 0..200 {
            let now = orders(second.address(), &store.token).await;
            assert!(now >= seen, "{now} after {seen}");
            seen = now;
            if seen == number {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(seen, number);
    }
}

/// Terminates the connections of the event listeners.
async fn cut_listeners(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity \
         where datname = current_database() and application_name = 'xboard listener'",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn the_caches_recover_from_a_lost_listener_and_serve_nothing_stale() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("cut")).await;
    world.app.work().await;
    let address = world.app.address().to_owned();
    let mut connection = world.app.database.connection().await;
    for number in 0..3 {
        warm(&world, &address, &store.token, DASHBOARD).await;
        assert_eq!(orders(&address, &store.token).await, number);
        assert!(cut_listeners(&mut connection).await > 0);
        store.sell_lamp(None, "20.00");
        world.sync(&store).await;
        assert_eq!(orders(&address, &store.token).await, number + 1);
    }
}

#[tokio::test]
async fn past_midnight_in_the_shops_zone_the_day_is_another() {
    let evening: DateTime<Utc> = "2026-03-01T18:29:30Z".parse().unwrap();
    let time: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(evening.timestamp_micros())));
    let world = Simulated::start_with(|config| config.clock = Clock::Moved(time)).await;
    let store = world
        .register(ShopSettings {
            zone: "Asia/Kolkata".parse().unwrap(),
            ..ShopSettings::new("midnight")
        })
        .await;
    world.app.work().await;
    let address = world.app.address().to_owned();
    let last_day = async || {
        let (_, body) = ask(&address, &store.token, DASHBOARD).await;
        body["data"]["overview"]["range"]["to"].clone()
    };
    warm(&world, &address, &store.token, DASHBOARD).await;
    assert_eq!(last_day().await, "2026-03-01");
    time.fetch_add(60_000_000, Ordering::Relaxed);
    assert_eq!(last_day().await, "2026-03-02");
    warm(&world, &address, &store.token, DASHBOARD).await;
    assert_eq!(last_day().await, "2026-03-02");
    // A clock that is set back has its day back.
    time.fetch_sub(60_000_000, Ordering::Relaxed);
    assert_eq!(last_day().await, "2026-03-01");
}

#[tokio::test]
async fn a_cancelled_begin_leaves_no_transaction_open() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("hasty")).await;
    world.app.work().await;
    let tenant = world.tenant(&store).await;
    let database = world.app.database.db();
    for microseconds in 0..400 {
        let begins = database.tenant_snapshot(tenant);
        let patience = Duration::from_micros(microseconds * 3);
        let _ = tokio::time::timeout(patience, begins).await;
    }
    let mut connection = world.app.database.connection().await;
    let mut open = 0_i64;
    for _ in 0..100 {
        open = sqlx::query_scalar(
            "select count(*) from pg_stat_activity \
             where datname = current_database() and state like 'idle in%'",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(open, 0);
}

#[tokio::test]
async fn a_busy_request_pool_does_not_suspend_the_caches() {
    let world = Simulated::start_with(|config| config.connections = 2).await;
    let store = world.register(ShopSettings::new("busy")).await;
    world.app.work().await;
    let address = world.app.address().to_owned();
    let tenant = world.tenant(&store).await;
    warm(&world, &address, &store.token, DASHBOARD).await;
    let database = world.app.app().database();
    let held = [
        database.tenant_snapshot(tenant).await.unwrap(),
        database.tenant_snapshot(tenant).await.unwrap(),
    ];
    // Longer than a heartbeat keeps the caches usable.
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (status, body) = ask(&address, &store.token, DASHBOARD).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body.get("errors"), None, "{body}");
    }
    drop(held);
}

#[tokio::test]
async fn a_heartbeat_and_an_empty_mutation_notify_nobody() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("quiet")).await;
    world.app.work().await;
    let address = world.app.address().to_owned();
    warm(&world, &address, &store.token, DASHBOARD).await;
    let mut listener = PgListener::connect(&world.app.database.url())
        .await
        .unwrap();
    let channels = ["xboard_shop", "xboard_access"];
    listener.listen_all(channels).await.unwrap();
    for token in [store.token.as_str(), ""] {
        let request = world
            .app
            .post()
            .json(&json!({ "query": "mutation { __typename }" }));
        let request = if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        };
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    }
    let received = tokio::time::timeout(Duration::from_secs(2), listener.recv()).await;
    assert!(received.is_err(), "{received:?}");
    assert!(needs_no_database(&world, &address, &store.token, DASHBOARD).await);
}

#[tokio::test]
async fn an_event_carries_versions_and_days_and_no_contents() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("overheard")).await;
    world.app.work().await;
    let mut listener = PgListener::connect(&world.app.database.url())
        .await
        .unwrap();
    listener.listen("xboard_shop").await.unwrap();
    let eve = store.create_customer("Evelyn Unmistakable");
    store.sell_lamp(Some(eve), "45.00");
    world.sync(&store).await;
    let mut changes = 0;
    while changes < 2 {
        let received = tokio::time::timeout(Duration::from_secs(30), listener.recv()).await;
        let event = received.unwrap().unwrap().payload().to_owned();
        assert!(!event.contains("Unmistakable"), "{event}");
        let event: Value = serde_json::from_str(&event).unwrap();
        if event["event"] == "data_changed" {
            assert!(event["version"].as_i64().unwrap() > 0, "{event}");
            changes += 1;
        }
    }
}

#[tokio::test]
async fn a_deleted_order_leaves_the_figures_of_every_process() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("deleted")).await;
    world.app.work().await;
    store.sell_lamp(None, "45.00");
    world.sync(&store).await;
    let second = world.app.beside().await;
    for address in [world.app.address(), second.address()] {
        warm(&world, address, &store.token, DASHBOARD).await;
        assert_eq!(orders(address, &store.token).await, 1);
    }
    let order = store.shop.orders().first().unwrap().id;
    world.delete_order(&store, order).await;
    for address in [world.app.address(), second.address()] {
        let mut count = 1;
        for _ in 0..200 {
            count = orders(address, &store.token).await;
            if count == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(count, 0);
    }
}

#[tokio::test]
async fn the_shops_of_a_users_memberships_are_each_read_as_their_own_tenant() {
    let world = Simulated::start_with(|config| config.connections = 1).await;
    let first = world.register(ShopSettings::new("first")).await;
    let second = world.app.simulator.add_shop(ShopSettings::new("second"));
    let connect = "mutation ($input: ConnectShopInput!) { connectShop(input: $input) { \
        session { token } userErrors { message } } }";
    let (id, secret, _) = second.credentials();
    let credentials = json!({ "clientCredentials": { "clientId": id, "clientSecret": secret } });
    let input = json!({ "shop": { "domain": "second.myshopify.com", "credentials": credentials } });
    let connected = world
        .app
        .field(connect, json!({ "input": input }), Some(&first.token))
        .await;
    assert_eq!(connected["userErrors"], json!([]));
    let query = "{ a: me { tenant { shop { name } } } \
        me { email memberships { tenant { shop { name domain } } } } \
        b: me { tenant { shop { domain } } } overview { totalCustomers } }";
    let body = world
        .app
        .graphql(query, json!({}), Some(&first.token))
        .await;
    assert_eq!(
        body["data"],
        json!({
            "a": { "tenant": { "shop": { "name": "first" } } },
            "me": { "email": "owner@first.example", "memberships": [
                { "tenant": { "shop": { "name": "first", "domain": "first.myshopify.com" } } },
                { "tenant": { "shop": { "name": "second", "domain": "second.myshopify.com" } } },
            ] },
            "b": { "tenant": { "shop": { "domain": "first.myshopify.com" } } },
            "overview": { "totalCustomers": 0 },
        }),
        "{body}"
    );
    world.app.database.leaves_jobs(2);
}

//! What is answered from memory is what the database would answer: after every change, in every process, for
//! every store and role, past midnight, and when the news is not heard.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{ETAG, IF_NONE_MATCH};
use serde_json::{Value, json};
use shopify_simulator::ShopSettings;
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

/// Whether a question is answered while nobody can read who is signed in, or anything of a store.
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

/// Asks until the answer comes from memory.
async fn warm(world: &Simulated, address: &str, token: &str, query: &str) {
    for _ in 0..50 {
        ask(address, token, query).await;
        if needs_no_database(world, address, token, query).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the answer is never given from memory");
}

#[tokio::test]
async fn an_answer_is_given_from_memory_until_the_store_changes_and_never_to_another_store() {
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
    // What it costs is paid each time, and what is shown of accounts is always read.
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
async fn a_get_is_answered_from_memory_with_the_same_tag() {
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
async fn a_kept_answer_costs_what_it_cost_and_is_refused_when_nothing_is_left() {
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
async fn signing_out_in_one_process_ends_what_another_remembers() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("out")).await;
    world.app.work().await;
    let second = world.app.beside().await;
    warm(&world, world.app.address(), &store.token, DASHBOARD).await;
    warm(&world, second.address(), &store.token, DASHBOARD).await;
    let logout = "mutation { logout { userErrors { code } } }";
    let (status, _) = ask(world.app.address(), &store.token, logout).await;
    assert_eq!(status, StatusCode::OK);
    // Where it was said, at once; elsewhere as soon as the news is there.
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
async fn a_change_in_one_process_is_seen_in_another_and_never_unseen() {
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

/// Ends the connections on which the news is heard, as a network or an administrator does.
async fn cut_listeners(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity \
         where datname = current_database() and query ilike 'listen%'",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn without_the_news_nothing_is_answered_from_memory_and_with_it_everything_again() {
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
async fn whoever_gives_up_while_a_transaction_begins_leaves_none_behind() {
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

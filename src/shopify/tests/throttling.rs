//! The query budget is obeyed as the store tells it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::super::ShopifyError;
use super::{StubStore, config, ok, shop, store_with};

fn cost(requested: i64, available: i64, rate: i64) -> Value {
    json!({ "cost": {
        "requestedQueryCost": requested, "actualQueryCost": null,
        "throttleStatus": {
            "maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": rate
        }
    } })
}

fn throttled(requested: i64, available: i64, rate: i64) -> ResponseTemplate {
    ok(json!({
        "errors": [{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }],
        "extensions": cost(requested, available, rate)
    }))
}

#[tokio::test]
async fn an_empty_budget_is_waited_for_and_is_no_failed_attempt() {
    let mut answers = vec![throttled(100, 0, 2000); 4];
    answers.push(shop());
    let stub = StubStore::answering(answers).await;
    let start = Instant::now();
    stub.store().shop_record().await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(200), "4 × 50 ms");
    assert_eq!(
        stub.asked().await.len(),
        5,
        "more than failures may be repeated"
    );
}

#[tokio::test]
async fn a_budget_that_stays_empty_is_given_up_in_the_end() {
    let stub = StubStore::answering(vec![throttled(100, 0, 2000); 50]).await;
    let mut config = config(&format!("{}/shops/{{shop}}", stub.server.uri()));
    config.retry.max_throttle_wait = Duration::from_millis(120);
    let error = store_with(config).shop_record().await.unwrap_err();
    assert_eq!(error, ShopifyError::Throttled);
    assert_eq!(stub.asked().await.len(), 3);
}

#[tokio::test]
async fn a_wait_without_figures_still_waits() {
    let bare = super::fault("THROTTLED");
    let stub = StubStore::answering([bare, shop()]).await;
    let start = Instant::now();
    stub.store().shop_record().await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(5));
}

#[tokio::test]
async fn the_next_query_waits_for_its_known_cost_before_it_is_sent() {
    let body: Value = json!({
        "data": { "bulkOperation": null }, "extensions": cost(600, 0, 2000)
    });
    let stub = StubStore::answering([ok(body.clone()), ok(body)]).await;
    let store = stub.store();
    store
        .bulk_status("gid://shopify/BulkOperation/1")
        .await
        .unwrap();
    let start = Instant::now();
    // Another handle of the same store knows it too.
    let twin = store.shopify.shop(
        super::domain(),
        super::TokenProvider::fixed(super::token("t")),
    );
    twin.bulk_status("gid://shopify/BulkOperation/1")
        .await
        .unwrap();
    let waited = start.elapsed();
    assert!(
        waited >= Duration::from_millis(250),
        "600 points at 2000/s: {waited:?}"
    );
    assert_eq!(stub.asked().await.len(), 2);
}

#[tokio::test]
async fn retry_after_is_obeyed_with_its_fraction() {
    let slow_down = ResponseTemplate::new(429).insert_header("Retry-After", "0.08");
    let stub = StubStore::answering([slow_down, shop()]).await;
    let start = Instant::now();
    stub.store().shop_record().await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_longer_pause_than_is_waited_for_is_left_to_the_caller() {
    let slow_down = ResponseTemplate::new(429).insert_header("Retry-After", "2.0");
    let stub = StubStore::answering([slow_down]).await;
    let error = stub.store().shop_record().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    assert_eq!(stub.asked().await.len(), 1);
}

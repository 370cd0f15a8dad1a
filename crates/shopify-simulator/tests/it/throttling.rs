//! Costs and the bucket.

use serde_json::{Value, json};
use shopify_simulator::ShopSettings;

use crate::client::{World, settings};
use crate::paging::order_of;

#[tokio::test]
async fn every_answer_says_what_it_cost_and_what_is_left() {
    let world = World::with(ShopSettings {
        restore_rate: 0,
        ..settings()
    })
    .await;
    world.shop.place_order(&order_of(1)).unwrap();
    let query = "{ orders(first: 250) { nodes { id totalPriceSet { shopMoney { amount } } } } }";
    let answer = world.ask(query, json!({})).await;
    assert_eq!(
        answer["extensions"]["cost"],
        json!({
            "requestedQueryCost": 13,
            "actualQueryCost": 3,
            "throttleStatus": {
                "maximumAvailable": 2000, "currentlyAvailable": 1997, "restoreRate": 0,
            },
        })
    );
}

#[tokio::test]
async fn an_empty_bucket_throttles_and_the_whole_request_must_fit() {
    let tight = ShopSettings {
        bucket_size: 20,
        restore_rate: 0,
        ..settings()
    };
    let world = World::with(tight).await;
    let query = "{ orders(first: 250) { nodes { id } } }";
    let answer = world.ask(query, json!({})).await;
    assert_eq!(
        answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"],
        17
    );
    for left in [14, 11] {
        let answer = world.ask(query, json!({})).await;
        assert_eq!(
            answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"],
            left
        );
    }
    let answer = world.ask(query, json!({})).await;
    assert_eq!(answer.get("data"), None);
    assert_eq!(answer["errors"][0]["message"], "Throttled");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "THROTTLED");
    assert_eq!(
        answer["extensions"]["cost"],
        json!({
            "requestedQueryCost": 13,
            "actualQueryCost": Value::Null,
            "throttleStatus": {
                "maximumAvailable": 20, "currentlyAvailable": 11, "restoreRate": 0,
            },
        })
    );
    assert_eq!(world.shop.statistics().throttled, 1);
    world.shop.set_bucket(2000, 100);
    assert_eq!(world.ask(query, json!({})).await.get("errors"), None);
}

#[tokio::test]
async fn no_single_query_may_ask_for_more_than_a_thousand_points() {
    let world = World::start().await;
    let query = "{ orders(first: 250) { nodes { id agreements(first: 250) { nodes { id
        sales(first: 250) { nodes { id } } } } } } }";
    let answer = world.ask(query, json!({})).await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        "MAX_COST_EXCEEDED"
    );
    // 2 + 11 × (1 + 2 + 11 × (1 + 2 + 11))
    assert_eq!(answer["errors"][0]["extensions"]["cost"], 1729);
    assert_eq!(answer["errors"][0]["extensions"]["maxCost"], 1000);
}

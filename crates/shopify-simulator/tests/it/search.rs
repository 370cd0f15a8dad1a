//! The search syntax and its oddities.

use std::time::Duration;

use serde_json::{Value, json};
use shopify_simulator::{LiteralOrder, NewCustomer, ShopSettings};

use crate::client::{World, settings};
use crate::paging::order_of;

/// The names of the orders that a search gives.
async fn orders(world: &World, search: &str) -> Vec<String> {
    let query = "query($q: String) { orders(first: 50, sortKey: UPDATED_AT, query: $q) {
        nodes { name } } }";
    let answer = world.ask(query, json!({ "q": search })).await;
    let nodes = answer["data"]["orders"]["nodes"]
        .as_array()
        .unwrap()
        .clone();
    nodes
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned())
        .collect()
}

/// A shop whose orders last changed at these instants.
async fn world_of(instants: &[&str]) -> World {
    let world = World::start().await;
    for at in instants {
        let order = LiteralOrder {
            processed_at: Some(at.parse().unwrap()),
            ..Default::default()
        };
        world.shop.put_order(&order).unwrap();
    }
    world
}

#[tokio::test]
async fn a_window_of_quoted_utc_instants_is_exact_but_its_ends_are_inside() {
    let world = world_of(&[
        "2026-01-01T00:00:00Z",
        "2026-01-01T12:00:00Z",
        "2026-01-02T00:00:00Z",
    ])
    .await;
    let window = "updated_at:>='2026-01-01T00:00:01Z' AND updated_at:<'2026-01-02T00:00:00Z'";
    assert_eq!(orders(&world, window).await, ["#1002", "#1003"]);
    assert_eq!(
        orders(&world, "updated_at:>'2026-01-02T00:00:00Z'").await,
        ["#1003"]
    );
    assert_eq!(
        orders(
            &world,
            "created_at:'2026-01-01T12:00:00Z' OR processed_at:<='2026-01-01T00:00:00Z'"
        )
        .await,
        ["#1001", "#1002"]
    );
}

#[tokio::test]
async fn unquoted_instants_are_days_of_the_shop_and_other_offsets_match_nothing() {
    // In Kolkata the second of January begins at 18:30 of the first.
    let world = world_of(&["2026-01-01T18:00:00Z", "2026-01-01T19:00:00Z"]).await;
    assert_eq!(
        orders(&world, "updated_at:>=2026-01-02T23:00:00Z").await,
        ["#1002"]
    );
    assert_eq!(
        orders(&world, "updated_at:>='2026-01-01T00:00:00+05:30'").await,
        [""; 0]
    );
}

#[tokio::test]
async fn fields_that_shopify_does_not_know_are_ignored_with_a_warning() {
    let world = world_of(&["2026-01-01T18:00:00Z", "2026-01-01T19:00:00Z"]).await;
    let query = "query($q: String) { orders(first: 1, query: $q) { nodes { name } } }";
    let answer = world
        .ask(query, json!({ "q": "changed_at:>'2026-01-01'" }))
        .await;
    assert_eq!(answer["data"]["orders"]["nodes"][0]["name"], "#1001");
    assert_eq!(
        answer["extensions"]["search"],
        json!([{
            "path": ["orders"],
            "query": "changed_at:>'2026-01-01'",
            "parsed": { "field": "changed_at", "range": { "gt": "2026-01-01" } },
            "warnings": [{
                "field": "changed_at",
                "message": "Invalid search field for this query.",
                "code": "invalid_field",
            }],
        }])
    );
    assert_eq!(world.shop.statistics().search_warnings, 1);
    let answer = world.ask(query, json!({ "q": "risk_level:high" })).await;
    assert!(
        answer["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("simulator")
    );
}

#[tokio::test]
async fn ids_and_truths_filter_too() {
    let world = World::start().await;
    let test = shopify_simulator::NewOrder {
        test: true,
        ..order_of(1)
    };
    let first = world.shop.place_order(&test).unwrap();
    let second = world.shop.place_order(&order_of(1)).unwrap();
    assert_eq!(orders(&world, "test:false").await, ["#1002"]);
    assert_eq!(orders(&world, "NOT test:false").await, ["#1001"]);
    assert_eq!(
        orders(&world, &format!("id:>={}", second.id)).await,
        ["#1002"]
    );
    assert_eq!(orders(&world, &format!("id:{}", first.id)).await, ["#1001"]);
    world.shop.cancel_order(second.id).unwrap();
    assert_eq!(orders(&world, "status:cancelled").await, ["#1002"]);
}

#[tokio::test]
async fn customers_are_matched_by_whole_days() {
    let world = World::start().await;
    for at in [
        "2026-01-01T01:00:00Z",
        "2026-01-01T17:00:00Z",
        "2026-01-02T01:00:00Z",
    ] {
        let created_at = Some(at.parse().unwrap());
        world.shop.create_customer(&NewCustomer {
            created_at,
            ..NewCustomer::default()
        });
    }
    let query = "query($q: String) { customers(first: 9, query: $q) { nodes { updatedAt } } }";
    let search = "updated_at:>='2026-01-01T12:00:00Z' updated_at:<'2026-01-01T13:00:00Z'";
    let answer = world.ask(query, json!({ "q": search })).await;
    assert_eq!(
        answer["data"]["customers"]["nodes"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_late_index_shows_changes_late_and_old_rows_at_their_old_place() {
    let world = World::with(ShopSettings {
        index_lag: Duration::from_mins(1),
        ..settings()
    })
    .await;
    let first = world.shop.place_order(&order_of(1)).unwrap();
    assert_eq!(orders(&world, "test:false").await, [""; 0]);
    let query = "{ orders(first: 5) { nodes { name } } ordersCount { count } }";
    let unsearched: Value = world.ask(query, json!({})).await;
    assert_eq!(unsearched["data"]["ordersCount"]["count"], 1);
    world.shop.advance(Duration::from_mins(1));
    assert_eq!(orders(&world, "test:false").await, ["#1001"]);
    world.shop.advance(Duration::from_hours(1));
    world.shop.cancel_order(first.id).unwrap();
    // 19:00 + 1 min + 1 h: the change is at 20:01, the index still has 19:00.
    assert_eq!(
        orders(&world, "updated_at:>='2026-03-01T20:00:00Z'").await,
        [""; 0]
    );
    assert_eq!(
        orders(&world, "updated_at:<='2026-03-01T19:30:00Z'").await,
        ["#1001"]
    );
    world.shop.advance(Duration::from_mins(1));
    assert_eq!(
        orders(&world, "updated_at:>='2026-03-01T20:00:00Z'").await,
        ["#1001"]
    );
    assert_eq!(
        orders(&world, "updated_at:<='2026-03-01T19:30:00Z'").await,
        [""; 0]
    );
}

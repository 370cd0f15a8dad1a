//! Bulk operations.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{NewLine, NewOrder};

use crate::client::{BULK, BULK_ORDERS, World};

/// Runs a bulk query to its end.
pub(crate) async fn run(world: &World, query: &str) -> Value {
    let answer = world
        .ask_file(BULK, "BulkRun", json!({ "query": query }))
        .await;
    let id = &answer["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"];
    assert!(id.is_string(), "{answer}");
    loop {
        let answer = world
            .ask_file(BULK, "BulkStatus", json!({ "id": id }))
            .await;
        let operation = answer["data"]["bulkOperation"].clone();
        let status = operation["status"].as_str().unwrap();
        if !matches!(status, "CREATED" | "RUNNING" | "CANCELING") {
            return operation;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The lines of a result.
pub(crate) async fn lines(world: &World, operation: &Value) -> Vec<Value> {
    let url = operation["url"].as_str().unwrap();
    let response = world.http.get(url).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/jsonl");
    let text = response.text().await.unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn every_node_is_a_line_and_children_are_not_beside_their_parents() {
    let world = World::start().await;
    for _ in 0..3 {
        let line = || NewLine {
            title: Some("Lamp".to_owned()),
            price: Some("5".parse().unwrap()),
            ..NewLine::default()
        };
        let order = NewOrder {
            lines: vec![line(), line()],
            shipping: "1".parse().unwrap(),
            ..NewOrder::default()
        };
        world.shop.place_order(&order).unwrap();
    }
    let operation = run(&world, BULK_ORDERS).await;
    assert_eq!(operation["status"], "COMPLETED");
    // Three orders, each with two lines, one agreement and three sales.
    assert_eq!(operation["objectCount"], "21");
    assert_eq!(operation["rootObjectCount"], "3");
    let lines = lines(&world, &operation).await;
    assert_eq!(lines.len(), 21);
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["id"].as_str().unwrap().split('/').nth(3).unwrap())
        .collect();
    assert_eq!(&kinds[..4], ["Order", "Order", "Order", "LineItem"]);
    assert_eq!(lines[3]["__parentId"], lines[2]["id"]);
    for line in &lines[3..] {
        let parent = &line["__parentId"];
        assert!(lines.iter().any(|other| other["id"] == *parent), "{line}");
    }
}

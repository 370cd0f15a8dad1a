//! Bulk operations.

use std::time::Duration;

use serde_json::{Value, json};
use shopify_simulator::{BulkFault, BulkScript, Generation, NewLine, NewOrder};

use crate::client::{BULK, BULK_CUSTOMERS, BULK_ORDERS, BULK_PRODUCTS, World};
use crate::paging::order_of;

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

/// The first user error of a refused bulk query.
async fn refusal(world: &World, query: &str) -> Value {
    let answer = world
        .ask_file(BULK, "BulkRun", json!({ "query": query }))
        .await;
    let payload = &answer["data"]["bulkOperationRunQuery"];
    assert_eq!(payload["bulkOperation"], Value::Null, "{query}");
    assert_eq!(answer.get("errors"), None);
    payload["userErrors"].clone()
}

#[tokio::test]
async fn what_bulk_queries_cannot_hold_is_refused_with_shopifys_words() {
    let world = World::start().await;
    let list = "a: lineItems { edges { node { id } } } ";
    let lists: String = (0..5)
        .map(|number| list.replacen('a', &format!("a{number}"), 1))
        .collect();
    for (query, message) in [
        (
            "",
            "Invalid bulk query: syntax error, unexpected end of file",
        ),
        (
            "{ shop { id } }",
            "Bulk queries must contain at least one connection.",
        ),
        (
            "{ orders { nodes { id } } }",
            "All connection fields in a bulk query must select their contents using 'edges' > \
             'node', e.g: 'orders { edges { node {'. Selecting via 'nodes' is not supported. \
             Invalid connection fields: 'orders'.",
        ),
        (
            "{ products { edges { node { title variants { edges { node { id } } } } } } }",
            "The parent 'node' field for a nested connection must select the 'id' field without \
             an alias and must be of 'ID' return type. Connection fields without 'id': products.",
        ),
        (
            &format!("{{ orders {{ edges {{ node {{ id {lists} }} }} }} }}"),
            "Bulk queries cannot contain more than 5 connections.",
        ),
        (
            "{ orders { edges { node { id agreements { edges { node { id sales { edges { node { id
               ... on ProductSale { lineItem { product { variants { edges { node { id } } } } } }
             } } } } } } } } } }",
            "Bulk queries cannot contain connections with a nesting depth greater than 2.",
        ),
        (
            "mutation { productCreate { product { id } } }",
            "Invalid operation type. Only `query` operations are supported.",
        ),
        (
            "{ orders { edges { node { colour } } } }",
            "Invalid bulk query: Field 'colour' doesn't exist on type 'Order'",
        ),
    ] {
        let errors = refusal(&world, query).await;
        let expected = json!([{ "field": ["query"], "message": message, "code": "INVALID" }]);
        assert_eq!(errors, expected, "{query}");
    }
    let errors = refusal(&world, "{ node(id: \"gid://shopify/Product/0\") { id } }").await;
    assert_eq!(
        errors[0]["message"],
        "Bulk queries cannot contain a top level `node` field."
    );
    assert_eq!(
        errors[1]["message"],
        "Bulk queries must contain at least one connection."
    );
    assert_eq!(world.shop.statistics().bulk_refused, 9);
}

const IDS: &str = "{ orders { edges { node { id } } } }";

#[tokio::test]
async fn five_operations_may_run_and_cancelling_frees_a_place() {
    let world = World::start().await;
    world.shop.push_bulk_script(BulkScript {
        root: None,
        fault: BulkFault::Stall,
        times: 5,
    });
    let mut ids = Vec::new();
    for _ in 0..5 {
        let answer = world
            .ask_file(BULK, "BulkRun", json!({ "query": IDS }))
            .await;
        ids.push(answer["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"].clone());
    }
    let errors = refusal(&world, IDS).await;
    assert_eq!(errors[0]["code"], "OPERATION_IN_PROGRESS");
    assert_eq!(errors[0]["field"], Value::Null);
    let answer = world
        .ask_file(BULK, "BulkCancel", json!({ "id": ids[0] }))
        .await;
    let payload = &answer["data"]["bulkOperationCancel"];
    assert_eq!(payload["bulkOperation"]["status"], "CANCELING");
    let mut status = String::new();
    while status != "CANCELED" {
        let answer = world
            .ask_file(BULK, "BulkStatus", json!({ "id": ids[0] }))
            .await;
        answer["data"]["bulkOperation"]["status"]
            .as_str()
            .unwrap()
            .clone_into(&mut status);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(run(&world, IDS).await["status"], "COMPLETED");
    let unknown = json!({ "id": "gid://shopify/BulkOperation/0" });
    let answer = world.ask_file(BULK, "BulkCancel", unknown).await;
    assert_eq!(
        answer["data"]["bulkOperationCancel"]["userErrors"],
        json!([{ "field": ["id"], "message": "Bulk operation does not exist" }])
    );
}

#[tokio::test]
async fn an_empty_result_has_no_file_and_a_small_one_can_be_resumed() {
    let world = World::start().await;
    let empty = run(&world, IDS).await;
    assert_eq!(empty["status"], "COMPLETED");
    assert_eq!(
        (&empty["url"], &empty["objectCount"]),
        (&Value::Null, &json!("0"))
    );
    for _ in 0..3 {
        world.shop.place_order(&order_of(1)).unwrap();
    }
    world.shop.push_bulk_fault(
        Some("orders"),
        BulkFault::CutFile {
            after_bytes: 20,
            times: 1,
        },
    );
    let operation = run(&world, IDS).await;
    let url = operation["url"].as_str().unwrap();
    let size: usize = operation["fileSize"].as_str().unwrap().parse().unwrap();
    assert!(
        world
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .is_err()
    );
    let whole = world
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(whole.len(), size);
    let rest = world
        .http
        .get(url)
        .header("Range", "bytes=20-")
        .send()
        .await
        .unwrap();
    assert_eq!(rest.status(), 206);
    let range = rest.headers()["content-range"].to_str().unwrap().to_owned();
    assert_eq!(range, format!("bytes 20-{}/{size}", size - 1));
    assert_eq!(rest.text().await.unwrap(), whole[20..]);
    let beyond = world
        .http
        .get(url)
        .header("Range", "bytes=9999-")
        .send()
        .await
        .unwrap();
    assert_eq!(beyond.status(), 416);
    let forged = url.replace("Signature=", "Signature=0");
    assert_eq!(world.http.get(forged).send().await.unwrap().status(), 403);
    world.shop.advance(Duration::from_hours(7 * 24));
    assert_eq!(world.http.get(url).send().await.unwrap().status(), 403);
    assert_eq!(world.shop.statistics().downloads_with_token, 0);
}

#[tokio::test]
async fn operations_fail_in_all_the_known_ways() {
    let world = World::start().await;
    for _ in 0..4 {
        world.shop.place_order(&order_of(1)).unwrap();
    }
    let script = |fault| world.shop.push_bulk_fault(None, fault);
    let message = "parent node must implement Node".to_owned();
    script(BulkFault::Refuse {
        message: message.clone(),
    });
    assert_eq!(refusal(&world, IDS).await[0]["message"], message);

    let error_code = "TIMEOUT".to_owned();
    script(BulkFault::Fail {
        error_code,
        after_lines: Some(2),
    });
    let failed = run(&world, IDS).await;
    assert_eq!(
        (&failed["status"], &failed["errorCode"]),
        (&json!("FAILED"), &json!("TIMEOUT"))
    );
    assert_eq!(failed["url"], Value::Null);
    let partial = world
        .http
        .get(failed["partialDataUrl"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(partial.text().await.unwrap().lines().count(), 2);

    script(BulkFault::Cancel);
    assert_eq!(run(&world, IDS).await["status"], "CANCELED");
    script(BulkFault::WrongCount { by: 3 });
    assert_eq!(run(&world, IDS).await["objectCount"], "7");
    script(BulkFault::MissingLines { every: 2 });
    let missing = run(&world, IDS).await;
    assert_eq!(missing["objectCount"], "4");
    assert_eq!(lines(&world, &missing).await.len(), 2);
    script(BulkFault::ExpiredUrl);
    let expired = run(&world, IDS).await;
    let url = expired["url"].as_str().unwrap();
    assert_eq!(world.http.get(url).send().await.unwrap().status(), 403);
    world.shop.set_scopes(&[]);
    let denied = run(&world, IDS).await;
    assert_eq!(denied["errorCode"], "ACCESS_DENIED");
}

#[tokio::test]
async fn a_running_operation_sees_the_store_of_its_start_and_filters_work() {
    let world = World::start().await;
    for _ in 0..3 {
        world.shop.place_order(&order_of(1)).unwrap();
    }
    world
        .shop
        .set_bulk_times(Duration::ZERO, Duration::from_millis(300));
    let query = "{ orders(query: \"id:>=5900000000002\", sortKey: ID) { edges { node { id name
        lineItems { edges { node { title } } } } } } }";
    let answer = world
        .ask_file(BULK, "BulkRun", json!({ "query": query }))
        .await;
    let id = &answer["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"];
    tokio::time::sleep(Duration::from_millis(150)).await;
    world.shop.place_order(&order_of(1)).unwrap();
    loop {
        let answer = world
            .ask_file(BULK, "BulkStatus", json!({ "id": id }))
            .await;
        let operation = &answer["data"]["bulkOperation"];
        if operation["status"] == "COMPLETED" {
            assert_eq!(operation["rootObjectCount"], "2");
            assert_eq!(lines(&world, operation).await[0]["name"], "#1002");
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_programs_other_bulk_queries_run_and_grouped_children_follow_their_parents() {
    let world = World::start().await;
    world
        .shop
        .generate(&Generation::of(60, "2026-02-28".parse().unwrap()));
    let sizes = world.shop.sizes();
    for (query, roots) in [
        (BULK_CUSTOMERS, sizes.customers),
        (BULK_PRODUCTS, sizes.products),
    ] {
        let operation = run(&world, query).await;
        assert_eq!(operation["rootObjectCount"], roots.to_string());
    }
    let mutation = "mutation($query: String!) { bulkOperationRunQuery(query: $query,
        groupObjects: true) { bulkOperation { id } } }";
    let answer = world.ask(mutation, json!({ "query": BULK_PRODUCTS })).await;
    let id = &answer["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"];
    let operation = loop {
        let answer = world
            .ask_file(BULK, "BulkStatus", json!({ "id": id }))
            .await;
        let operation = answer["data"]["bulkOperation"].clone();
        if operation["status"] == "COMPLETED" {
            break operation;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let mut parent = Value::Null;
    for line in lines(&world, &operation).await {
        match line.get("__parentId") {
            None => parent = line["id"].clone(),
            Some(of) => assert_eq!(*of, parent),
        }
    }
}

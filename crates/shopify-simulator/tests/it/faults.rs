//! What goes wrong on the wire.

use std::time::Instant;

use serde_json::{Value, json};
use shopify_simulator::{Fault, FaultRate, FaultScript};

use crate::client::World;

const ASK: &str = "query Ask { shop { name } }";

#[tokio::test]
async fn scripted_faults_meet_one_request_each() {
    let world = World::start().await;
    let retry_after = "1.5".to_owned();
    world
        .shop
        .push_fault(Fault::TooManyRequests { retry_after });
    world.shop.push_fault(Fault::ServerError { status: 502 });
    world.shop.push_fault(Fault::Status { status: 423 });
    world.shop.push_fault(Fault::Unauthorized);
    let limited = world.send(ASK, json!({})).await;
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "1.5");
    let broken = world.send(ASK, json!({})).await;
    assert_eq!(broken.status(), 502);
    assert!(
        broken.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert_eq!(world.send(ASK, json!({})).await.status(), 423);
    assert_eq!(world.send(ASK, json!({})).await.status(), 401);
    assert_eq!(
        world.ask(ASK, json!({})).await["data"]["shop"]["name"],
        "kolkata"
    );
    assert_eq!(world.shop.statistics().faults, 4);
    assert_eq!(world.shop.statistics().by_operation["Ask"], 5);
}

#[tokio::test]
async fn faults_inside_of_an_answer_keep_the_status_200() {
    let world = World::start().await;
    for (fault, code) in [
        (Fault::Throttled, "THROTTLED"),
        (Fault::InternalServerError, "INTERNAL_SERVER_ERROR"),
        (Fault::ShopInactive, "SHOP_INACTIVE"),
    ] {
        world.shop.push_fault(fault);
        let response = world.send(ASK, json!({})).await;
        assert_eq!(response.status(), 200);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], code);
        assert_eq!(body.get("data"), None);
    }
    world.shop.push_fault(Fault::OtherVersion {
        version: "2026-07".to_owned(),
    });
    let response = world.send(ASK, json!({})).await;
    assert_eq!(response.headers()["x-shopify-api-version"], "2026-07");
}

#[tokio::test]
async fn connections_break_before_and_inside_of_answers() {
    let world = World::start().await;
    let send = async || {
        let request = world
            .http
            .post(world.url())
            .header("X-Shopify-Access-Token", &world.token);
        request.json(&json!({ "query": ASK })).send().await
    };
    for fault in [Fault::DropConnection, Fault::LoseAnswer] {
        world.shop.push_fault(fault);
        assert!(send().await.is_err());
    }
    world.shop.push_fault(Fault::TruncateBody);
    let response = send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    world.shop.push_fault(Fault::Slow { millis: 60 });
    let began = Instant::now();
    assert!(send().await.is_ok());
    assert!(began.elapsed().as_millis() >= 60);
}

#[tokio::test]
async fn faults_can_wait_for_an_operation_and_come_at_a_rate() {
    let world = World::start().await;
    world.shop.push_fault(FaultScript {
        operation: Some("Other".to_owned()),
        after: 1,
        times: 2,
        fault: Fault::ServerError { status: 500 },
    });
    assert_eq!(world.send(ASK, json!({})).await.status(), 200);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = world.send("query Other { shop { id } }", json!({})).await;
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [200, 500, 500, 200]);
    let rate = FaultRate {
        percent: 50,
        faults: vec![Fault::Throttled],
        seed: 3,
    };
    world.shop.set_fault_rate(Some(rate));
    for _ in 0..20 {
        world.send(ASK, json!({})).await;
    }
    let met = world.shop.statistics().throttled;
    assert!((5..=15).contains(&met), "{met}");
    world.shop.clear_faults();
    assert_eq!(world.ask(ASK, json!({})).await.get("errors"), None);
}

#[tokio::test]
async fn the_control_api_sets_what_the_rust_api_sets() {
    let world = World::start().await;
    let control = format!("{}/control/shops/kolkata", world.simulator.base_url());
    let send = async |path: &str, body: Value| {
        let response = world
            .http
            .post(format!("{control}{path}"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json::<Value>().await.unwrap()
    };
    let placed = send(
        "/orders",
        json!({ "lines": [{ "title": "Lamp", "price": "10" }] }),
    )
    .await;
    assert_eq!(placed["originalTotal"], "11.8");
    let (id, line) = (&placed["id"], &placed["lines"][0]["id"]);
    send(
        &format!("/orders/{id}/edit"),
        json!([{ "line": line, "by": 1 }]),
    )
    .await;
    let refund = json!({ "lines": [{ "line": line, "quantity": 1 }] });
    let refunded = send(&format!("/orders/{id}/refund"), refund).await;
    assert_eq!(refunded["agreements"][2]["sales"][0]["total"], "-11.8");
    send(&format!("/orders/{id}/cancel"), json!({})).await;
    send(&format!("/orders/{id}"), json!({ "tags": ["late"] })).await;
    let customer = send("/customers", json!({ "name": "Ada" })).await;
    send(
        &format!("/customers/{}", customer["id"]),
        json!({ "name": "Ada B" }),
    )
    .await;
    let product = send("/products", json!({ "title": "Lamp" })).await;
    send(&format!("/products/{}/delete", product["id"]), json!({})).await;
    let clock = send("/clock", json!({ "advanceSeconds": 60 })).await;
    assert_eq!(clock["now"], "2026-03-01T19:01:00Z");
    send("/access", json!({ "scopes": ["read_orders"] })).await;
    send(
        "/faults",
        json!({ "fault": "server_error", "status": 503, "operation": "Ask" }),
    )
    .await;
    send(
        "/bulk-faults",
        json!({ "fault": "stall", "root": "orders" }),
    )
    .await;
    let grown = send("/generate", json!({ "orders": 30, "end": "2026-02-28" })).await;
    assert_eq!(grown["sizes"]["orders"], 31);
    let set = json!({ "currency": "USD", "timeZone": "America/New_York", "bucketSize": 50 });
    assert_eq!(send("", set).await["timeZone"], "America/New_York");
    assert_eq!(world.send(ASK, json!({})).await.status(), 503);
    send(&format!("/orders/{id}/delete"), json!({})).await;
    let export = world
        .http
        .get(format!("{control}/export"))
        .send()
        .await
        .unwrap();
    let text = export.text().await.unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["type"], "shop");
    let exported = lines.iter().find(|line| line["type"] == "order").unwrap();
    assert_eq!(exported["deleted"], true);
    assert_eq!(exported["agreements"].as_array().unwrap().len(), 4);
    let count = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!(count("order"), 31);
    assert_eq!(count("customer"), world.shop.customers().len());
    assert_eq!(count("product"), world.shop.products().len());
    let statistics = world
        .http
        .get(format!("{control}/statistics"))
        .send()
        .await
        .unwrap();
    assert_eq!(statistics.json::<Value>().await.unwrap()["faults"], 1);
}

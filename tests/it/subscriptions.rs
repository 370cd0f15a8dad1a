//! Subscriptions: events reach every process, only the members of the tenant, and only while their token is valid.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use shopify_simulator::{NewLine, NewOrder, ShopSettings};

use crate::support::{Connected, Simulated, Socket};

fn order(store: &Connected) -> u64 {
    let new = NewOrder {
        lines: vec![NewLine {
            title: Some("Lamp".to_owned()),
            price: Some("20.00".parse().unwrap()),
            quantity: 1,
            ..NewLine::default()
        }],
        ..NewOrder::default()
    };
    store.shop.place_order(&new).unwrap().id
}

const CHANGED: &str =
    "subscription { storeChanged { days latestOrder { shopifyId customer { id } } } }";

#[tokio::test]
async fn an_order_in_one_process_reaches_a_subscriber_of_another() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("live")).await;
    let other = world.register(ShopSettings::new("quiet")).await;
    world.app.work().await;
    let second = world.app.beside().await;
    let mut socket = Socket::of(second.address(), &store.token).await;
    let mut quiet = Socket::of(second.address(), &other.token).await;
    socket.subscribe(CHANGED).await;
    quiet.subscribe(CHANGED).await;

    for _ in 0..2 {
        let id = order(&store);
        world.sync(&store).await;
        let message = socket.next().await;
        let changed = &message["payload"]["data"]["storeChanged"];
        assert_eq!(
            changed["latestOrder"]["shopifyId"],
            id.to_string(),
            "{message}"
        );
        assert_eq!(changed["days"].as_array().unwrap().len(), 1, "{message}");
    }
    assert!(
        quiet.is_silent().await,
        "the subscriber of another tenant receives nothing"
    );

    // Between two events a subscription holds no transaction.
    let open: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'",
    )
    .fetch_one(&mut world.app.database.connection().await)
    .await
    .unwrap();
    assert_eq!(open, 0);
}

#[tokio::test]
async fn a_waiting_subscription_holds_no_connection() {
    let world = Simulated::start_with(|config| config.connections = 2).await;
    let store = world.register(ShopSettings::new("patient")).await;
    world.app.work().await;
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let mut socket = Socket::of(world.app.address(), &store.token).await;
        socket
            .subscribe("subscription { syncProgress { status } }")
            .await;
        waiting.push(socket);
    }
    let found = world
        .app
        .field(
            "{ overview { totalCustomers } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(found, json!({ "totalCustomers": 0 }));
    world.sync(&store).await;
    for mut socket in waiting {
        let message = socket.next().await;
        assert!(
            message["payload"]["data"]["syncProgress"].is_object(),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_subscriber_is_authenticated_when_the_connection_opens_and_while_it_lasts() {
    let world = Simulated::start_with(|config| {
        config.http.session_check_interval = Duration::from_millis(50);
    })
    .await;
    let store = world.register(ShopSettings::new("proven")).await;
    world.app.work().await;
    let address = world.app.address();

    let mut forged = Socket::open(address).await;
    forged.init("forged").await;
    assert_eq!(forged.next().await, json!({ "close": 4403 }));
    let mut early = Socket::open(address).await;
    early
        .send(&json!({ "id": "1", "type": "subscribe", "payload": { "query": CHANGED } }))
        .await;
    assert_eq!(early.next().await, json!({ "close": 4401 }));

    let mut socket = Socket::of(address, &store.token).await;
    socket.subscribe(CHANGED).await;
    let logout = "mutation { logout { userErrors { message } } }";
    world.app.field(logout, json!({}), Some(&store.token)).await;
    assert_eq!(socket.next().await, json!({ "close": 4403 }));
}

#[tokio::test]
async fn a_sync_is_followed_to_its_end_by_server_sent_events() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("followed")).await;
    order(&store);
    let runs = world
        .app
        .field(
            "{ syncRuns(first: 1) { nodes { id } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    let id = &runs["nodes"][0]["id"];
    let query =
        "subscription ($id: ID) { syncProgress(id: $id) { status progress { kind done } } }";
    let response = world
        .app
        .post()
        .bearer_auth(&store.token)
        .header(ACCEPT, "text/event-stream")
        .json(&json!({ "query": query, "variables": { "id": id } }))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
    let (text, ()) = tokio::join!(async { response.text().await.unwrap() }, world.app.work());
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let status = |event: &Value| event["data"]["syncProgress"]["status"].clone();
    assert!(
        ["QUEUED", "RUNNING"].contains(&status(&events[0]).as_str().unwrap()),
        "{text}"
    );
    assert_eq!(
        events.last().unwrap()["data"]["syncProgress"],
        json!({ "status": "SUCCEEDED", "progress": [
            { "kind": "CUSTOMERS", "done": 0 }, { "kind": "PRODUCTS", "done": 0 }, { "kind": "ORDERS", "done": 1 },
        ] })
    );
    assert!(text.trim_end().ends_with("event: complete"), "{text}");

    let without = world
        .app
        .post()
        .header(ACCEPT, "text/event-stream")
        .json(&json!({ "query": query }))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(without.contains("UNAUTHENTICATED"), "{without}");
}

#[tokio::test]
async fn a_socket_is_closed_with_the_codes_of_its_protocol() {
    let world = Simulated::start_with(|config| {
        config.http.keep_alive_interval = Duration::from_millis(500);
    })
    .await;
    let store = world.register(ShopSettings::new("strict")).await;
    world.app.work().await;
    let address = world.app.address();
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": CHANGED } });

    let mut twice = Socket::of(address, &store.token).await;
    twice.send(&subscribe).await;
    twice.send(&subscribe).await;
    assert_eq!(twice.next().await, json!({ "close": 4409 }));
    // Once it is completed, its id is free.
    let mut again = Socket::of(address, &store.token).await;
    for _ in 0..3 {
        again.send(&subscribe).await;
        again.send(&json!({ "id": "1", "type": "complete" })).await;
    }
    again
        .send(&json!({ "type": "ping", "payload": { "a": 1 } }))
        .await;
    assert_eq!(
        again.next().await,
        json!({ "type": "pong", "payload": { "a": 1 } })
    );

    for nonsense in [
        json!("nonsense"),
        json!({ "type": "subscribe" }),
        json!({ "type": "start", "id": "1", "payload": {} }),
        json!({ "id": "", "type": "subscribe", "payload": { "query": CHANGED } }),
    ] {
        let mut socket = Socket::of(address, &store.token).await;
        socket.send(&nonsense).await;
        assert_eq!(socket.next().await, json!({ "close": 4400 }), "{nonsense}");
    }
    let mut reopened = Socket::of(address, &store.token).await;
    reopened.init(&store.token).await;
    assert_eq!(reopened.next().await, json!({ "close": 4429 }));

    // A client that no longer answers pings is not waited for; one that does stays.
    let mut gone = Socket::of(address, &store.token).await;
    let mut there = Socket::of(address, &store.token).await;
    tokio::join!(tokio::time::sleep(Duration::from_millis(1_700)), async {
        for _ in 0..5 {
            assert!(there.is_silent().await);
        }
    });
    assert_eq!(gone.next().await, json!({ "close": null }));
    there.send(&json!({ "type": "ping" })).await;
    assert_eq!(there.next().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn the_subscriptions_of_a_tenant_and_the_operations_of_a_socket_are_limited() {
    let world = Simulated::start_with(|config| config.limits.subscriptions = 2).await;
    let store = world.register(ShopSettings::new("many")).await;
    let other = world.register(ShopSettings::new("few")).await;
    world.app.work().await;
    let address = world.app.address();
    let subscribe =
        |id: &str| json!({ "id": id, "type": "subscribe", "payload": { "query": CHANGED } });
    let code = |message: &Value| {
        let errors = message["payload"]
            .pointer("/errors")
            .unwrap_or(&message["payload"]);
        errors[0]["extensions"].clone()
    };
    let refused = json!({ "code": "LIMIT_EXCEEDED", "limit": "subscriptions", "maximum": 2 });
    let mut socket = Socket::of(address, &store.token).await;
    for id in ["1", "2", "3"] {
        socket.send(&subscribe(id)).await;
    }
    let message = socket.next().await;
    assert_eq!(
        (message["type"].as_str(), message["id"].as_str()),
        (Some("error"), Some("3"))
    );
    assert_eq!(code(&message), refused);
    // Those of the store count, whichever way they came.
    let mut second = Socket::of(address, &store.token).await;
    second.send(&subscribe("1")).await;
    assert_eq!(code(&second.next().await), refused);
    let mut others = Socket::of(address, &other.token).await;
    others.subscribe(CHANGED).await;
    // One that ends makes room.
    socket.send(&json!({ "id": "1", "type": "complete" })).await;
    socket.send(&json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await["type"], "pong");
    let mut third = Socket::of(address, &store.token).await;
    third.subscribe(CHANGED).await;
}

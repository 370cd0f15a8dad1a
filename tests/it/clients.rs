//! Common client libraries against the program: WebSockets, server-sent events, caches, pagination, and types
//! generated from the schema. They are Node.js projects (`tests/clients`, `examples/typed-client`).

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use shopify_simulator::{NewCustomer, NewLine, NewOrder, Shop, ShopSettings};
use tokio_util::sync::CancellationToken;
use xboard::auth::tokens::{ACCESS_TOKEN_LIFETIME, AccessTokens};
use xboard::domain::clock::Clock;

use crate::support::{JWT_SECRET, Registered, Simulated, TestApp, node};

/// A token of the same session that is about to expire.
fn expiring_token(user: &Registered, left: TimeDelta) -> String {
    let secret = SecretString::from(JWT_SECRET);
    let (bearer, _) = AccessTokens::new(&secret, Clock::System)
        .verify(&user.token)
        .unwrap();
    let began = Utc::now() - ACCESS_TOKEN_LIFETIME + left;
    let token = AccessTokens::new(&secret, Clock::Fixed(began))
        .issue(bearer)
        .unwrap();
    token.token.expose_secret().to_owned()
}

#[tokio::test]
async fn the_packages_graphql_ws_and_graphql_sse_work_unchanged() {
    let directory = node::project("tests/clients", "graphql-ws").await;
    let world = Simulated::start_with(|config| {
        config.http.session_check_interval = Duration::from_millis(100);
    })
    .await;
    let user = world.app.register_shop("lively").await;
    world.app.work().await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(xboard::sync::worker::run(
        world.app.app().sync().clone(),
        stop.clone(),
    ));
    let control = world
        .app
        .simulator
        .shopify_base_url()
        .replace("/shops/{shop}", "/control/shops/lively");
    let arguments = json!({
        "url": format!("{}/graphql", world.app.address()),
        "control": control,
        "email": user.email,
        "password": user.password,
        "expiring": expiring_token(&user, TimeDelta::seconds(4)),
    });
    let lines = node::run(&directory, "node", &["sockets.mjs", &arguments.to_string()]).await;
    stop.cancel();
    worker.await.unwrap();
    world.app.work().await;
    assert_eq!(
        lines.lines().filter(|line| line.starts_with("ok ")).count(),
        10,
        "{lines}"
    );
}

/// Seven orders of two customers.
fn fill(shop: &Shop) {
    let customers = ["Ada Lovelace", "Charles Babbage"].map(|name| {
        let new = NewCustomer {
            name: name.to_owned(),
            email: Some(format!("{}@example.com", name.split(' ').next().unwrap())),
            ..NewCustomer::default()
        };
        shop.create_customer(&new).id
    });
    for number in 0..7 {
        let line = NewLine {
            title: Some("Lamp".to_owned()),
            price: Some("20.00".parse().unwrap()),
            quantity: 1,
            ..NewLine::default()
        };
        let at: shopify_simulator::Moment = format!("2026-03-0{}T10:00:00Z", number + 1)
            .parse()
            .unwrap();
        let order = NewOrder {
            customer: Some(customers[number % 2]),
            lines: vec![line],
            created_at: Some(at),
            processed_at: Some(at),
            ..NewOrder::default()
        };
        shop.place_order(&order).unwrap();
    }
}

#[tokio::test]
async fn apollo_client_urql_relay_and_graphql_request_page_and_cache() {
    let directory = node::project("tests/clients", "graphql-ws").await;
    node::run(&directory, "node_modules/.bin/relay-compiler", &[]).await;
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("cached")).await;
    fill(&store.shop);
    world.sync(&store).await;
    let url = format!("{}/graphql", world.app.address());
    let arguments = json!({ "url": url, "token": store.token });
    let lines = node::run(&directory, "node", &["caches.mjs", &arguments.to_string()]).await;
    let passed = lines.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(passed, 4, "{lines}");
    world.app.work().await;
}

#[tokio::test]
async fn a_breaking_change_of_the_schema_must_be_announced_in_the_changelog() {
    let directory = node::project("tests/clients", "graphql-ws").await;
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let released = include_str!("../../schema.graphql");
    let older = write("older.graphql", released);
    let silent = write(
        "silent.md",
        "## [Unreleased]\n\n## [0.1.0]\n### Breaking\n- `Overview.metrics` is gone\n",
    );
    let open = write(
        "open.md",
        "## [Unreleased]\n### Breaking\n- `Overview.metrics` is gone\n",
    );
    let (before, after) = released.split_once("\ntype Overview {").unwrap();
    let renamed = after.replacen("\tmetrics: SalesMetrics!", "\tfigures: SalesMetrics!", 1);
    let without = write(
        "without.graphql",
        &format!("{before}\ntype Overview {{{renamed}"),
    );
    let more = write(
        "more.graphql",
        &format!("{released}\ntype More {{ id: ID! }}\n"),
    );
    let compare = async |newer: &str, changelog: &str| {
        let arguments = ["compare.mjs", &older, newer, changelog];
        let output = node::try_run(&directory, "node", &arguments).await;
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    assert!(compare(&older, &silent).await.0);
    assert!(compare(&more, &silent).await.0);
    assert!(!compare(&without, &silent).await.0);
    let (passes, printed) = compare(&without, &open).await;
    assert!(
        passes && printed.contains("breaking, announced Overview.metrics"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_client_with_generated_types_works() {
    let directory = node::project("examples/typed-client", "graphql-request").await;
    node::run(&directory, "npm", &["run", "--silent", "build"]).await;
    let app = TestApp::start().await;
    let user = app.register_shop("typed").await;
    app.work().await;
    let url = app.get("/graphql").build().unwrap().url().to_string();
    let arguments = ["dist/main.js", &url, &user.email, &user.password];
    let lines = node::run(&directory, "node", &arguments).await;
    assert!(
        lines.ends_with(" 0 orders, 0.00 GBP\n0 orders listed\n"),
        "{lines}"
    );
}

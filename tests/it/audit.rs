//! The audit of GraphQL over HTTP by the package `graphql-http`, and the reason for our own HTTP layer.

use async_graphql_axum::GraphQL;
use axum::Router;
use axum::routing::get_service;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use xboard::graphql;

use crate::support::{TestApp, node};

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the lines are shown with --nocapture")]
async fn the_audit_of_graphql_over_http_is_passed_61_of_61() {
    let directory = node::project("tests/http-audit", "graphql-http").await;
    let app = TestApp::start().await;
    let url = app.get("/graphql").build().unwrap().url().to_string();
    let lines = node::run(&directory, "node", &["audit.mjs", &url]).await;
    assert!(lines.ends_with("\n61 of 61\n"), "{lines}");
    println!("{lines}");
}

/// If this test fails, reconsider decision 8.
#[tokio::test]
async fn the_async_graphql_layer_executes_a_mutation_by_get_and_fails_the_audit() {
    let buckets = std::sync::Arc::new(graphql::TokenBuckets::new(None));
    let limits = graphql::Limits::default();
    let documents = std::sync::Arc::new(graphql::DocumentCache::new(limits, true, 1_000_000));
    let schema = graphql::build_schema(limits, true, documents, buckets, None, None);
    let router = Router::new().route(
        "/graphql",
        get_service(GraphQL::new(schema.clone())).post_service(GraphQL::new(schema)),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    let server = tokio::spawn(async { axum::serve(listener, router).await });
    let answer: Value = reqwest::Client::new()
        .get(format!("{url}?query=mutation%7B__typename%7D"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["data"], json!({ "__typename": "Mutation" }));
    let directory = node::project("tests/http-audit", "graphql-http").await;
    let audit = node::try_run(&directory, "node", &["audit.mjs", &url]).await;
    assert!(
        !audit.status.success(),
        "the stock layer passes now: see docs/decisions/0008"
    );
    server.abort();
}

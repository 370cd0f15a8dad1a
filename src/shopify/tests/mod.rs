//! The client against a stand-in at the wire.

mod bulk;
mod download;
mod errors;
mod fetch;
mod jsonl;
mod objects;
mod orders;
mod queries;
mod throttling;
mod tokens;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{RetryPolicy, ShopClient, Shopify, ShopifyConfig, TokenProvider};
use crate::domain::clock::Clock;
use crate::domain::shop::ShopDomain;

const GRAPHQL: &str = "/shops/tea/admin/api/2026-10/graphql.json";

/// A store that gives these answers, one after the other.
struct StubStore {
    server: MockServer,
}

struct Script(Mutex<VecDeque<ResponseTemplate>>);

impl Respond for Script {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let next = self.0.lock().unwrap().pop_front();
        next.unwrap_or_else(|| ResponseTemplate::new(418))
    }
}

impl StubStore {
    async fn answering(answers: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        let server = MockServer::start().await;
        let script = Script(Mutex::new(answers.into_iter().collect()));
        Mock::given(method("POST"))
            .and(path(GRAPHQL))
            .respond_with(script)
            .mount(&server)
            .await;
        Self { server }
    }

    fn store(&self) -> ShopClient {
        store_at(&format!("{}/shops/{{shop}}", self.server.uri()))
    }

    /// The operations that were asked for, with their variables.
    async fn asked(&self) -> Vec<(String, Value)> {
        let requests = self.server.received_requests().await.unwrap();
        let body = |request: &Request| {
            let body: Value = request.body_json().unwrap();
            let operation = body["operationName"].as_str().unwrap_or_default();
            (operation.to_owned(), body["variables"].clone())
        };
        requests.iter().map(body).collect()
    }
}

fn config(base_url: &str) -> ShopifyConfig {
    ShopifyConfig {
        base_url: Some(base_url.to_owned()),
        request_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
        retry: RetryPolicy {
            max_retries: 2,
            initial_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(100),
            min_throttle_delay: Duration::from_millis(5),
            max_throttle_wait: Duration::from_secs(2),
        },
        ..ShopifyConfig::default()
    }
}

fn store_at(base_url: &str) -> ShopClient {
    store_with(config(base_url))
}

fn store_with(config: ShopifyConfig) -> ShopClient {
    shopify(config).shop(domain(), TokenProvider::fixed(token("shpat_secret")))
}

fn shopify(config: ShopifyConfig) -> Shopify {
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    Shopify::new(config, Clock::Fixed(now)).unwrap()
}

fn domain() -> ShopDomain {
    ShopDomain::parse("tea.myshopify.com").unwrap()
}

fn token(token: &str) -> SecretString {
    token.to_owned().into()
}

/// 200 with this body.
fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// 200 with this data.
fn data(data: Value) -> ResponseTemplate {
    ok(Value::from_iter([("data", data)]))
}

/// 200 with an error of this code and no data.
fn fault(code: &str) -> ResponseTemplate {
    ok(json!({ "errors": [{ "message": "no", "extensions": { "code": code } }] }))
}

fn shop() -> ResponseTemplate {
    data(json!({
        "shop": {
            "id": "gid://shopify/Shop/1", "name": "Tea", "myshopifyDomain": "tea.myshopify.com",
            "currencyCode": "INR", "ianaTimezone": "Asia/Kolkata"
        },
        "currentAppInstallation": { "accessScopes": [{ "handle": "read_orders" }] }
    }))
}

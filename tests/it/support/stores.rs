//! Stores that say who they are and no more: enough to connect them, and to be refused in every way. What is
//! read of a store is tested against the simulator.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::json;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers};

/// All that is needed.
const SCOPES: [&str; 3] = ["read_orders", "read_customers", "read_products"];

/// A store.
#[derive(Clone, Debug)]
pub(crate) struct FakeStore {
    /// The access token that it takes.
    pub(crate) token: String,
    /// Its `gid://shopify/Shop/…`.
    pub(crate) gid: String,
    /// What the token may read.
    pub(crate) scopes: Vec<String>,
    /// The status that it answers with; 200 when it is well.
    pub(crate) status: u16,
}

impl FakeStore {
    /// A store that is well and takes the token `shpat_{number}`.
    pub(crate) fn number(number: u32) -> Self {
        Self {
            token: format!("shpat_{number}"),
            gid: format!("gid://shopify/Shop/{number}"),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            status: 200,
        }
    }

    fn answer(&self, label: &str, request: &Request) -> ResponseTemplate {
        let token = request.headers.get("x-shopify-access-token");
        if token.is_none_or(|token| token != self.token.as_str()) {
            return ResponseTemplate::new(401)
                .set_body_json(json!({ "errors": "[API] Invalid API key or access token" }));
        }
        let scopes: Vec<_> = self
            .scopes
            .iter()
            .map(|handle| json!({ "handle": handle }))
            .collect();
        ResponseTemplate::new(self.status).set_body_json(json!({ "data": {
            "shop": {
                "id": self.gid,
                "name": format!("Shop {label}"),
                "myshopifyDomain": format!("{label}.myshopify.com"),
                "currencyCode": "EUR",
                "ianaTimezone": "Europe/Berlin",
            },
            "currentAppInstallation": { "accessScopes": scopes },
        }}))
    }
}

/// The stores, by the first label of their domains. Any other is unknown.
#[derive(Debug)]
pub(crate) struct FakeStores {
    server: MockServer,
    stores: Arc<Mutex<HashMap<String, FakeStore>>>,
}

struct Answers(Arc<Mutex<HashMap<String, FakeStore>>>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let label = request
            .url
            .path()
            .split('/')
            .nth(2)
            .unwrap_or_default()
            .to_owned();
        match self.0.lock().unwrap().get(&label) {
            Some(store) => store.answer(&label, request),
            None => ResponseTemplate::new(404).set_body_json(json!({ "errors": "Not Found" })),
        }
    }
}

impl FakeStores {
    /// Starts without stores.
    pub(crate) async fn start() -> Self {
        let server = MockServer::start().await;
        let stores = Arc::default();
        Mock::given(matchers::any())
            .respond_with(Answers(Arc::clone(&stores)))
            .mount(&server)
            .await;
        Self { server, stores }
    }

    /// Opens a store, or changes it.
    pub(crate) fn put(&self, label: &str, store: FakeStore) {
        self.stores.lock().unwrap().insert(label.to_owned(), store);
    }

    /// What stands for `https://{domain}`.
    pub(crate) fn base_url(&self) -> String {
        format!("{}/shops/{{shop}}", self.server.uri())
    }

    /// How many requests came.
    pub(crate) async fn requests(&self) -> usize {
        self.server
            .received_requests()
            .await
            .unwrap_or_default()
            .len()
    }
}

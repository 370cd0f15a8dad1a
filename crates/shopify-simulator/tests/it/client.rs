//! A client for tests: one shop, one token.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shopify_simulator::{Clock, Shop, ShopSettings, Simulator};

/// A server with one shop and a client that may read it.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) shop: Arc<Shop>,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

/// The instant that the clocks of tests start at.
pub(crate) const NOW: &str = "2026-03-01T19:00:00Z";

/// A shop in Kolkata with rupees and 18 % tax, whose clock stands still.
pub(crate) fn settings() -> ShopSettings {
    ShopSettings {
        currency: "INR".parse().unwrap(),
        zone: chrono_tz::Asia::Kolkata,
        tax: "18".parse().unwrap(),
        clock: Clock::Fixed(NOW.parse().unwrap()),
        ..ShopSettings::new("kolkata")
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn with(settings: ShopSettings) -> Self {
        let simulator = Simulator::start().await.unwrap();
        let shop = simulator.add_shop(settings);
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        let token = shop.credentials().2.unwrap();
        Self {
            simulator,
            shop,
            http,
            token,
        }
    }

    pub(crate) fn url(&self) -> String {
        let base = self.simulator.base_url();
        format!(
            "{base}/shops/{}/admin/api/2026-10/graphql.json",
            self.shop.label()
        )
    }

    /// Sends a query and gives the whole answer.
    pub(crate) async fn send(&self, query: &str, variables: Value) -> reqwest::Response {
        self.http
            .post(self.url())
            .header("X-Shopify-Access-Token", &self.token)
            .json(&json!({ "query": query, "variables": variables }))
            .send()
            .await
            .unwrap()
    }

    /// Sends a query and gives the body.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        self.send(query, variables).await.json().await.unwrap()
    }

    /// Sends one operation of a file of queries.
    pub(crate) async fn ask_file(&self, file: &str, operation: &str, variables: Value) -> Value {
        let body = json!({ "query": file, "variables": variables, "operationName": operation });
        let request = self
            .http
            .post(self.url())
            .header("X-Shopify-Access-Token", &self.token)
            .json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }
}

/// The queries that the program sends.
pub(crate) const ORDERS: &str = include_str!("../../../../shopify_queries/orders.graphql");
pub(crate) const CUSTOMERS: &str = include_str!("../../../../shopify_queries/customers.graphql");
pub(crate) const PRODUCTS: &str = include_str!("../../../../shopify_queries/products.graphql");
pub(crate) const SHOP: &str = include_str!("../../../../shopify_queries/shop.graphql");
pub(crate) const COUNTS: &str = include_str!("../../../../shopify_queries/counts.graphql");
pub(crate) const BULK: &str = include_str!("../../../../shopify_queries/bulk_operations.graphql");
pub(crate) const BULK_ORDERS: &str =
    include_str!("../../../../shopify_queries/bulk_orders.graphql");
pub(crate) const BULK_PRODUCTS: &str =
    include_str!("../../../../shopify_queries/bulk_products.graphql");
pub(crate) const BULK_CUSTOMERS: &str =
    include_str!("../../../../shopify_queries/bulk_customers.graphql");

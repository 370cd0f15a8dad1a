//! The program beside simulated stores: connected, synced and asked as a user would.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use shopify_simulator::{LiteralOrder, NewCustomer, NewLine, NewOrder, Shop, ShopSettings};
use xboard::app::AppConfig;
use xboard::domain::ids::TenantId;
use xboard::domain::shop::ShopDomain;
use xboard::domain::sync::ObjectKind;
use xboard::shopify::RetryPolicy;

use super::{REGISTER, TestApp, register_input};

/// The program, set up to sync quickly.
pub(crate) struct Simulated {
    /// The program.
    pub(crate) app: TestApp,
}

/// A connected store.
#[derive(Clone)]
pub(crate) struct Connected {
    /// The store, to be changed and broken by the test.
    pub(crate) shop: Arc<Shop>,
    /// An access token of its owner.
    pub(crate) token: String,
}

impl Connected {
    /// Sells one lamp at this price, to a customer or a guest.
    pub(crate) fn sell_lamp(&self, customer: Option<u64>, price: &str) {
        let new = NewOrder {
            customer,
            lines: vec![NewLine {
                title: Some("Lamp".to_owned()),
                price: Some(price.parse().unwrap()),
                quantity: 1,
                ..NewLine::default()
            }],
            ..NewOrder::default()
        };
        self.shop.place_order(&new).unwrap();
    }

    /// Makes a customer of this name.
    pub(crate) fn create_customer(&self, name: &str) -> u64 {
        let new = NewCustomer {
            name: name.to_owned(),
            ..NewCustomer::default()
        };
        self.shop.create_customer(&new).id
    }
}

impl Simulated {
    /// Starts both.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts both, after a change to how the program is built.
    pub(crate) async fn start_with(change: impl FnOnce(&mut AppConfig)) -> Self {
        let app = TestApp::start_with(|config| {
            config.shopify.retry = quick_retries();
            config.sync.bulk_poll_min = Duration::from_millis(10);
            config.sync.bulk_poll_max = Duration::from_millis(100);
            config.sync.retry_base = Duration::from_millis(20);
            change(config);
        })
        .await;
        Self { app }
    }

    /// Opens a store and registers its owner; the first sync waits for a worker.
    pub(crate) async fn register(&self, settings: ShopSettings) -> Connected {
        let shop = self.app.simulator.add_shop(settings);
        let token = self.app.register_owner(shop.label()).await.token;
        Connected { shop, token }
    }

    /// Registers the owner of a store whose app signs with this secret.
    pub(crate) async fn register_signing(&self, shop: Arc<Shop>, secret: &str) -> Connected {
        let label = shop.label();
        let mut input = register_input(
            &format!("owner@{label}.example"),
            "a passphrase, long enough",
            label,
            &format!("shpat_{label}"),
        );
        input["shop"]["credentials"]["accessToken"]["apiSecret"] = json!(secret);
        let input = json!({ "input": input });
        let payload = self.app.field(REGISTER, input, None).await;
        let token = payload["session"]["token"].as_str().unwrap().to_owned();
        Connected { shop, token }
    }

    /// Syncs what changed; the sync must succeed.
    pub(crate) async fn sync(&self, store: &Connected) {
        assert_eq!(
            self.app.sync_and_wait(&store.token, "INCREMENTAL").await,
            "SUCCEEDED"
        );
    }

    /// A store with these orders, registered and synced.
    pub(crate) async fn store_with(&self, settings: ShopSettings, orders: Value) -> Connected {
        let store = self.register(settings).await;
        put_orders(&store.shop, &orders);
        self.sync(&store).await;
        store
    }

    /// The figures of a range of days, in one line: see [`figures`].
    pub(crate) async fn figures(&self, store: &Connected, from: &str, to: &str) -> String {
        let overview = self
            .app
            .field(
                "query ($from: Date!, $to: Date!) { overview(range: { between: { from: $from, to: $to } }) { metrics {
                    orders unitsSold grossSales { amount } discounts { amount } returns { amount } netSales { amount }
                    shipping { amount } taxes { amount } duties { amount } fees { amount } totalSales { amount }
                    averageOrderValue { amount } customers newCustomers returningCustomers } } }",
                json!({ "from": from, "to": to }),
                Some(&store.token),
            )
            .await;
        figures(&overview["metrics"])
    }

    /// The tenant of a store.
    pub(crate) async fn tenant(&self, store: &Connected) -> TenantId {
        let domain = ShopDomain::parse(&format!("{}.myshopify.com", store.shop.label())).unwrap();
        let mut system = self.app.database.db().system().await.unwrap();
        system.find_tenant(&domain).await.unwrap().unwrap()
    }

    /// Takes an order away, as when the store does not know it any more.
    pub(crate) async fn delete_order(&self, store: &Connected, id: u64) {
        let tenant = self.tenant(store).await;
        let ids = [i64::try_from(id).unwrap()];
        let mut transaction = self.app.database.db().tenant(tenant).await.unwrap();
        let deleted = transaction.delete_objects(ObjectKind::Orders, &ids, Utc::now());
        assert_eq!(deleted.await.unwrap(), 1);
        transaction.commit().await.unwrap();
    }

    /// Every kept figure of a store equals its recomputation.
    pub(crate) async fn assert_verified(&self, store: &Connected) {
        let tenant = self.tenant(store).await;
        let mut snapshot = self
            .app
            .database
            .db()
            .tenant_snapshot(tenant)
            .await
            .unwrap();
        assert_eq!(snapshot.verify().await.unwrap(), Vec::new());
    }
}

/// Retries as in production, with waits that fit a test.
pub(crate) fn quick_retries() -> RetryPolicy {
    RetryPolicy {
        max_retries: 4,
        initial_delay: Duration::from_millis(5),
        max_delay: Duration::from_millis(50),
        min_throttle_delay: Duration::from_millis(5),
        ..RetryPolicy::default()
    }
}

/// Puts orders, given in the simulator's literal form, into a store.
pub(crate) fn put_orders(shop: &Shop, orders: &Value) {
    for order in orders.as_array().unwrap() {
        let order: LiteralOrder = serde_json::from_value(order.clone()).unwrap();
        if let Some(id) = order.customer
            && !shop.customers().iter().any(|customer| customer.id == id)
        {
            shop.create_customer(&NewCustomer {
                id: Some(id),
                ..NewCustomer::default()
            });
        }
        shop.put_order(&order).unwrap();
    }
}

/// Metrics in one line, so that a test shows every figure at once.
pub(crate) fn figures(metrics: &Value) -> String {
    let amount = |name: &str| metrics[name]["amount"].as_str().unwrap().to_owned();
    format!(
        "orders {} units {} | gross {} discounts {} returns {} net {} | shipping {} taxes {} duties {} fees {} | total {} | \
         average {} | customers {} new {} returning {}",
        metrics["orders"],
        metrics["unitsSold"],
        amount("grossSales"),
        amount("discounts"),
        amount("returns"),
        amount("netSales"),
        amount("shipping"),
        amount("taxes"),
        amount("duties"),
        amount("fees"),
        amount("totalSales"),
        amount("averageOrderValue"),
        metrics["customers"],
        metrics["newCustomers"],
        metrics["returningCustomers"],
    )
}

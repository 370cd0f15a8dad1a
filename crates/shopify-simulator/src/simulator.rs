//! The server in process: started by a test or the program, stopped by dropping it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::http;
use crate::shop::{Shop, ShopSettings};

/// All shops of a server.
#[derive(Debug)]
pub(crate) struct Shops {
    by_label: RwLock<HashMap<String, Arc<Shop>>>,
    base_url: String,
}

impl Shops {
    pub(crate) fn get(&self, label: &str) -> Option<Arc<Shop>> {
        self.by_label
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(label)
            .cloned()
    }

    pub(crate) fn add(&self, settings: ShopSettings) -> Arc<Shop> {
        self.insert(Shop::new(settings, &self.base_url))
    }

    fn insert(&self, shop: Shop) -> Arc<Shop> {
        let shop = Arc::new(shop);
        let mut shops = self
            .by_label
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        shops.insert(shop.label().to_owned(), Arc::clone(&shop));
        shop
    }

    pub(crate) fn labels(&self) -> Vec<String> {
        let shops = self.by_label.read().unwrap_or_else(PoisonError::into_inner);
        let mut labels: Vec<String> = shops.keys().cloned().collect();
        labels.sort();
        labels
    }
}

/// A running server with its shops. Dropping it stops the server.
#[derive(Debug)]
pub struct Simulator {
    shops: Arc<Shops>,
    tracker: TaskTracker,
    _stop: DropGuard,
}

impl Simulator {
    /// Starts a server on a free port of 127.0.0.1.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), None).await
    }

    /// Starts a server at an address. Clients use `public_url` if it differs.
    pub async fn start_at(address: SocketAddr, public_url: Option<&str>) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        let base_url = public_url.map_or_else(|| format!("http://{bound}"), str::to_owned);
        let base_url = base_url.trim_end_matches('/').to_owned();
        let shops = Arc::new(Shops {
            by_label: RwLock::default(),
            base_url,
        });
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        tracker.spawn(http::serve(listener, Arc::clone(&shops), stop.clone()));
        tracker.close();
        Ok(Self {
            shops,
            tracker,
            _stop: stop.drop_guard(),
        })
    }

    /// Where the server is: `http://127.0.0.1:port`.
    pub fn base_url(&self) -> &str {
        &self.shops.base_url
    }

    /// Where XBoard looks for shops: the base URL with a place for the shop's label.
    pub fn shopify_base_url(&self) -> String {
        format!("{}/shops/{{shop}}", self.base_url())
    }

    /// Adds a shop, in place of the one with its label if there is one.
    pub fn add_shop(&self, settings: ShopSettings) -> Arc<Shop> {
        self.shops.add(settings)
    }

    /// Adds a shop once it is filled: until then no client can reach it.
    pub fn add_filled_shop<R, E>(
        &self,
        settings: ShopSettings,
        fill: impl FnOnce(&Shop) -> Result<R, E>,
    ) -> Result<(Arc<Shop>, R), E> {
        let shop = Shop::new(settings, &self.shops.base_url);
        let filled = fill(&shop)?;
        Ok((self.shops.insert(shop), filled))
    }

    /// The shop of a label.
    pub fn shop(&self, label: &str) -> Option<Arc<Shop>> {
        self.shops.get(label)
    }

    /// Waits until the server ends, which it does only by an error of the network.
    pub async fn wait(&self) {
        self.tracker.wait().await;
    }
}

//! The one HTTP client of the program, and what it remembers of each store.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

use super::config::ShopifyConfig;
use super::error::ShopifyError;
use super::sizes::PageSizes;
use super::store::Store;
use super::throttle::Throttle;
use super::tokens::TokenProvider;
use crate::domain::clock::Clock;
use crate::domain::shop::ShopDomain;

/// The way to Shopify: one for the whole program.
#[derive(Clone, Debug)]
pub struct Shopify(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    config: ShopifyConfig,
    clock: Clock,
    shops: Mutex<HashMap<ShopDomain, Arc<ShopState>>>,
}

/// What is known of a store from its answers. Forgetting it costs a few points of its budget, no more.
#[derive(Debug, Default)]
pub(super) struct ShopState {
    pub(super) throttle: Throttle,
    pub(super) sizes: Mutex<PageSizes>,
    pub(super) served_version: Mutex<Option<String>>,
    pub(super) version_warned: AtomicBool,
}

/// Past so many stores, those that nobody is asking are forgotten.
const REMEMBERED_SHOPS: usize = 4096;
/// No answer of the API is longer.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

impl Shopify {
    /// Sets up the client. Redirects are not followed: a followed one would turn POST into GET, and lead to
    /// another host.
    pub fn new(config: ShopifyConfig, clock: Clock) -> Result<Self, ShopifyError> {
        let setup = |why: &dyn std::fmt::Display| ShopifyError::Setup(why.to_string());
        if let Some(base) = &config.base_url {
            reqwest::Url::parse(&base.replace("{shop}", "shop")).map_err(|error| setup(&error))?;
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("XBoard/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .https_only(config.base_url.is_none())
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .build()
            .map_err(|error| setup(&error))?;
        Ok(Self(Arc::new(Inner {
            http,
            config,
            clock,
            shops: Mutex::default(),
        })))
    }

    /// A store, asked with these tokens. Cheap; the query budget is shared by all who ask the same store.
    #[must_use]
    pub fn store(&self, domain: ShopDomain, tokens: TokenProvider) -> Store {
        let state = self.state(&domain);
        Store {
            shopify: self.clone(),
            domain,
            tokens,
            state,
        }
    }

    fn state(&self, domain: &ShopDomain) -> Arc<ShopState> {
        let mut shops = self.0.shops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = shops.get(domain) {
            return Arc::clone(state);
        }
        if shops.len() >= REMEMBERED_SHOPS {
            shops.retain(|_, state| Arc::strong_count(state) > 1);
        }
        let state = Arc::new(ShopState::default());
        shops.insert(domain.clone(), Arc::clone(&state));
        state
    }

    /// Where the store's API is.
    pub(super) fn origin(&self, domain: &ShopDomain) -> String {
        self.0.config.base_url.as_ref().map_or_else(
            || format!("https://{domain}"),
            |base| {
                base.replace("{shop}", domain.label())
                    .trim_end_matches('/')
                    .to_owned()
            },
        )
    }

    pub(super) fn config(&self) -> &ShopifyConfig {
        &self.0.config
    }

    pub(super) fn clock(&self) -> Clock {
        self.0.clock
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }
}

/// The whole body, if it is not absurdly long.
pub(super) async fn read_bounded(mut response: reqwest::Response) -> Result<Bytes, ShopifyError> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LONGEST_ANSWER => {
                return Err(ShopifyError::Unreadable("it is too long".to_owned()));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body.freeze()),
            Err(error) => return Err(ShopifyError::of_transport(&error)),
        }
    }
}

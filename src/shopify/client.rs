//! The HTTP client for Shopify, and the state of each shop's API.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

use super::config::ShopifyConfig;
use super::error::ShopifyError;
use super::page_sizes::AdaptivePageSizes;
use super::shop_client::ShopClient;
use super::throttle::Throttle;
use super::tokens::TokenProvider;
use crate::domain::clock::Clock;
use crate::domain::shop::ShopDomain;

/// The client for Shopify. The program has one.
#[derive(Clone, Debug)]
pub struct Shopify(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    config: ShopifyConfig,
    clock: Clock,
    shops: Mutex<HashMap<ShopDomain, Arc<ShopState>>>,
}

/// The state of one shop's API, taken from its responses. Losing it costs a few points of the query
/// budget.
#[derive(Debug, Default)]
pub(super) struct ShopState {
    pub(super) throttle: Throttle,
    pub(super) page_sizes: AdaptivePageSizes,
    pub(super) served_version: Mutex<Option<String>>,
    pub(super) version_warned: AtomicBool,
}

/// Beyond this number of shops, the state of shops without a client is dropped.
const MAX_SHOPS: usize = 4096;
/// The maximum size of an API response.
const MAX_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

impl Shopify {
    /// Creates the client. It does not follow redirects: a redirect would turn POST into GET, and
    /// send the token to another host.
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

    /// A client for one shop with these access tokens. All clients of a shop share its query
    /// budget.
    #[must_use]
    pub fn shop(&self, domain: ShopDomain, tokens: TokenProvider) -> ShopClient {
        let state = self.state(&domain);
        ShopClient {
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
        if shops.len() >= MAX_SHOPS {
            shops.retain(|_, state| Arc::strong_count(state) > 1);
        }
        let state = Arc::new(ShopState::default());
        shops.insert(domain.clone(), Arc::clone(&state));
        state
    }

    /// The origin of the shop's API.
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

/// Reads a response body up to the maximum size.
pub(super) async fn read_bounded(mut response: reqwest::Response) -> Result<Bytes, ShopifyError> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_RESPONSE_BYTES => {
                return Err(ShopifyError::Unreadable(
                    "the response is too large".to_owned(),
                ));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body.freeze()),
            Err(error) => return Err(ShopifyError::from_transport(&error)),
        }
    }
}

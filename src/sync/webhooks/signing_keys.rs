//! The secrets that sign the webhooks of each shop, cached, so that verifying a delivery costs no query. What
//! strangers send costs a bounded number of queries.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;
use secrecy::SecretString;

use crate::db::DbError;
use crate::domain::credentials::Credentials;
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;
use crate::sync::SyncService;
use crate::sync::tokens::decrypt_credentials;

/// Cached keys are read again after this time, because another process may have replaced them.
const FRESH_FOR: Duration = Duration::from_mins(1);
/// After a signature that does not hold, the keys of a shop are read again, but not more often than this. A domain
/// without a shop is looked up as often.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);
/// How many shops' keys are cached.
const MAX_SHOPS: u64 = 10_000;
/// How many domains without a shop are cached. They have their own cache, because unverified deliveries must not
/// evict keys of shops.
const MAX_UNKNOWN_DOMAINS: u64 = 10_000;
/// Shopify signs with a replaced secret for one hour, and retries those deliveries for four more hours.
const PREVIOUS_SECRET_ACCEPTED_FOR: TimeDelta = TimeDelta::hours(6);

/// The keys of one shop.
#[derive(Debug)]
pub(in crate::sync) struct ShopKeys {
    pub(super) tenant: TenantId,
    /// The number in the shop's Shopify id.
    pub(super) number: Option<i64>,
    pub(in crate::sync) secrets: Vec<SecretString>,
    read_at: Instant,
}

impl ShopKeys {
    pub(super) fn is_fresh(&self) -> bool {
        self.read_at.elapsed() < FRESH_FOR
    }

    /// Whether reading the keys again may give other ones.
    pub(super) fn may_be_replaced(&self) -> bool {
        self.read_at.elapsed() >= RELOAD_INTERVAL
    }
}

/// The cache of signing keys.
#[derive(Debug)]
pub(in crate::sync) struct SigningKeys {
    shops: Cache<ShopDomain, Arc<ShopKeys>>,
    unknown: Cache<ShopDomain, ()>,
    unverified_lookups: DefaultDirectRateLimiter,
}

impl SigningKeys {
    /// `max_unverified_lookups`: how many queries a second unverified deliveries may cause.
    pub(in crate::sync) fn new(max_unverified_lookups: NonZeroU32) -> Self {
        Self {
            shops: Cache::new(MAX_SHOPS),
            unknown: Cache::builder()
                .max_capacity(MAX_UNKNOWN_DOMAINS)
                .time_to_live(RELOAD_INTERVAL)
                .build(),
            unverified_lookups: RateLimiter::direct(Quota::per_second(max_unverified_lookups)),
        }
    }

    /// The cached keys of a shop, even if they are older than [`FRESH_FOR`].
    pub(super) fn cached(&self, domain: &ShopDomain) -> Option<Arc<ShopKeys>> {
        self.shops.get(domain)
    }

    /// Whether the domain was found to have no shop a moment ago.
    pub(super) fn is_unknown(&self, domain: &ShopDomain) -> bool {
        self.unknown.contains_key(domain)
    }

    /// Whether an unverified delivery may cause a query now.
    pub(super) fn may_look_up_unverified(&self) -> bool {
        self.unverified_lookups.check().is_ok()
    }

    pub(in crate::sync) fn invalidate(&self, domain: &ShopDomain) {
        self.shops.invalidate(domain);
    }
}

impl SyncService {
    /// Reads the keys of a shop from the database and caches the result. `None`: there is no such shop.
    pub(in crate::sync) async fn read_signing_keys(
        &self,
        domain: &ShopDomain,
    ) -> Result<Option<Arc<ShopKeys>>, DbError> {
        let mut system = self.database.system().await?;
        let Some(tenant) = system.find_tenant(domain).await? else {
            self.signing_keys.invalidate(domain);
            self.signing_keys.unknown.insert(domain.clone(), ());
            return Ok(None);
        };
        let mut transaction = system.into_tenant(tenant).await?;
        let shop = transaction.shop().await?;
        let number = shop.and_then(|shop| shop.gid.rsplit('/').next()?.parse().ok());
        let since = self.clock.now() - PREVIOUS_SECRET_ACCEPTED_FOR;
        let sealed = transaction.signing_credentials(since).await?;
        let mut secrets = Vec::new();
        for sealed in sealed {
            secrets.extend(
                match decrypt_credentials(&self.encryption, tenant, &sealed)? {
                    Credentials::AccessToken { api_secret, .. } => api_secret,
                    Credentials::ClientCredentials { client_secret, .. } => Some(client_secret),
                    Credentials::Installed(_) => {
                        let app = self.shopify.app();
                        app.map(|app| app.client_secret.clone())
                    }
                },
            );
        }
        let keys = Arc::new(ShopKeys {
            tenant,
            number,
            secrets,
            read_at: Instant::now(),
        });
        self.signing_keys
            .shops
            .insert(domain.clone(), Arc::clone(&keys));
        Ok(Some(keys))
    }
}

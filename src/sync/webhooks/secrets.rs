//! The secrets that sign each store's webhooks, opened once and remembered for a while, so that a delivery is
//! verified without asking the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use secrecy::SecretString;

use crate::db::DbError;
use crate::domain::credentials::Credentials;
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;
use crate::sync::SyncService;
use crate::sync::tokens::open_credentials;

/// How long a store's secrets are remembered.
const REMEMBERED: Duration = Duration::from_mins(1);
/// A signature that does not hold makes the program look again, but not more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// At most so many stores' secrets are remembered.
const LARGEST: usize = 4_096;
/// Deliveries signed with a replaced secret come for an hour, and their retries for four more.
const OLD_SECRET: TimeDelta = TimeDelta::hours(6);

/// Who signs a store's webhooks.
#[derive(Debug)]
pub(in crate::sync) struct Signer {
    pub(super) tenant: TenantId,
    /// The store's number at Shopify.
    pub(super) number: Option<i64>,
    pub(in crate::sync) secrets: Vec<SecretString>,
    read_at: Instant,
}

impl Signer {
    /// Whether it is old enough for another look to be worth it.
    pub(super) fn may_be_outdated(&self) -> bool {
        self.read_at.elapsed() >= LOOK_AGAIN
    }
}

/// What is known of a domain: who signs for it, or that nobody does.
#[derive(Clone, Debug)]
struct Known {
    signer: Option<Arc<Signer>>,
    read_at: Instant,
}

/// The signers that are remembered.
#[derive(Debug, Default)]
pub(in crate::sync) struct Signers {
    by_domain: Mutex<HashMap<ShopDomain, Known>>,
}

impl Signers {
    fn lock(&self) -> MutexGuard<'_, HashMap<ShopDomain, Known>> {
        self.by_domain
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, domain: &ShopDomain) -> Option<Known> {
        let known = self.lock().get(domain)?.clone();
        // That there is no such store is remembered too, so that asking for it costs the database no more
        // than a wrong signature does.
        let remembered = match known.signer {
            Some(_) => REMEMBERED,
            None => LOOK_AGAIN,
        };
        (known.read_at.elapsed() < remembered).then_some(known)
    }

    pub(in crate::sync) fn forget(&self, domain: &ShopDomain) {
        self.lock().remove(domain);
    }

    fn put(&self, domain: &ShopDomain, signer: Option<Arc<Signer>>) {
        let mut known = self.lock();
        if known.len() >= LARGEST {
            known.clear();
        }
        let read_at = Instant::now();
        known.insert(domain.clone(), Known { signer, read_at });
    }
}

impl SyncService {
    /// Who signs for this store, remembered or read. `None`: the store is not known.
    pub(in crate::sync) async fn signer(
        &self,
        domain: &ShopDomain,
        afresh: bool,
    ) -> Result<Option<Arc<Signer>>, DbError> {
        if !afresh && let Some(known) = self.signers.get(domain) {
            return Ok(known.signer);
        }
        let mut system = self.database.system().await?;
        let Some(tenant) = system.find_tenant(domain).await? else {
            self.signers.put(domain, None);
            return Ok(None);
        };
        let mut transaction = system.into_tenant(tenant).await?;
        let shop = transaction.shop().await?;
        let number = shop.and_then(|shop| shop.gid.rsplit('/').next()?.parse().ok());
        let since = self.clock.now() - OLD_SECRET;
        let sealed = transaction.signing_credentials(since).await?;
        let mut secrets = Vec::new();
        for sealed in sealed {
            secrets.extend(match open_credentials(&self.sealer, tenant, &sealed)? {
                Credentials::AccessToken { api_secret, .. } => api_secret,
                Credentials::ClientCredentials { client_secret, .. } => Some(client_secret),
                Credentials::Installed(_) => {
                    let app = self.shopify.app();
                    app.map(|app| app.client_secret.clone())
                }
            });
        }
        let signer = Arc::new(Signer {
            tenant,
            number,
            secrets,
            read_at: Instant::now(),
        });
        self.signers.put(domain, Some(Arc::clone(&signer)));
        Ok(Some(signer))
    }
}

//! Sealing everything anew with the first key, while the program runs: a store at a time, under the lock of
//! its credentials, so that a token that is renewed meanwhile is neither lost nor sealed twice. What was sealed
//! with the first key already is left as it is, so an interrupted rotation goes on where it stopped.

use secrecy::ExposeSecret as _;
use tracing::{info, warn};

use super::SyncService;
use crate::db::DbError;
use crate::db::shops::SealedValues;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;

/// How many stores are looked up at a time.
const BATCH: i64 = 100;

/// What a rotation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Stores of which something was sealed anew.
    pub stores: usize,
    /// Values that were sealed anew.
    pub resealed: usize,
    /// Values that had the first key already.
    pub current: usize,
    /// Stores of which something cannot be opened: its key is gone, or the value was changed.
    pub unreadable: Vec<ShopDomain>,
}

impl SyncService {
    /// Seals everything anew that was not sealed with the first key.
    pub async fn rotate_keys(&self) -> Result<Rotation, DbError> {
        let mut rotation = Rotation::default();
        let mut after = None;
        loop {
            let mut system = self.database.system().await?;
            let stores = system.tenants_after(after, BATCH).await?;
            drop(system);
            let Some((last, _)) = stores.last() else {
                break;
            };
            after = Some(*last);
            for (tenant, domain) in stores {
                self.reseal(tenant, domain, &mut rotation).await?;
            }
        }
        info!(
            rotation.stores,
            rotation.resealed, "what is kept encrypted has the first key"
        );
        Ok(rotation)
    }

    async fn reseal(
        &self,
        tenant: TenantId,
        domain: ShopDomain,
        rotation: &mut Rotation,
    ) -> Result<(), DbError> {
        let mut transaction = self.database.tenant(tenant).await?;
        let Some(held) = transaction.lock_sealed_values().await? else {
            return Ok(());
        };
        let (mut resealed, mut current, mut unreadable) = (0, 0, false);
        let mut renew = |sealed: Vec<u8>| {
            if !self.sealer.is_outdated(&sealed) {
                current += 1;
                return sealed;
            }
            let opened = self.sealer.open(tenant, &sealed);
            match opened.and_then(|plain| self.sealer.seal(tenant, plain.expose_secret())) {
                Ok(renewed) => {
                    resealed += 1;
                    renewed
                }
                Err(error) => {
                    warn!(tenant.id = %tenant, error = %error, "a sealed value cannot be sealed anew");
                    unreadable = true;
                    sealed
                }
            }
        };
        let renewed = SealedValues {
            sealed: renew(held.sealed),
            sealed_access_token: held.sealed_access_token.map(&mut renew),
            sealed_previous: held.sealed_previous.map(&mut renew),
        };
        rotation.current += current;
        if unreadable {
            rotation.unreadable.push(domain);
        }
        if resealed == 0 {
            return Ok(());
        }
        transaction.save_sealed_values(&renewed).await?;
        let entry = Entry::done(Action::KeysRotated, Actor::Operator).to(resealed.to_string());
        transaction.note(&entry, self.clock.now()).await?;
        transaction.commit().await?;
        rotation.stores += 1;
        rotation.resealed += resealed;
        Ok(())
    }
}

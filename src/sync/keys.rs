//! Key rotation: encrypts all secrets again with the first key, while the program runs. Each shop is handled under the
//! lock of its credentials, so that a token refresh at the same time is not lost. Values under the first key are
//! skipped, so an interrupted rotation continues where it stopped.

use secrecy::ExposeSecret as _;
use tracing::{info, warn};

use super::SyncService;
use crate::db::DbError;
use crate::db::shops::SealedValues;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;

/// How many shops are read at a time.
const BATCH: i64 = 100;

/// The result of a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Shops with values that were encrypted again.
    pub stores: usize,
    /// Values that were encrypted again.
    pub reencrypted: usize,
    /// Values that used the first key already.
    pub current: usize,
    /// Shops with a value that cannot be decrypted: its key is missing, or the value was modified.
    pub unreadable: Vec<ShopDomain>,
}

impl SyncService {
    /// Encrypts every value again that does not use the first key.
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
                self.reencrypt(tenant, domain, &mut rotation).await?;
            }
        }
        info!(
            rotation.stores,
            rotation.reencrypted, "all secrets use the first key"
        );
        Ok(rotation)
    }

    async fn reencrypt(
        &self,
        tenant: TenantId,
        domain: ShopDomain,
        rotation: &mut Rotation,
    ) -> Result<(), DbError> {
        let mut transaction = self.database.tenant(tenant).await?;
        let Some(held) = transaction.lock_sealed_values().await? else {
            return Ok(());
        };
        let (mut reencrypted, mut current, mut unreadable) = (0, 0, false);
        let mut renew = |sealed: Vec<u8>| {
            if !self.encryption.is_outdated(&sealed) {
                current += 1;
                return sealed;
            }
            let opened = self.encryption.decrypt(tenant, &sealed);
            match opened.and_then(|plain| self.encryption.encrypt(tenant, plain.expose_secret())) {
                Ok(renewed) => {
                    reencrypted += 1;
                    renewed
                }
                Err(error) => {
                    warn!(tenant.id = %tenant, error = %error, "a secret cannot be encrypted again");
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
        if reencrypted == 0 {
            return Ok(());
        }
        transaction.save_sealed_values(&renewed).await?;
        let entry = Entry::done(Action::KeysRotated, Actor::Operator).to(reencrypted.to_string());
        transaction.note(&entry, self.clock.now()).await?;
        transaction.commit().await?;
        rotation.stores += 1;
        rotation.reencrypted += reencrypted;
        Ok(())
    }
}

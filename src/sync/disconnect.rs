//! Disconnecting a store, and connecting it again. The store's data stays; what could be used to reach it goes.
//! What has to be said to Shopify is said by a job, so that it is said whatever happens meanwhile, and the
//! token is forgotten after that.

use tracing::{info, warn};

use super::SyncService;
use super::run::SyncError;
use super::tokens::{open_credentials, sealed_credentials};
use crate::db::jobs::{Job, JobKind};
use crate::db::shops::ShopStatus;
use crate::db::{DbError, SystemTx, TenantTx};
use crate::domain::credentials::{Credentials, TokenPair};
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopRecord;
use crate::domain::sync::{SyncMode, SyncTrigger};

/// What members read where the store was.
const DISCONNECTED: &str = "an owner disconnected the store; connect it again to go on";

impl SyncService {
    /// Takes a store out of everything that runs by itself, ends its syncs, and queues what is left to do.
    /// Nothing lasts before the commit.
    pub async fn disconnect_shop(
        &self,
        mut system: SystemTx,
        tenant: TenantId,
    ) -> Result<TenantTx, DbError> {
        let now = self.clock.now();
        system.disconnect_tenant(tenant, None).await?;
        let mut transaction = system.into_tenant(tenant).await?;
        transaction.cancel_sync_runs(now).await?;
        transaction
            .set_shop_status(ShopStatus::Disconnected, DISCONNECTED)
            .await?;
        transaction.queue_job(JobKind::Disconnect, now).await?;
        Ok(transaction)
    }

    /// Gives a known store proven credentials in place of those before, puts it back into the schedules, and
    /// starts a sync. Nothing lasts before the commit.
    pub async fn reconnect_shop(
        &self,
        mut system: SystemTx,
        tenant: TenantId,
        record: &ShopRecord,
        credentials: &Credentials,
    ) -> Result<(TenantTx, crate::db::sync_runs::SyncRun), DbError> {
        system.reconnect_tenant(tenant).await?;
        let mut transaction = system.into_tenant(tenant).await?;
        self.replace_credentials(&mut transaction, record, credentials)
            .await?;
        let run = self
            .request_sync(&mut transaction, SyncMode::Incremental, SyncTrigger::Manual)
            .await?;
        Ok((transaction, run))
    }

    /// What disconnecting has left to do: the webhooks are given up, then the token is forgotten. A store that
    /// no longer lets us in, or does not answer after many attempts, keeps its token here no longer for that.
    pub(super) async fn finish_disconnecting(&self, job: &Job) -> Result<(), SyncError> {
        let tenant = job.tenant;
        let shop = self.database.tenant(tenant).await?.shop().await?;
        let Some(shop) = shop else {
            return Ok(());
        };
        if shop.status != ShopStatus::Disconnected {
            // It was connected again before this came to it: now its webhooks are wanted.
            return self.look_after_webhooks(tenant).await;
        }
        match self.give_up_webhooks(tenant).await {
            Ok(()) => {}
            Err(error) if error.is_transient() && job.attempts < self.config.max_attempts => {
                return Err(error);
            }
            Err(error) => {
                warn!(tenant.id = %tenant, error = %error, "the webhooks of a disconnected store could not be given up");
            }
        }
        let mut transaction = self.database.tenant(tenant).await?;
        let forgotten = self.forget_access(&mut transaction).await?;
        transaction.commit().await?;
        self.signers.forget(&shop.domain);
        info!(tenant.id = %tenant, token.forgotten = forgotten, "a store was disconnected");
        Ok(())
    }

    /// Forgets the token of a disconnected store. The app's secret stays, sealed: Shopify signs with it what it
    /// still has to say, last of all that everything is to be deleted.
    pub(super) async fn forget_access(&self, transaction: &mut TenantTx) -> Result<bool, DbError> {
        let tenant = transaction.tenant();
        let Some(held) = transaction.lock_credentials().await? else {
            return Ok(false);
        };
        // Whoever connects the store again writes new credentials first, and waits for this lock to do so.
        let shop = transaction.shop().await?;
        if shop.is_none_or(|shop| shop.status != ShopStatus::Disconnected) {
            return Ok(false);
        }
        let credentials = match open_credentials(&self.sealer, tenant, &held.sealed)? {
            Credentials::AccessToken { api_secret, .. } => Credentials::AccessToken {
                token: String::new().into(),
                api_secret,
            },
            Credentials::Installed(pair) => Credentials::Installed(TokenPair {
                access_token: String::new().into(),
                refresh_token: String::new().into(),
                ..pair
            }),
            other @ Credentials::ClientCredentials { .. } => other,
        };
        let sealed = sealed_credentials(&self.sealer, tenant, &credentials)?;
        transaction.drop_access(&sealed, self.clock.now()).await?;
        Ok(true)
    }
}

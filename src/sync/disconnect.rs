//! Disconnecting a shop, and connecting it again. The data stays; a job deletes the webhook subscriptions at Shopify and
//! then the token.

use tracing::{info, warn};

use super::SyncService;
use super::run::SyncError;
use super::tokens::{decrypt_credentials, encrypt_credentials};
use crate::db::jobs::{Job, JobKind};
use crate::db::shops::ShopStatus;
use crate::db::{DbError, SystemTx, TenantTx};
use crate::domain::credentials::{Credentials, TokenPair};
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopRecord;
use crate::domain::sync::{SyncMode, SyncTrigger};

/// The status reason that members read.
const DISCONNECTED: &str = "an owner disconnected the shop; connect it again to go on";

impl SyncService {
    /// Removes a shop from the schedules, ends its syncs, and queues the job that deletes its access. The caller
    /// commits.
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

    /// Replaces the credentials of a shop by verified ones, adds it to the schedules again, and queues a sync. The
    /// caller commits.
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

    /// Deletes the webhook subscriptions and then the token. The token is deleted even if Shopify refuses it or does
    /// not answer after all attempts.
    pub(super) async fn finish_disconnecting(&self, job: &Job) -> Result<(), SyncError> {
        let tenant = job.tenant;
        let shop = self.database.tenant(tenant).await?.shop().await?;
        let Some(shop) = shop else {
            return Ok(());
        };
        if shop.status != ShopStatus::Disconnected {
            // It was connected again before this job ran.
            return self.ensure_webhook_subscriptions(tenant).await;
        }
        match self.delete_webhook_subscriptions(tenant).await {
            Ok(()) => {}
            Err(error) if error.is_transient() && job.attempts < self.config.max_attempts => {
                return Err(error);
            }
            Err(error) => {
                warn!(tenant.id = %tenant, error = %error, "webhook subscriptions of a disconnected shop could not be deleted");
            }
        }
        let mut transaction = self.database.tenant(tenant).await?;
        let deleted = self.delete_access(&mut transaction).await?;
        transaction.commit().await?;
        self.signing_keys.invalidate(&shop.domain);
        info!(tenant.id = %tenant, token.deleted = deleted, "shop disconnected");
        Ok(())
    }

    /// Deletes the token of a disconnected shop. The app's secret stays, encrypted: Shopify signs its last webhooks with
    /// it, such as the demand to delete all data.
    pub(super) async fn delete_access(&self, transaction: &mut TenantTx) -> Result<bool, DbError> {
        let tenant = transaction.tenant();
        let Some(held) = transaction.lock_credentials().await? else {
            return Ok(false);
        };
        // A reconnect waits for this lock before it writes new credentials.
        let shop = transaction.shop().await?;
        if shop.is_none_or(|shop| shop.status != ShopStatus::Disconnected) {
            return Ok(false);
        }
        let credentials = match decrypt_credentials(&self.encryption, tenant, &held.sealed)? {
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
        let sealed = encrypt_credentials(&self.encryption, tenant, &credentials)?;
        transaction.delete_access(&sealed, self.clock.now()).await?;
        Ok(true)
    }
}

//! Connecting a store: the credentials are proven by asking the store for its own record before anything is
//! written.

use crate::db::jobs::JobKind;
use crate::db::sync_runs::SyncRun;
use crate::db::{DbError, TenantTx};
use crate::domain::credentials::Credentials;
use crate::domain::shop::{ShopDomain, ShopRecord};
use crate::domain::sync::{SyncMode, SyncTrigger};
use crate::shopify::{ErrorKind, ShopifyError, TokenProvider};
use crate::sync::SyncService;
use crate::sync::tokens::sealed_credentials;

/// Why a store could not be connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No store answers under this domain.
    #[error("there is no such store")]
    NotFound,
    /// The store did not answer, or not in a way that can be read; trying again later may help.
    #[error("the store could not be reached: {0}")]
    Unreachable(#[source] ShopifyError),
    /// The store refused the credentials.
    #[error("the store refused the credentials")]
    Rejected,
    /// The credentials do not let the app read what it needs.
    #[error("missing scopes: {}", .0.join(", "))]
    MissingScopes(Vec<String>),
    /// PostgreSQL knows the store's time zone under none of its names.
    #[error(
        "the database does not know the store's time zone, {0}: whoever runs this server has to update its zone data"
    )]
    UnknownTimeZone(String),
    /// The store is closed, frozen or locked.
    #[error("the store is suspended: {0}")]
    Suspended(#[source] ShopifyError),
    /// Our own fault: a query that this version of Shopify refuses, or an unreadable answer.
    #[error("the store's answer could not be used: {0}")]
    Internal(#[source] ShopifyError),
    /// Our own database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ShopifyError> for ConnectError {
    fn from(error: ShopifyError) -> Self {
        match (error.kind(), &error) {
            (_, ShopifyError::NotFound | ShopifyError::Redirected { .. }) => Self::NotFound,
            (ErrorKind::Reauthorise, _) => Self::Rejected,
            (ErrorKind::SuspendShop, _) => Self::Suspended(error),
            (ErrorKind::Retryable, _) => Self::Unreachable(error),
            _ => Self::Internal(error),
        }
    }
}

impl SyncService {
    /// Asks the store who it is and what the credentials allow. Nothing is written.
    pub async fn verify_shop(
        &self,
        domain: &ShopDomain,
        credentials: &Credentials,
    ) -> Result<ShopRecord, ConnectError> {
        let token = match credentials {
            Credentials::AccessToken { token, .. } => token.clone(),
            Credentials::Installed(pair) => pair.access_token.clone(),
            Credentials::ClientCredentials {
                client_id,
                client_secret,
            } => {
                self.shopify
                    .client_credentials_token(domain, client_id, client_secret)
                    .await?
                    .token
            }
        };
        let store = self
            .shopify
            .store(domain.clone(), TokenProvider::fixed(token));
        let mut record = store.shop_record().await?;
        let missing = record.missing_scopes();
        if !missing.is_empty() {
            return Err(ConnectError::MissingScopes(
                missing.into_iter().map(str::to_owned).collect(),
            ));
        }
        if !self.name_time_zone(&mut record, None).await? {
            return Err(ConnectError::UnknownTimeZone(record.time_zone));
        }
        // Requests go on to the domain that was proven, whatever other name the store has for itself; which
        // store it is, the gid says.
        Ok(ShopRecord {
            domain: domain.clone(),
            ..record
        })
    }

    /// Writes a proven store and its credentials, sealed.
    pub async fn store_shop(
        &self,
        transaction: &mut TenantTx,
        record: &ShopRecord,
        credentials: &Credentials,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        transaction.create_shop(record, now).await?;
        let sealed = sealed_credentials(&self.sealer, transaction.tenant(), credentials)?;
        transaction
            .save_credentials(credentials.kind(), &sealed, now)
            .await?;
        if self.public_url.is_some() {
            transaction.queue_job(JobKind::Subscriptions, now).await?;
        }
        Ok(())
    }

    /// Puts proven credentials in place of those before, notes that the store lets the app in again, and has
    /// its webhooks looked after.
    pub(super) async fn replace_credentials(
        &self,
        transaction: &mut TenantTx,
        record: &ShopRecord,
        credentials: &Credentials,
    ) -> Result<(), DbError> {
        let sealed = sealed_credentials(&self.sealer, transaction.tenant(), credentials)?;
        transaction
            .save_credentials(credentials.kind(), &sealed, self.clock.now())
            .await?;
        transaction.mark_connected(&record.scopes).await?;
        if self.public_url.is_some() {
            let now = self.clock.now();
            transaction.queue_job(JobKind::Subscriptions, now).await?;
        }
        Ok(())
    }

    /// Queues a sync, or gives the one that is already waiting or under way.
    pub async fn request_sync(
        &self,
        transaction: &mut TenantTx,
        mode: SyncMode,
        trigger: SyncTrigger,
    ) -> Result<SyncRun, DbError> {
        let now = self.clock.now();
        // Another may be created, or end, between the two statements: a few rounds always settle it.
        for _ in 0..3 {
            if let Some(active) = transaction.active_sync_run().await? {
                return Ok(active);
            }
            if let Some(run) = transaction.create_sync_run(mode, trigger, now).await? {
                transaction
                    .queue_job(JobKind::Sync { run: run.id }, now)
                    .await?;
                return Ok(run);
            }
        }
        Err(DbError::Corrupt(
            "a sync run that is neither there nor can be made".to_owned(),
        ))
    }
}

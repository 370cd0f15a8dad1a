//! Connecting a shop. The credentials are verified by a request for the shop's own record before anything is written.

use crate::db::jobs::JobKind;
use crate::db::sync_runs::SyncRun;
use crate::db::{DbError, TenantTx};
use crate::domain::credentials::Credentials;
use crate::domain::shop::{ShopDomain, ShopRecord};
use crate::domain::sync::{SyncMode, SyncTrigger};
use crate::shopify::{ErrorKind, ShopifyError, TokenProvider};
use crate::sync::SyncService;
use crate::sync::tokens::encrypt_credentials;

/// Why a shop could not be connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No shop answers under this domain.
    #[error("there is no such shop")]
    NotFound,
    /// The shop did not answer. A retry may help.
    #[error("the shop could not be reached: {0}")]
    Unreachable(#[source] ShopifyError),
    /// The shop refused the credentials.
    #[error("the shop refused the credentials")]
    Rejected,
    /// The credentials lack scopes that the app needs.
    #[error("missing scopes: {}", .0.join(", "))]
    MissingScopes(Vec<String>),
    /// PostgreSQL has the shop's time zone under none of its names.
    #[error(
        "the database does not have the shop's time zone, {0}: the operator has to update its zone data"
    )]
    UnknownTimeZone(String),
    /// The shop is closed, frozen or locked.
    #[error("the shop is suspended: {0}")]
    Suspended(#[source] ShopifyError),
    /// A defect of the program: Shopify refuses the query, or its response is unreadable.
    #[error("the shop's response could not be used: {0}")]
    Internal(#[source] ShopifyError),
    /// The database failed.
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
    /// Fetches the shop's record and checks the granted scopes. Nothing is written.
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
            .shop(domain.clone(), TokenProvider::fixed(token));
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
        // Requests use the verified domain, whatever other domain the shop reports. The gid identifies the shop.
        Ok(ShopRecord {
            domain: domain.clone(),
            ..record
        })
    }

    /// Writes a verified shop and its encrypted credentials.
    pub async fn store_shop(
        &self,
        transaction: &mut TenantTx,
        record: &ShopRecord,
        credentials: &Credentials,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        transaction.create_shop(record, now).await?;
        let sealed = encrypt_credentials(&self.encryption, transaction.tenant(), credentials)?;
        transaction
            .save_credentials(credentials.kind(), &sealed, now)
            .await?;
        if self.public_url.is_some() {
            transaction.queue_job(JobKind::Subscriptions, now).await?;
        }
        Ok(())
    }

    /// Replaces the credentials by verified ones, marks the shop as connected, and queues a check of its webhooks.
    pub(super) async fn replace_credentials(
        &self,
        transaction: &mut TenantTx,
        record: &ShopRecord,
        credentials: &Credentials,
    ) -> Result<(), DbError> {
        let sealed = encrypt_credentials(&self.encryption, transaction.tenant(), credentials)?;
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

    /// Queues a sync, or returns the one that waits or runs already.
    pub async fn request_sync(
        &self,
        transaction: &mut TenantTx,
        mode: SyncMode,
        trigger: SyncTrigger,
    ) -> Result<SyncRun, DbError> {
        let now = self.clock.now();
        // Another run may start or end between the two statements.
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
            "a sync run neither exists nor can be created".to_owned(),
        ))
    }
}

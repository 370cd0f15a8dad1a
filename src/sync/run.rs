//! Executes one sync run: the shop's own record first, then each kind of object. A kind that fails does not stop the
//! others.

use std::time::Duration;

use chrono::TimeDelta;
use chrono::{DateTime, Utc};
use tracing::{info, warn};

use super::SyncService;
use crate::db::jobs::JobKind;
use crate::db::shops::{Shop, ShopStatus};
use crate::db::sync_runs::{SyncMethod, SyncRun, SyncStep};
use crate::db::{DbError, TenantTx};
use crate::domain::ids::{SyncRunId, TenantId};
use crate::domain::sync::{ObjectKind, SyncMode, SyncStatus};
use crate::shopify::{ErrorKind, ShopClient, ShopCounts, ShopifyError};

/// An incremental sync starts this long before the newest change that was seen: Shopify's search index may be late, and
/// its comparisons were seen to be inexact at the bound.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// Why a job or a sync run failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Shopify refused, failed, or sent an unreadable response.
    #[error(transparent)]
    Shopify(#[from] ShopifyError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The credentials lack scopes that the app needs.
    #[error("the app may no longer read: {}", .0.join(", "))]
    MissingScopes(Vec<String>),
    /// The downloaded file does not hold as much as Shopify announced.
    #[error("the bulk file held {found} {what} where Shopify announced {announced}")]
    IncompleteFile {
        /// `lines` or `objects`.
        what: &'static str,
        /// How many there were.
        found: u64,
        /// How many there should be.
        announced: i64,
    },
    /// The bulk operation ended without a result.
    #[error("the bulk operation ended without a result: {0}")]
    BulkFailed(String),
    /// The bulk query reads fields that the app may not read.
    #[error("the app may not read all fields of the bulk query")]
    BulkDenied,
    /// The shop already runs as many bulk operations as Shopify allows.
    #[error("the shop runs as many bulk operations as Shopify allows: {0}")]
    BulkBusy(String),
    /// No object of a page could be read, so the fault is not in a single one.
    #[error("none of the shop's {} can be read", .0.code().to_lowercase())]
    NothingReadable(ObjectKind),
    /// PostgreSQL has the shop's time zone under none of its names.
    #[error("the database does not have the time zone {0}")]
    UnknownTimeZone(String),
    /// Another shop answers under the domain.
    #[error("another shop answers under this domain")]
    OtherShop,
    /// The job panicked.
    #[error("job panicked: {0}")]
    Panicked(String),
    /// The process died during each attempt.
    #[error("the worker died during each of {0} attempts")]
    WorkerDied(i32),
}

impl SyncError {
    /// Whether a retry may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Shopify(error) => error.kind() == ErrorKind::Retryable,
            Self::Db(error) => !matches!(error, DbError::Corrupt(_) | DbError::Unsafe(_)),
            Self::IncompleteFile { .. }
            | Self::BulkFailed(_)
            | Self::BulkDenied
            | Self::BulkBusy(_)
            | Self::Panicked(_) => true,
            Self::MissingScopes(_)
            | Self::WorkerDied(_)
            | Self::NothingReadable(_)
            | Self::UnknownTimeZone(_)
            | Self::OtherShop => false,
        }
    }

    /// The message for the shop's owner: the cause and the remedy, without internals.
    #[must_use]
    pub fn owner_message(&self) -> String {
        match self {
            Self::Shopify(error) => error.to_string(),
            Self::Db(_) => "XBoard's database failed repeatedly".to_owned(),
            Self::Panicked(_) | Self::WorkerDied(_) => {
                "XBoard failed repeatedly; its operator finds the cause in the log".to_owned()
            }
            Self::MissingScopes(scopes) => {
                format!(
                    "grant the app these scopes and sync again: {}",
                    scopes.join(", ")
                )
            }
            Self::IncompleteFile { .. }
            | Self::BulkFailed(_)
            | Self::BulkDenied
            | Self::BulkBusy(_) => {
                format!("{self}; this happened repeatedly, start the sync again later")
            }
            Self::NothingReadable(_) => {
                format!("{self}; this version of XBoard may be too old for the shop")
            }
            Self::UnknownTimeZone(_) => {
                format!("{self}; update its zone data, then sync again")
            }
            Self::OtherShop => {
                "another shop answers under this domain; connect it as a shop of its own".to_owned()
            }
        }
    }

    /// The shortest delay before a retry, if Shopify gave one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Shopify(error) => error.retry_after(),
            _ => None,
        }
    }

    /// The status of the shop that the failure implies.
    fn shop_status(&self) -> Option<ShopStatus> {
        match self {
            Self::Shopify(ShopifyError::NotFound) => Some(ShopStatus::Suspended),
            Self::Shopify(error) => match error.kind() {
                ErrorKind::Reauthorise => Some(ShopStatus::ReauthorisationNeeded),
                ErrorKind::SuspendShop => Some(ShopStatus::Suspended),
                _ => None,
            },
            Self::MissingScopes(_) => Some(ShopStatus::ReauthorisationNeeded),
            _ => None,
        }
    }
}

/// A run that is being executed.
pub(super) struct Run<'a> {
    pub(super) sync: &'a SyncService,
    pub(super) tenant: TenantId,
    pub(super) id: SyncRunId,
    pub(super) mode: SyncMode,
    pub(super) store: ShopClient,
    /// Shopify shows no orders before this; `None` when it shows all.
    pub(super) oldest_order: Option<DateTime<Utc>>,
}

impl SyncService {
    /// Executes a run from where it stands. `Ok`: it has ended. `Err`: it has not; the caller retries or calls
    /// [`fail_sync`](Self::fail_sync).
    pub(super) async fn execute_run(
        &self,
        tenant: TenantId,
        id: SyncRunId,
    ) -> Result<(), SyncError> {
        let Some((run, shop)) = self.begin(tenant, id).await? else {
            return Ok(());
        };
        let store = self.shopify.shop(
            shop.domain.clone(),
            self.token_provider(tenant, &shop.domain),
        );
        let mut record = store.shop_record().await?;
        if record.gid != shop.gid {
            return Err(SyncError::OtherShop);
        }
        let missing = record.missing_scopes();
        if !missing.is_empty() {
            return Err(SyncError::MissingScopes(
                missing.into_iter().map(str::to_owned).collect(),
            ));
        }
        if !self
            .name_time_zone(&mut record, Some(&shop.time_zone))
            .await?
        {
            return Err(SyncError::UnknownTimeZone(record.time_zone));
        }
        if record.name != shop.name {
            let mut system = self.database.system().await?;
            system.rename_tenant(tenant, &record.name).await?;
            system.commit().await?;
        }
        let mut transaction = self.database.work(tenant).await?;
        transaction.update_shop(&record).await?;
        if record.currency != shop.currency || record.time_zone != shop.time_zone {
            info!(tenant.id = %tenant, "the shop's currency or time zone changed; rebuilding its figures");
            transaction.rebuild_figures().await?;
        }
        transaction.commit().await?;

        let history_opened =
            shop.order_history_days.is_some() && record.order_history_days().is_none();
        let oldest_order = record
            .order_history_days()
            .map(|days| self.clock.now() - TimeDelta::days(days.into()));
        let run = Run {
            sync: self,
            tenant,
            id,
            mode: run.mode,
            store,
            oldest_order,
        };
        let outcome = run.fetch_all(history_opened).await;
        // An interrupted initial backfill has not built them.
        let mut transaction = self.database.work(tenant).await?;
        transaction.build_pending_rollups().await?;
        transaction.commit().await?;
        outcome?;

        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        transaction
            .finish_sync_run(id, SyncStatus::Succeeded, None, now)
            .await?;
        transaction.mark_synced(now).await?;
        // The refetch job fails while Shopify is down; now it answers again.
        if transaction.has_pending_refetches().await? {
            transaction.queue_job(JobKind::Refetch, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn begin(
        &self,
        tenant: TenantId,
        id: SyncRunId,
    ) -> Result<Option<(SyncRun, Shop)>, SyncError> {
        let mut transaction = self.database.tenant(tenant).await?;
        let started = transaction.start_sync_run(id, self.clock.now()).await?;
        let run = transaction.sync_runs_by_id(&[id]).await?.into_iter().next();
        let shop = transaction.shop().await?;
        transaction.commit().await?;
        Ok(match (started, run, shop) {
            (true, Some(run), Some(shop)) if shop.status != ShopStatus::Disconnected => {
                Some((run, shop))
            }
            _ => None,
        })
    }

    /// Ends a run as failed, and sets the status of the shop that the failure implies.
    pub(super) async fn fail_sync(
        &self,
        tenant: TenantId,
        id: SyncRunId,
        error: &SyncError,
    ) -> Result<(), DbError> {
        let message = error.owner_message();
        let mut transaction = self.database.work(tenant).await?;
        transaction.build_pending_rollups().await?;
        transaction
            .finish_sync_run(id, SyncStatus::Failed, Some(&message), self.clock.now())
            .await?;
        if let Some(status) = error.shop_status() {
            transaction.set_shop_status(status, &message).await?;
        }
        transaction.commit().await
    }

    /// Sets the status of the shop that the failure of another job implies.
    pub(super) async fn record_failure(
        &self,
        tenant: TenantId,
        error: &SyncError,
    ) -> Result<(), DbError> {
        let Some(status) = error.shop_status() else {
            return Ok(());
        };
        let mut transaction = self.database.tenant(tenant).await?;
        transaction
            .set_shop_status(status, &error.owner_message())
            .await?;
        transaction.commit().await
    }
}

impl Run<'_> {
    /// Customers and products come before the orders that refer to them. A kind that fails is reported after the others
    /// were fetched.
    async fn fetch_all(&self, history_opened: bool) -> Result<(), SyncError> {
        let counts = if self.mode == SyncMode::Full {
            self.store.counts().await?
        } else {
            ShopCounts::default()
        };
        let mut failure = None;
        for &kind in ObjectKind::ALL {
            let everything =
                self.mode == SyncMode::Full || (history_opened && kind == ObjectKind::Orders);
            let total = match kind {
                ObjectKind::Customers => counts.customers,
                ObjectKind::Products => counts.products,
                ObjectKind::Orders => counts.orders,
            };
            let step = self.step(kind, everything, total).await?;
            if step.finished_at.is_some() {
                continue;
            }
            if let Err(error) = self.fetch(step).await {
                warn!(tenant.id = %self.tenant, sync.kind = kind.code(), error = %error, "objects could not be fetched");
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn step(
        &self,
        kind: ObjectKind,
        everything: bool,
        total: Option<i32>,
    ) -> Result<SyncStep, SyncError> {
        let mut transaction = self.transaction().await?;
        let cursor = transaction.sync_cursor(kind).await?;
        let since = cursor
            .filter(|_| !everything)
            .map(|cursor| cursor - OVERLAP);
        let method = if since.is_none() {
            SyncMethod::Bulk
        } else {
            SyncMethod::Paged
        };
        let step = transaction
            .sync_step(self.id, kind, method, since, total)
            .await?;
        transaction.commit().await?;
        Ok(step)
    }

    async fn fetch(&self, step: SyncStep) -> Result<(), SyncError> {
        match step.method {
            SyncMethod::Bulk => self.backfill(step).await,
            SyncMethod::Paged => self.fetch_pages(step).await,
        }
    }

    pub(super) async fn transaction(&self) -> Result<TenantTx, SyncError> {
        Ok(self.sync.database.tenant(self.tenant).await?)
    }

    /// Saves a step in a transaction of its own.
    pub(super) async fn save(&self, step: &SyncStep) -> Result<(), SyncError> {
        let mut transaction = self.transaction().await?;
        transaction.save_sync_step(self.id, step).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a step in the transaction of its last rows, so that the cursor never moves without them.
    pub(super) async fn finish_step(
        &self,
        transaction: &mut TenantTx,
        step: &mut SyncStep,
        cursor: Option<DateTime<Utc>>,
    ) -> Result<(), SyncError> {
        if let Some(cursor) = cursor {
            transaction.advance_sync_cursor(step.kind, cursor).await?;
        }
        step.finished_at = Some(self.sync.clock.now());
        step.page_cursor = None;
        transaction.save_sync_step(self.id, step).await?;
        info!(
            tenant.id = %self.tenant, sync.kind = step.kind.code(), sync.method = step.method.code(),
            sync.done = step.done, "objects fetched"
        );
        Ok(())
    }
}

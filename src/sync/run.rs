//! Carrying out one run of a sync: the store's own record first, then each kind of object. What one kind
//! fails at does not keep the others from being fetched.

use std::time::Duration;

use chrono::TimeDelta;
use chrono::{DateTime, Utc};
use tracing::{info, warn};

use super::SyncService;
use crate::db::jobs::JobKind;
use crate::db::shops::{Shop, ShopStatus};
use crate::db::staging::Loader;
use crate::db::sync_runs::{SyncMethod, SyncRun, SyncStep};
use crate::db::{DbError, TenantTx};
use crate::domain::ids::{SyncRunId, TenantId};
use crate::domain::sync::{ObjectKind, SyncMode, SyncStatus};
use crate::shopify::{ErrorKind, ShopifyError, Store, StoreCounts};

/// An incremental sync begins this long before the newest change it has seen: Shopify's index may be late,
/// and its comparisons have been seen to be off by a bound.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// Why a run did not get through.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Shopify refused, failed or could not be understood.
    #[error(transparent)]
    Shopify(#[from] ShopifyError),
    /// Our own database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The credentials no longer let the app read what it needs.
    #[error("the app may no longer read: {}", .0.join(", "))]
    MissingScopes(Vec<String>),
    /// What was downloaded is not what Shopify said it would be.
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
    /// Other bulk operations of the app are in the way.
    #[error("the store runs as many bulk operations as it allows: {0}")]
    BulkBusy(String),
    /// Of all the objects of a page none could be understood: no single one is to blame.
    #[error("nothing of what the store gives of its {} can be understood", .0.code().to_lowercase())]
    NothingUnderstood(ObjectKind),
    /// PostgreSQL knows the store's time zone under none of its names.
    #[error("the database does not know the time zone {0}")]
    UnknownTimeZone(String),
    /// Another store answers under the domain.
    #[error("another store answers under this domain")]
    OtherStore,
}

impl SyncError {
    /// Whether trying again later may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Shopify(error) => error.kind() == ErrorKind::Retryable,
            Self::Db(error) => !matches!(error, DbError::Corrupt(_) | DbError::Unsafe(_)),
            Self::IncompleteFile { .. } | Self::BulkFailed(_) | Self::BulkBusy(_) => true,
            Self::MissingScopes(_)
            | Self::NothingUnderstood(_)
            | Self::UnknownTimeZone(_)
            | Self::OtherStore => false,
        }
    }

    /// What the store's owner is told: what was wrong and what to do. Nothing of our insides.
    #[must_use]
    pub fn owner_message(&self) -> String {
        match self {
            Self::Shopify(error) => error.to_string(),
            Self::Db(_) => "XBoard's own database failed, again and again".to_owned(),
            Self::MissingScopes(scopes) => {
                format!(
                    "grant the app these scopes and sync again: {}",
                    scopes.join(", ")
                )
            }
            Self::IncompleteFile { .. } | Self::BulkFailed(_) | Self::BulkBusy(_) => {
                format!("{self}, again and again; start the sync once more later")
            }
            Self::NothingUnderstood(_) => {
                format!("{self}; this version of XBoard may be too old for the store")
            }
            Self::UnknownTimeZone(_) => {
                format!("{self}; its zone data is to be updated, then sync again")
            }
            Self::OtherStore => {
                "another store answers under this domain; connect it as a store of its own"
                    .to_owned()
            }
        }
    }

    /// How long to wait at least before trying again, where Shopify says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Shopify(error) => error.retry_after(),
            _ => None,
        }
    }

    /// What the failure says of the store itself.
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

/// One run under way.
pub(super) struct Run<'a> {
    pub(super) sync: &'a SyncService,
    pub(super) tenant: TenantId,
    pub(super) id: SyncRunId,
    pub(super) mode: SyncMode,
    pub(super) store: Store,
    /// Before this the store shows no orders; `None` when it shows all.
    pub(super) oldest_order: Option<DateTime<Utc>>,
}

impl SyncService {
    /// Carries out a run, from where it stands. `Ok`: it has ended, well or because there is nothing more to
    /// do. `Err`: it has not; the caller tries again or calls [`fail_sync`](Self::fail_sync).
    pub(super) async fn carry_out(&self, tenant: TenantId, id: SyncRunId) -> Result<(), SyncError> {
        let Some((run, shop)) = self.begin(tenant, id).await? else {
            return Ok(());
        };
        let store = self.shopify.store(
            shop.domain.clone(),
            self.token_provider(tenant, &shop.domain),
        );
        let mut record = store.shop_record().await?;
        if record.gid != shop.gid {
            return Err(SyncError::OtherStore);
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
        let mut transaction = self.database.work(tenant).await?;
        transaction.update_shop(&record).await?;
        if record.currency != shop.currency || record.time_zone != shop.time_zone {
            info!(tenant.id = %tenant, "the store's currency or time zone changed: its figures are worked out anew");
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
        // A first load that was cut off leaves them to whoever ends it, well or not.
        let mut transaction = self.database.work(tenant).await?;
        transaction.build_pending_figures().await?;
        transaction.commit().await?;
        outcome?;

        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        transaction
            .finish_sync_run(id, SyncStatus::Succeeded, None, now)
            .await?;
        transaction.mark_synced(now).await?;
        // What deliveries named while Shopify was away was given up after some attempts; now it answers again.
        if transaction.has_hints().await? {
            transaction.queue_job(JobKind::Hints, now).await?;
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

    /// Notes that a run is given up, and what that says of the store.
    pub(super) async fn fail_sync(
        &self,
        tenant: TenantId,
        id: SyncRunId,
        error: &SyncError,
    ) -> Result<(), DbError> {
        let message = error.owner_message();
        let mut transaction = self.database.work(tenant).await?;
        transaction.build_pending_figures().await?;
        transaction
            .finish_sync_run(id, SyncStatus::Failed, Some(&message), self.clock.now())
            .await?;
        if let Some(status) = error.shop_status() {
            transaction.set_shop_status(status, &message).await?;
        }
        transaction.commit().await
    }

    /// Notes what a failure outside of a run says of the store.
    pub(super) async fn note_trouble(
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
    /// Customers and products before orders, so that an order finds whom and what it names. A kind that
    /// fails is reported after the others have been fetched.
    async fn fetch_all(&self, history_opened: bool) -> Result<(), SyncError> {
        let counts = if self.mode == SyncMode::Full {
            self.store.counts().await?
        } else {
            StoreCounts::default()
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
                warn!(tenant.id = %self.tenant, sync.kind = kind.code(), error = %error, "a kind of object could not be fetched");
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
        let mut loader = self.sync.database.loader(self.tenant).await?;
        let outcome = match step.method {
            SyncMethod::Bulk => self.backfill(step, &mut loader).await,
            SyncMethod::Paged => self.fetch_pages(step, &mut loader).await,
        };
        loader.close().await;
        outcome
    }

    pub(super) async fn transaction(&self) -> Result<TenantTx, SyncError> {
        Ok(self.sync.database.tenant(self.tenant).await?)
    }

    /// Writes where a kind of object stands, on its own.
    pub(super) async fn save(&self, step: &SyncStep) -> Result<(), SyncError> {
        let mut transaction = self.transaction().await?;
        transaction.save_sync_step(self.id, step).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a kind of object in the transaction of its last rows: the cursor moves with them or not at all.
    pub(super) async fn finish_step(
        &self,
        transaction: &mut TenantTx,
        loader: &Loader,
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
            sync.done = step.done, sync.staged = loader.staged(), "a kind of object is in"
        );
        Ok(())
    }
}

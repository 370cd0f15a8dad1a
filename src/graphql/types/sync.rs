//! Syncs as the API shows them.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use crate::db::sync_runs;
use crate::domain::ids::TenantId;
use crate::domain::sync;
use crate::graphql::context::RequestContext;
use crate::graphql::dataloaders::ProgressByRun;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::scalars::Instant;

/// A run that syncs a shop's objects.
#[derive(Clone, Debug)]
pub struct SyncRun {
    tenant: TenantId,
    row: sync_runs::SyncRun,
}

impl SyncRun {
    /// A run of this tenant.
    #[must_use]
    pub const fn new(tenant: TenantId, row: sync_runs::SyncRun) -> Self {
        Self { tenant, row }
    }
}

/// A run that syncs a shop's objects. At most one run is queued or running at a time.
#[Object]
impl SyncRun {
    /// The run's id, for `node`.
    pub async fn id(&self) -> ID {
        NodeId::SyncRun(self.row.id).encode(self.tenant)
    }

    /// How much the run fetches.
    async fn mode(&self) -> SyncMode {
        self.row.mode.into()
    }

    /// The status of the run.
    async fn status(&self) -> SyncStatus {
        self.row.status.into()
    }

    /// What triggered the run.
    async fn trigger(&self) -> SyncTrigger {
        self.row.trigger.into()
    }

    /// The time the run was requested.
    async fn queued_at(&self) -> Instant {
        Instant(self.row.queued_at)
    }

    /// The time a worker started the run. Null while it is queued.
    async fn started_at(&self) -> Option<Instant> {
        self.row.started_at.map(Instant)
    }

    /// The time the run ended, successfully or not. Null until then.
    async fn finished_at(&self) -> Option<Instant> {
        self.row.finished_at.map(Instant)
    }

    /// The progress for each kind of object: customers, products, orders. Kinds that have not
    /// started yet are not included.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Vec<SyncProgress>, ApiError> {
        let loaders = &RequestContext::of(ctx)?.loaders;
        let progress = loaders
            .load(self.tenant, ProgressByRun(self.row.id))
            .await?;
        let progress = progress.unwrap_or_default().into_iter();
        Ok(progress.map(SyncProgress::from).collect())
    }

    /// Why the run failed, in a sentence for the shop's owner. Null unless it failed.
    async fn error(&self) -> Option<&str> {
        self.row.error.as_deref()
    }
}

/// The progress of a sync run for one kind of object.
#[derive(Clone, Debug, SimpleObject)]
pub struct SyncProgress {
    /// The kind of object.
    pub kind: ObjectKind,
    /// The number of objects processed so far, including skipped ones.
    pub done: i32,
    /// The total number of objects to process. Null until Shopify has reported it.
    pub total: Option<i32>,
    /// Shopify's numeric ids of skipped objects, at most 100. An object is skipped if Shopify fails
    /// to return it, or if XBoard cannot parse it; its stored version stays. XBoard fetches it
    /// again when it changes, and once a day.
    pub left_out: Vec<String>,
}

impl From<sync_runs::SyncProgress> for SyncProgress {
    fn from(progress: sync_runs::SyncProgress) -> Self {
        Self {
            kind: progress.kind.into(),
            done: progress.done,
            total: progress.total,
            left_out: progress
                .skipped_objects
                .iter()
                .map(i64::to_string)
                .collect(),
        }
    }
}

/// How much a sync fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync::SyncMode")]
pub enum SyncMode {
    /// Only changes since the last sync.
    Incremental,
    /// Everything that Shopify shows the app.
    Full,
}

/// The status of a sync run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync::SyncStatus")]
pub enum SyncStatus {
    /// Waiting for a worker.
    Queued,
    /// In progress.
    Running,
    /// Finished successfully.
    Succeeded,
    /// Failed; `error` says why.
    Failed,
    /// Stopped because the shop was disconnected.
    Cancelled,
}

/// The triggers of a sync run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync::SyncTrigger")]
pub enum SyncTrigger {
    /// The shop was connected.
    Register,
    /// A member requested the run.
    Manual,
    /// A webhook reported a change that needs a sync.
    Webhook,
    /// The regular schedule.
    Schedule,
}

/// The kinds of objects that a sync fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync::ObjectKind")]
pub enum ObjectKind {
    /// Customers.
    Customers,
    /// Products with their variants.
    Products,
    /// Orders with their line items, refunds and sales.
    Orders,
}

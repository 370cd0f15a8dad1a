//! Syncs as the API shows them.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use crate::db::sync_runs;
use crate::domain::ids::TenantId;
use crate::domain::sync;
use crate::graphql::context::RequestContext;
use crate::graphql::dataloaders::ProgressOf;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::scalars::Instant;

/// One run that brings a store's objects here.
#[derive(Clone, Debug)]
pub struct SyncRun {
    tenant: TenantId,
    row: sync_runs::SyncRun,
}

impl SyncRun {
    /// A run of this store.
    #[must_use]
    pub const fn new(tenant: TenantId, row: sync_runs::SyncRun) -> Self {
        Self { tenant, row }
    }
}

/// One run that brings a store's objects here. At most one is queued or under way at a time.
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

    /// How far the run is.
    async fn status(&self) -> SyncStatus {
        self.row.status.into()
    }

    /// What started the run.
    async fn trigger(&self) -> SyncTrigger {
        self.row.trigger.into()
    }

    /// The instant at which the run was asked for.
    async fn queued_at(&self) -> Instant {
        Instant(self.row.queued_at)
    }

    /// The instant at which a worker took the run up. Null while it waits.
    async fn started_at(&self) -> Option<Instant> {
        self.row.started_at.map(Instant)
    }

    /// The instant at which the run ended, well or not. Null until then.
    async fn finished_at(&self) -> Option<Instant> {
        self.row.finished_at.map(Instant)
    }

    /// How far each kind of object is: customers, products, orders. A kind that the run has not come to yet
    /// is left out.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Vec<SyncProgress>, ApiError> {
        let loaders = &RequestContext::of(ctx)?.loaders;
        let progress = loaders.load(self.tenant, ProgressOf(self.row.id)).await?;
        let progress = progress.unwrap_or_default().into_iter();
        Ok(progress.map(SyncProgress::from).collect())
    }

    /// Why the run failed, in a sentence for the store's owner. Null unless it did.
    async fn error(&self) -> Option<&str> {
        self.row.error.as_deref()
    }
}

/// How far a run is with one kind of object.
#[derive(Clone, Debug, SimpleObject)]
pub struct SyncProgress {
    /// Which objects.
    pub kind: ObjectKind,
    /// How many of them are in, those that were left out included.
    pub done: i32,
    /// Of how many. Null while Shopify has not said.
    pub total: Option<i32>,
    /// Shopify's own numbers of those that the run left as they were, because Shopify failed at them or what
    /// it gave of them could not be understood; at most a hundred. They are asked for again when they change,
    /// and once a day.
    pub left_out: Vec<String>,
}

impl From<sync_runs::SyncProgress> for SyncProgress {
    fn from(progress: sync_runs::SyncProgress) -> Self {
        Self {
            kind: progress.kind.into(),
            done: progress.done,
            total: progress.total,
            left_out: progress.left_out.iter().map(i64::to_string).collect(),
        }
    }
}

/// How much a sync fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync::SyncMode")]
pub enum SyncMode {
    /// What changed in the store since the last sync.
    Incremental,
    /// Everything that Shopify shows.
    Full,
}

/// How far a sync is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync::SyncStatus")]
pub enum SyncStatus {
    /// It waits for a worker.
    Queued,
    /// It is under way.
    Running,
    /// Everything is in.
    Succeeded,
    /// It was given up; `error` says why.
    Failed,
    /// It was stopped because the store was disconnected.
    Cancelled,
}

/// What started a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync::SyncTrigger")]
pub enum SyncTrigger {
    /// The store was connected.
    Register,
    /// A member asked for it.
    Manual,
    /// The store told of a change that calls for one.
    Webhook,
    /// It was time for the regular one.
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
    /// Orders with their lines, refunds and sales.
    Orders,
}

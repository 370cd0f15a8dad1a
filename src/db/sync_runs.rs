//! Sync runs, and the progress of each kind of object in them.

use chrono::{DateTime, Utc};

use super::{DbError, Result, TenantTx};
use crate::domain::ids::SyncRunId;
use crate::domain::sync::{ObjectKind, SyncMode, SyncStatus, SyncTrigger};

/// A sync run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRun {
    /// Its id.
    pub id: SyncRunId,
    /// Whether it fetches everything or only changes.
    pub mode: SyncMode,
    /// What caused it.
    pub trigger: SyncTrigger,
    /// Its status.
    pub status: SyncStatus,
    /// When it was queued.
    pub queued_at: DateTime<Utc>,
    /// When a worker started it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed, in a sentence for the shop's owner.
    pub error: Option<String>,
}

/// The progress of one kind of object in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncProgress {
    /// The run.
    pub run: SyncRunId,
    /// The kind of object.
    pub kind: ObjectKind,
    /// How many objects are stored.
    pub done: i32,
    /// How many there are; `None` while unknown.
    pub total: Option<i32>,
    /// The ids of skipped objects, at most a hundred.
    pub skipped_objects: Vec<i64>,
}

/// The state of one kind of object in a run, from which a worker continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncStep {
    /// The kind of object.
    pub kind: ObjectKind,
    /// How they are fetched.
    pub method: SyncMethod,
    /// The gid of its bulk operation.
    pub bulk_operation_gid: Option<String>,
    /// When Shopify started it, by Shopify's clock.
    pub bulk_created_at: Option<DateTime<Utc>>,
    /// When it was requested, by the program's clock: its objects are fetched as of then.
    pub bulk_requested_at: Option<DateTime<Utc>>,
    /// How many bulk operations failed.
    pub bulk_attempts: i32,
    /// The cursor of the next page.
    pub page_cursor: Option<String>,
    /// Objects that changed before this are not fetched; `None`: all are.
    pub since: Option<DateTime<Utc>>,
    /// The newest `updatedAt` of the fetched objects.
    pub high_water: Option<DateTime<Utc>>,
    /// How many objects are stored.
    pub done: i32,
    /// How many there are; `None` while unknown.
    pub total: Option<i32>,
    /// The ids of objects that Shopify fails to return or that are unreadable, at most a hundred. Their stored version
    /// stays.
    pub skipped_objects: Vec<i64>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// How many skipped objects a step lists.
const MAX_SKIPPED: usize = 100;

impl SyncStep {
    /// Adds skipped objects.
    pub fn skip(&mut self, ids: &[i64]) {
        let space = MAX_SKIPPED.saturating_sub(self.skipped_objects.len());
        self.skipped_objects.extend(ids.iter().take(space));
    }
}

/// How objects are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMethod {
    /// With one bulk operation.
    Bulk,
    /// Page by page.
    Paged,
}

impl SyncMethod {
    /// The method as the database stores it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bulk => "BULK",
            Self::Paged => "PAGED",
        }
    }
}

fn corrupt(what: &str, code: &str) -> DbError {
    DbError::Corrupt(format!("{what} {code}"))
}

/// The columns of a run.
pub(super) struct RunRow {
    pub(super) id: SyncRunId,
    pub(super) mode: String,
    pub(super) trigger: String,
    pub(super) status: String,
    pub(super) queued_at: DateTime<Utc>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    pub(super) error: Option<String>,
}

impl TryFrom<RunRow> for SyncRun {
    type Error = DbError;

    fn try_from(row: RunRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            mode: SyncMode::from_code(&row.mode).ok_or_else(|| corrupt("mode", &row.mode))?,
            trigger: SyncTrigger::from_code(&row.trigger)
                .ok_or_else(|| corrupt("trigger", &row.trigger))?,
            status: SyncStatus::from_code(&row.status)
                .ok_or_else(|| corrupt("status", &row.status))?,
            queued_at: row.queued_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            error: row.error,
        })
    }
}

impl TenantTx {
    /// The run that is queued or running.
    pub async fn active_sync_run(&mut self) -> Result<Option<SyncRun>> {
        let tenant = self.tenant();
        let row = sqlx::query_as!(
            RunRow,
            "select id as \"id: SyncRunId\", mode, trigger, status, queued_at, started_at, finished_at, error \
             from sync_runs where tenant_id = $1 and status in ('QUEUED', 'RUNNING')",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The runs with these ids.
    pub async fn sync_runs_by_id(&mut self, ids: &[SyncRunId]) -> Result<Vec<SyncRun>> {
        let tenant = self.tenant();
        let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query_as!(
            RunRow,
            "select id as \"id: SyncRunId\", mode, trigger, status, queued_at, started_at, finished_at, error \
             from sync_runs where tenant_id = $1 and id = any($2)",
            tenant.uuid(),
            &ids
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The progress of runs, customers first.
    pub async fn sync_progress(&mut self, runs: &[SyncRunId]) -> Result<Vec<SyncProgress>> {
        let tenant = self.tenant();
        let ids: Vec<_> = runs.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query!(
            "select run_id as \"run: SyncRunId\", kind, done, total, skipped_objects from sync_steps \
             where tenant_id = $1 and run_id = any($2) order by run_id, kind = 'ORDERS', kind",
            tenant.uuid(),
            &ids
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                let kind =
                    ObjectKind::from_code(&row.kind).ok_or_else(|| corrupt("kind", &row.kind))?;
                Ok(SyncProgress {
                    run: row.run,
                    kind,
                    done: row.done,
                    total: row.total,
                    skipped_objects: row.skipped_objects,
                })
            })
            .collect()
    }

    /// Inserts a queued run. `None`: another run is active.
    pub async fn create_sync_run(
        &mut self,
        mode: SyncMode,
        trigger: SyncTrigger,
        now: DateTime<Utc>,
    ) -> Result<Option<SyncRun>> {
        let tenant = self.tenant();
        let id = SyncRunId::generate();
        let inserted = sqlx::query!(
            "insert into sync_runs (tenant_id, id, mode, trigger, status, queued_at) \
             values ($1, $2, $3, $4, 'QUEUED', $5) on conflict do nothing",
            tenant.uuid(),
            id.uuid(),
            mode.code(),
            trigger.code(),
            now,
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        self.notify_sync_progress(id).await?;
        Ok((inserted == 1).then_some(SyncRun {
            id,
            mode,
            trigger,
            status: SyncStatus::Queued,
            queued_at: now,
            started_at: None,
            finished_at: None,
            error: None,
        }))
    }

    /// Marks a run as running. False: it has ended.
    pub async fn start_sync_run(&mut self, id: SyncRunId, now: DateTime<Utc>) -> Result<bool> {
        let tenant = self.tenant();
        let started = sqlx::query!(
            "update sync_runs set status = 'RUNNING', started_at = coalesce(started_at, $3) \
             where tenant_id = $1 and id = $2 and status in ('QUEUED', 'RUNNING')",
            tenant.uuid(),
            id.uuid(),
            now
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        self.notify_sync_progress(id).await?;
        Ok(started == 1)
    }

    /// Ends a run.
    pub async fn finish_sync_run(
        &mut self,
        id: SyncRunId,
        status: SyncStatus,
        error: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update sync_runs set status = $3, error = $4, finished_at = $5 \
             where tenant_id = $1 and id = $2 and status in ('QUEUED', 'RUNNING')",
            tenant.uuid(),
            id.uuid(),
            status.code(),
            error,
            now
        )
        .execute(self.connection())
        .await?;
        self.notify_sync_progress(id).await
    }

    /// The step of a kind of object. Inserted if it does not exist.
    pub async fn sync_step(
        &mut self,
        run: SyncRunId,
        kind: ObjectKind,
        method: SyncMethod,
        since: Option<DateTime<Utc>>,
        total: Option<i32>,
    ) -> Result<SyncStep> {
        let tenant = self.tenant();
        sqlx::query!(
            "insert into sync_steps (tenant_id, run_id, kind, method, since, total) \
             values ($1, $2, $3, $4, $5, $6) on conflict (tenant_id, run_id, kind) do nothing",
            tenant.uuid(),
            run.uuid(),
            kind.code(),
            method.code(),
            since,
            total,
        )
        .execute(self.connection())
        .await?;
        let row = sqlx::query!(
            "select method, bulk_operation_gid, bulk_created_at, bulk_requested_at, bulk_attempts, page_cursor, since, high_water, \
                    done, total, skipped_objects, finished_at \
             from sync_steps where tenant_id = $1 and run_id = $2 and kind = $3",
            tenant.uuid(),
            run.uuid(),
            kind.code()
        )
        .fetch_one(self.connection())
        .await?;
        Ok(SyncStep {
            kind,
            method: if row.method == "BULK" {
                SyncMethod::Bulk
            } else {
                SyncMethod::Paged
            },
            bulk_operation_gid: row.bulk_operation_gid,
            bulk_created_at: row.bulk_created_at,
            bulk_requested_at: row.bulk_requested_at,
            bulk_attempts: row.bulk_attempts,
            page_cursor: row.page_cursor,
            since: row.since,
            high_water: row.high_water,
            done: row.done,
            total: row.total,
            skipped_objects: row.skipped_objects,
            finished_at: row.finished_at,
        })
    }

    /// Saves the step of a kind of object.
    pub async fn save_sync_step(&mut self, run: SyncRunId, step: &SyncStep) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update sync_steps set method = $4, bulk_operation_gid = $5, bulk_created_at = $6, bulk_attempts = $7, \
                    page_cursor = $8, high_water = $9, done = $10, total = $11, finished_at = $12, bulk_requested_at = $13, skipped_objects = $14 \
             where tenant_id = $1 and run_id = $2 and kind = $3",
            tenant.uuid(),
            run.uuid(),
            step.kind.code(),
            step.method.code(),
            step.bulk_operation_gid,
            step.bulk_created_at,
            step.bulk_attempts,
            step.page_cursor,
            step.high_water,
            step.done,
            step.total,
            step.finished_at,
            step.bulk_requested_at,
            &step.skipped_objects,
        )
        .execute(self.connection())
        .await?;
        self.notify_sync_progress(run).await
    }
}

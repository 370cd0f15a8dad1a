//! The runs of syncs and how far each kind of object is.

use chrono::{DateTime, Utc};

use super::{DbError, Result, TenantTx};
use crate::domain::ids::SyncRunId;
use crate::domain::sync::{ObjectKind, SyncMode, SyncStatus, SyncTrigger};

/// A run of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRun {
    /// Its id.
    pub id: SyncRunId,
    /// How much it fetches.
    pub mode: SyncMode,
    /// What started it.
    pub trigger: SyncTrigger,
    /// How far it is.
    pub status: SyncStatus,
    /// When it was asked for.
    pub queued_at: DateTime<Utc>,
    /// When a worker took it up.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, well or not.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed, in a sentence for the store's owner.
    pub error: Option<String>,
}

/// How far one kind of object of a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncProgress {
    /// The run.
    pub run: SyncRunId,
    /// Which objects.
    pub kind: ObjectKind,
    /// How many are in.
    pub done: i32,
    /// Of how many; `None` while unknown.
    pub total: Option<i32>,
    /// The numbers of objects that are left as they were, the first hundred.
    pub left_out: Vec<i64>,
}

/// Where one kind of object of a run stands, for the worker to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncStep {
    /// Which objects.
    pub kind: ObjectKind,
    /// How they are fetched.
    pub method: SyncMethod,
    /// The bulk operation that was started.
    pub bulk_operation_gid: Option<String>,
    /// When Shopify started it, by Shopify's clock.
    pub bulk_created_at: Option<DateTime<Utc>>,
    /// When it was asked for, by our clock: what its rows are as of.
    pub bulk_asked_at: Option<DateTime<Utc>>,
    /// How many bulk operations were tried and failed.
    pub bulk_attempts: i32,
    /// The page that comes next.
    pub page_cursor: Option<String>,
    /// Objects changed before this are not asked for; `None`: all are.
    pub since: Option<DateTime<Utc>>,
    /// The newest `updatedAt` seen.
    pub high_water: Option<DateTime<Utc>>,
    /// How many are in.
    pub done: i32,
    /// Of how many; `None` while unknown.
    pub total: Option<i32>,
    /// The numbers of objects that Shopify fails at or that cannot be understood, the first hundred: they stay as they are.
    pub left_out: Vec<i64>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// So many objects that were left out are named.
const MAX_LEFT_OUT: usize = 100;

impl SyncStep {
    /// Notes that objects stay as they are.
    pub fn leave_out(&mut self, ids: &[i64]) {
        let room = MAX_LEFT_OUT.saturating_sub(self.left_out.len());
        self.left_out.extend(ids.iter().take(room));
    }
}

/// How objects are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMethod {
    /// By one bulk operation.
    Bulk,
    /// Page by page.
    Paged,
}

impl SyncMethod {
    /// The method as the database keeps it.
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

/// What the columns of a run are, before their words are read.
struct RunRow {
    id: SyncRunId,
    mode: String,
    trigger: String,
    status: String,
    queued_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    error: Option<String>,
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
    /// The run that is waiting or under way.
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

    /// Runs by id; those that are not there are left out.
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
            "select run_id as \"run: SyncRunId\", kind, done, total, left_out from sync_steps \
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
                    left_out: row.left_out,
                })
            })
            .collect()
    }

    /// Writes a new run that waits for a worker. A run that is already active is met as a unique violation:
    /// look for it first, in the same transaction.
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
        self.announce_sync(id).await?;
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

    /// Notes that a worker took the run up. False when it has ended meanwhile.
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
        self.announce_sync(id).await?;
        Ok(started == 1)
    }

    /// Notes how the run ended.
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
        self.announce_sync(id).await
    }

    /// Where the run stands with a kind of object; written on first asking.
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
            "select method, bulk_operation_gid, bulk_created_at, bulk_asked_at, bulk_attempts, page_cursor, since, high_water, \
                    done, total, left_out, finished_at \
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
            bulk_asked_at: row.bulk_asked_at,
            bulk_attempts: row.bulk_attempts,
            page_cursor: row.page_cursor,
            since: row.since,
            high_water: row.high_water,
            done: row.done,
            total: row.total,
            left_out: row.left_out,
            finished_at: row.finished_at,
        })
    }

    /// Writes where the run now stands with a kind of object.
    pub async fn save_sync_step(&mut self, run: SyncRunId, step: &SyncStep) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update sync_steps set method = $4, bulk_operation_gid = $5, bulk_created_at = $6, bulk_attempts = $7, \
                    page_cursor = $8, high_water = $9, done = $10, total = $11, finished_at = $12, bulk_asked_at = $13, left_out = $14 \
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
            step.bulk_asked_at,
            &step.left_out,
        )
        .execute(self.connection())
        .await?;
        self.announce_sync(run).await
    }
}

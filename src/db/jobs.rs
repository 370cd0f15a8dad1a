//! The job queue. A job is inserted in the transaction that causes it. A worker claims it with SKIP LOCKED and renews
//! its lease while it runs; a failed job is retried later. A job can run twice at the same time, when its worker hangs
//! and its lease ends, so every job is idempotent.
//!
//! The table is local to the coordinator of a cluster: SKIP LOCKED appears nowhere else.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::worker_heartbeat::{WorkerEvent, notify_workers};
use super::{Database, DbError, Result, SystemTx, TenantTx};
use crate::domain::ids::{PrivacyRequestId, SyncRunId, TenantId};

/// Kinds that take longer the larger the shop is.
const LONG_KINDS: [&str; 2] = ["sync", "reconcile"];

/// How many jobs of one tenant run at the same time, in all processes. Two of them may be long.
const MAX_RUNNING_PER_TENANT: usize = 3;

/// The work of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Execute a sync run.
    Sync {
        /// The run.
        run: SyncRunId,
    },
    /// Fetch the objects that webhooks reported as changed.
    Refetch,
    /// Answer a customer's privacy request.
    Privacy {
        /// The request.
        request: PrivacyRequestId,
    },
    /// An owner disconnected the shop: delete its webhook subscriptions, then its token.
    Disconnect,
    /// The merchant uninstalled the app: delete the token and stop the syncs.
    Uninstall,
    /// Shopify or the operator demands that all data of the shop is deleted.
    RedactShop {
        /// Whether the operator demands it.
        #[serde(default)]
        by_operator: bool,
    },
    /// Create missing webhook subscriptions.
    Subscriptions,
    /// Compare the ids of all objects in Shopify with the stored ones.
    Reconcile,
    /// Delete rows that are older than their retention.
    Retention,
}

impl JobKind {
    const fn name(&self) -> &'static str {
        match self {
            Self::Sync { .. } => "sync",
            Self::Refetch => "refetch",
            Self::Privacy { .. } => "privacy",
            Self::Disconnect => "disconnect",
            Self::Uninstall => "uninstall",
            Self::RedactShop { .. } => "redact_shop",
            Self::Subscriptions => "subscriptions",
            Self::Reconcile => "reconcile",
            Self::Retention => "retention",
        }
    }

    /// Whether the job takes longer the larger the shop is.
    #[must_use]
    pub fn is_long(&self) -> bool {
        LONG_KINDS.contains(&self.name())
    }

    fn dedupe_key(&self, tenant: TenantId) -> String {
        match self {
            Self::Sync { run } => format!("sync:{tenant}:{run}"),
            Self::Privacy { request } => format!("privacy:{tenant}:{}", request.uuid()),
            // Subscriptions are never created and deleted at the same time.
            Self::Disconnect => format!("{}:{tenant}", Self::Subscriptions.name()),
            other => format!("{}:{tenant}", other.name()),
        }
    }
}

/// A job that a worker claimed.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: i64,
    /// The worker that claimed it.
    pub worker: Uuid,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Its work.
    pub kind: JobKind,
    /// How often it was claimed without progress, this time included. A crash of the process counts.
    pub attempts: i32,
}

impl TenantTx {
    /// Queues a job unless the same one waits already. True: it was queued.
    pub async fn queue_job(&mut self, kind: JobKind, run_at: DateTime<Utc>) -> Result<bool> {
        let tenant = self.tenant();
        queue(self.connection(), tenant, kind, run_at).await
    }
}

async fn queue(
    connection: &mut PgConnection,
    tenant: TenantId,
    kind: JobKind,
    run_at: DateTime<Utc>,
) -> Result<bool> {
    let payload =
        serde_json::to_value(kind).map_err(|error| DbError::Corrupt(error.to_string()))?;
    let queued = sqlx::query!(
        "insert into jobs (tenant_id, kind, dedupe_key, payload, run_at, created_at) \
         values ($1, $2, $3, $4, $5, $5) on conflict do nothing",
        tenant.uuid(),
        kind.name(),
        kind.dedupe_key(tenant),
        payload,
        run_at,
    )
    .execute(&mut *connection)
    .await?
    .rows_affected()
        == 1;
    if queued {
        notify_workers(connection, WorkerEvent::JobQueued).await?;
    }
    Ok(queued)
}

impl Database {
    /// Queues a job in a transaction of its own, unless the same one waits already. True: it was queued.
    pub async fn queue_job(
        &self,
        tenant: TenantId,
        kind: JobKind,
        run_at: DateTime<Utc>,
    ) -> Result<bool> {
        let mut transaction = self.webhook_transaction(tenant).await?;
        let queued = transaction.queue_job(kind, run_at).await?;
        transaction.commit().await?;
        Ok(queued)
    }
}

/// The columns of a claimed job.
struct ClaimedRow {
    id: i64,
    tenant: TenantId,
    payload: serde_json::Value,
    attempts: i32,
}

/// The jobs that workers hold at the moment.
struct RunningJobs {
    by_tenant: HashMap<TenantId, usize>,
    dedupe_keys: Vec<String>,
}

impl RunningJobs {
    /// The tenants with at least this number of running jobs.
    fn tenants_with(&self, at_least: usize) -> Vec<Uuid> {
        self.by_tenant
            .iter()
            .filter(|(_, running)| **running >= at_least)
            .map(|(tenant, _)| tenant.uuid())
            .collect()
    }
}

impl SystemTx {
    /// Claims the oldest due job of a tenant without running jobs; if there is none, of a tenant below its limit. So
    /// the backlog of one tenant delays no other. A job waits while one with the same dedupe key runs. `short_only`
    /// excludes [long](JobKind::is_long) jobs.
    pub async fn claim_job(
        &mut self,
        worker: Uuid,
        now: DateTime<Utc>,
        lease: Duration,
        short_only: bool,
    ) -> Result<Option<Job>> {
        let running = self.running_jobs(now).await?;
        let mut claimed = None;
        for limit in [1, MAX_RUNNING_PER_TENANT] {
            let busy = running.tenants_with(limit);
            let kinds: &[&str] = if short_only { &LONG_KINDS } else { &[] };
            let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
            claimed = sqlx::query_file_as!(
                ClaimedRow,
                "src/db/jobs/sql/claim.sql",
                worker,
                now,
                now + lease,
                &kinds,
                &busy,
                &running.dedupe_keys,
            )
            .fetch_optional(self.connection())
            .await?;
            if claimed.is_some() || running.by_tenant.is_empty() {
                break;
            }
        }
        let Some(row) = claimed else {
            return Ok(None);
        };
        match serde_json::from_value(row.payload) {
            Ok(kind) => Ok(Some(Job {
                id: row.id,
                worker,
                tenant: row.tenant,
                kind,
                attempts: row.attempts,
            })),
            // A newer version of the program queued it.
            Err(error) => {
                tracing::error!(job.id = row.id, error = %error, "job has an unknown payload; moved to the dead letters");
                self.mark_dead(row.id, worker, &error.to_string(), now)
                    .await?;
                Ok(None)
            }
        }
    }

    async fn running_jobs(&mut self, now: DateTime<Utc>) -> Result<RunningJobs> {
        let rows = sqlx::query!(
            "select tenant_id as \"tenant: TenantId\", dedupe_key from jobs where claimed_until >= $1",
            now
        )
        .fetch_all(self.connection())
        .await?;
        let mut running = RunningJobs {
            by_tenant: HashMap::new(),
            dedupe_keys: Vec::new(),
        };
        for row in rows {
            *running.by_tenant.entry(row.tenant).or_default() += 1;
            running.dedupe_keys.push(row.dedupe_key);
        }
        Ok(running)
    }

    /// Ends the leases of workers without a [heartbeat](super::worker_heartbeat::WorkerHeartbeat), so that their jobs
    /// can be claimed at once. `worker` keeps its own.
    pub async fn expire_jobs_of_dead_workers(
        &mut self,
        worker: Uuid,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let expired = sqlx::query_file!(
            "src/db/jobs/sql/expire_jobs_of_dead_workers.sql",
            worker,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(expired.rows_affected())
    }

    /// Renews a lease. False: the job belongs to another worker now.
    pub async fn renew_job(&mut self, job: &Job, until: DateTime<Utc>) -> Result<bool> {
        let renewed = sqlx::query!(
            "update jobs set claimed_until = $3 where id = $1 and claimed_by = $2",
            job.id,
            job.worker,
            until
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        Ok(renewed == 1)
    }

    /// Resets the attempts of a job that made progress.
    pub async fn reset_attempts(&mut self, job: i64) -> Result<()> {
        sqlx::query!(
            "update jobs set attempts = 1 where id = $1 and attempts > 1",
            job
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Deletes a finished job.
    pub async fn finish_job(&mut self, job: &Job) -> Result<()> {
        sqlx::query!(
            "delete from jobs where id = $1 and claimed_by = $2",
            job.id,
            job.worker
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whether a job is due that no worker has claimed.
    pub async fn has_due_jobs(&mut self, now: DateTime<Utc>) -> Result<bool> {
        Ok(sqlx::query_scalar!(
            "select exists (select from jobs where failed_at is null and run_at <= $1 and claimed_by is null) \
             as \"some!\"",
            now
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Releases a job so that it runs again at `run_at`. If the same job was queued meanwhile, that one replaces it.
    pub async fn retry_job(&mut self, job: &Job, run_at: DateTime<Utc>, error: &str) -> Result<()> {
        let superseded = sqlx::query!(
            "delete from jobs j where j.id = $1 and j.claimed_by = $2 and exists ( \
                select from jobs w where w.dedupe_key = j.dedupe_key and w.id <> j.id \
                   and w.claimed_by is null and w.failed_at is null)",
            job.id,
            job.worker
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        if superseded == 0 {
            sqlx::query!(
                "update jobs set claimed_by = null, claimed_until = null, run_at = $3, last_error = $4 \
                 where id = $1 and claimed_by = $2",
                job.id,
                job.worker,
                run_at,
                error
            )
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    /// Releases a job that a stopping worker did not finish. The attempt does not count.
    pub async fn release_job(&mut self, job: &Job) -> Result<()> {
        sqlx::query!(
            "update jobs set claimed_until = null, claimed_by = null, attempts = attempts - 1 \
             where id = $1 and claimed_by = $2",
            job.id,
            job.worker
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Marks a job that failed too often as dead. An operator can retry it.
    pub async fn move_to_dead_letter(
        &mut self,
        job: &Job,
        error: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.mark_dead(job.id, job.worker, error, now).await
    }

    async fn mark_dead(
        &mut self,
        job: i64,
        worker: Uuid,
        error: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "update jobs set claimed_by = null, claimed_until = null, failed_at = $4, last_error = $3 \
             where id = $1 and claimed_by = $2",
            job,
            worker,
            error,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// How many jobs wait or run.
    pub async fn count_jobs(&mut self) -> Result<i64> {
        Ok(
            sqlx::query_scalar!("select count(*) as \"count!\" from jobs where failed_at is null")
                .fetch_one(self.connection())
                .await?,
        )
    }
}

/// A job as `xboard jobs list` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedJob {
    /// Its id.
    pub id: i64,
    /// The domain of the shop; `None` when the shop was deleted.
    pub shop: Option<String>,
    /// The kind of work.
    pub kind: String,
    /// `WAITING`, `RUNNING` or `DEAD`.
    pub state: String,
    /// How often it was claimed without progress.
    pub attempts: i32,
    /// When it is or was due.
    pub run_at: DateTime<Utc>,
    /// The last error.
    pub last_error: Option<String>,
}

impl SystemTx {
    /// Lists at most 1,000 jobs, dead ones first. `dead` excludes all others.
    pub async fn list_jobs(&mut self, dead: bool, now: DateTime<Utc>) -> Result<Vec<ListedJob>> {
        Ok(
            sqlx::query_file_as!(ListedJob, "src/db/jobs/sql/list.sql", dead, now)
                .fetch_all(self.connection())
                .await?,
        )
    }

    /// Makes dead jobs due again with all their attempts: the one with this id, or every one. If the same job waits
    /// already, that one replaces it. Returns how many were dead.
    pub async fn retry_dead_jobs(&mut self, id: Option<i64>, now: DateTime<Utc>) -> Result<u64> {
        let superseded = sqlx::query_file!("src/db/jobs/sql/delete_superseded_dead.sql", id)
            .execute(self.connection())
            .await?
            .rows_affected();
        let retried = sqlx::query!(
            "update jobs set failed_at = null, attempts = 0, run_at = $2 \
             where failed_at is not null and ($1::bigint is null or id = $1)",
            id,
            now
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        Ok(superseded + retried)
    }
}

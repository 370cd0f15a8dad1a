//! The queue of jobs. A job is written in the transaction that causes it, claimed with SKIP LOCKED (or, for a worker
//! beside it, as it is written) under a lease that its worker renews, and put back when it fails. The jobs of a worker
//! that dies are free at once, because it held a lock with its life ([`Presence`](super::presence::Presence)); those of
//! one that hangs, when its lease runs out. So two may work on the same job for a moment: every job can be done twice
//! without harm.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::presence::{self, Heard};
use super::{Database, DbError, Result, SystemTx, TenantTx};
use crate::domain::ids::{PrivacyRequestId, SyncRunId, TenantId};

/// The kinds that may take long, the more the larger the store is.
const LONG: [&str; 2] = ["sync", "reconcile"];

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Carry out a run of a sync.
    Sync {
        /// Which one.
        run: SyncRunId,
    },
    /// Fetch the objects that webhooks named.
    Hints,
    /// Answer a customer's privacy request.
    Privacy {
        /// Which one.
        request: PrivacyRequestId,
    },
    /// An owner disconnected the store: give up its webhooks, then forget the token.
    Disconnect,
    /// The app was uninstalled: forget the token, stop the work.
    Uninstall,
    /// Shopify, or the operator, asks for everything of the store to be deleted.
    RedactShop {
        /// The operator does.
        #[serde(default)]
        by_operator: bool,
    },
    /// See to it that the webhooks are registered.
    Subscriptions,
    /// Compare which objects the store has with those that are kept.
    Reconcile,
}

impl JobKind {
    const fn name(&self) -> &'static str {
        match self {
            Self::Sync { .. } => "sync",
            Self::Hints => "hints",
            Self::Privacy { .. } => "privacy",
            Self::Disconnect => "disconnect",
            Self::Uninstall => "uninstall",
            Self::RedactShop { .. } => "redact_shop",
            Self::Subscriptions => "subscriptions",
            Self::Reconcile => "reconcile",
        }
    }

    /// Whether it may take long, the more the larger the store is.
    #[must_use]
    pub fn is_long(&self) -> bool {
        LONG.contains(&self.name())
    }

    pub(super) fn row(self, tenant: TenantId) -> Result<JobRow> {
        Ok(JobRow {
            kind: self.name(),
            dedupe_key: self.dedupe_key(tenant),
            payload: serde_json::to_value(self)
                .map_err(|error| DbError::Corrupt(error.to_string()))?,
        })
    }

    pub(super) fn dedupe_key(&self, tenant: TenantId) -> String {
        match self {
            Self::Sync { run } => format!("sync:{tenant}:{run}"),
            Self::Privacy { request } => format!("privacy:{tenant}:{}", request.uuid()),
            // Registering webhooks and giving them up are never done at the same time.
            Self::Disconnect => format!("{}:{tenant}", Self::Subscriptions.name()),
            other => format!("{}:{tenant}", other.name()),
        }
    }
}

/// What a job is written down as.
#[derive(Debug)]
pub(super) struct JobRow {
    pub(super) kind: &'static str,
    pub(super) dedupe_key: String,
    pub(super) payload: serde_json::Value,
}

/// A job that a worker has claimed.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// Who claimed it.
    pub worker: Uuid,
    /// The store it is about.
    pub tenant: TenantId,
    /// What is to be done.
    pub kind: JobKind,
    /// How often it has been tried, this time included.
    pub attempts: i32,
    /// Whether another one was due then that nobody had claimed.
    pub more: bool,
}

impl Job {
    /// One that was claimed as it was written down.
    pub(super) const fn handed(id: i64, worker: Uuid, tenant: TenantId, kind: JobKind) -> Self {
        Self {
            id,
            worker,
            tenant,
            kind,
            attempts: 1,
            more: false,
        }
    }
}

impl TenantTx {
    /// Queues a job, unless the same one is waiting already: then the answer is false.
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
    let row = kind.row(tenant)?;
    let queued = sqlx::query!(
        "insert into jobs (tenant_id, kind, dedupe_key, payload, run_at, created_at) \
         values ($1, $2, $3, $4, $5, $5) on conflict do nothing",
        tenant.uuid(),
        row.kind,
        row.dedupe_key,
        row.payload,
        run_at,
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if queued == 1 {
        presence::announce(connection, Heard::Queued).await?;
    }
    Ok(queued == 1)
}

impl Database {
    /// Queues a job of a store, to run at an instant, unless the same one waits already: on its own, in one exchange.
    /// True: it was queued.
    pub async fn queue_job(
        &self,
        tenant: TenantId,
        kind: JobKind,
        run_at: DateTime<Utc>,
    ) -> Result<bool> {
        let row = kind.row(tenant)?;
        Ok(sqlx::query_scalar!(
            "select queue_job($1, $2, $3, $4, $5, $6, $7) as \"queued!\"",
            tenant.uuid(),
            row.kind,
            row.dedupe_key,
            row.payload,
            run_at,
            presence::CHANNEL,
            Heard::Queued.text(),
        )
        .fetch_one(&self.short)
        .await?)
    }
}

impl SystemTx {
    /// Queues a job of a store, unless the same one is waiting already.
    pub(super) async fn queue_job_of(
        &mut self,
        tenant: TenantId,
        kind: JobKind,
        run_at: DateTime<Utc>,
    ) -> Result<bool> {
        queue(self.connection(), tenant, kind, run_at).await
    }

    /// Claims a due job that nobody works on: it was never claimed, or its lease has run out, or the worker
    /// that claimed it is no longer there. One of the store that has the fewest under way, and of those the one
    /// that is due longest, so that one store's backlog never keeps another waiting. A job waits while its like
    /// is being worked on. With `quick`, none that [is long](JobKind::is_long).
    pub async fn claim_job(
        &mut self,
        worker: Uuid,
        now: DateTime<Utc>,
        lease: Duration,
        quick: bool,
    ) -> Result<Option<Job>> {
        let until = now + lease;
        let row = sqlx::query!(
            "update jobs set claimed_by = $1, claimed_until = $3, attempts = attempts + 1 \
             where id = ( \
                select j.id from jobs j \
                where j.dead_at is null and j.run_at <= $2 \
                   and (not $4::boolean or j.kind <> all($5::text[])) \
                   and not exists (select from jobs r where r.tenant_id = j.tenant_id and r.dedupe_key = j.dedupe_key \
                      and r.id <> j.id and r.claimed_until >= $2 and r.dead_at is null) \
                   and case \
                      when j.claimed_until is null or j.claimed_until < $2 then true \
                      when j.claimed_by = $1 then false \
                      else pg_try_advisory_xact_lock(hashtextextended(j.claimed_by::text, 0)) end \
                order by (select count(*) from jobs r where r.tenant_id = j.tenant_id and r.claimed_until >= $2), \
                   j.run_at, j.id \
                limit 1 for update of j skip locked) \
             returning id, tenant_id as \"tenant: TenantId\", payload, attempts, \
                exists (select from jobs o where o.id <> jobs.id and o.dead_at is null and o.run_at <= $2 \
                   and o.claimed_by is null) as \"more!\"",
            worker,
            now,
            until,
            quick,
            &LONG.map(str::to_owned),
        )
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        match serde_json::from_value(row.payload) {
            Ok(kind) => Ok(Some(Job {
                id: row.id,
                worker,
                tenant: row.tenant,
                kind,
                attempts: row.attempts,
                more: row.more,
            })),
            // A newer version's job: put aside, so that it does not stand in the way of the others.
            Err(error) => {
                tracing::error!(job.id = row.id, error = %error, "a job that this version cannot read is set aside");
                self.bury(row.id, worker, &error.to_string(), now).await?;
                Ok(None)
            }
        }
    }

    /// Renews a lease. False when the job is no longer this worker's.
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

    /// Forgets how often a job was tried, because it got somewhere.
    pub async fn reset_attempts(&mut self, job: i64) -> Result<()> {
        sqlx::query!(
            "update jobs set attempts = 1 where id = $1 and attempts > 1",
            job
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes a job that is done off the queue. Whether another one is due that nobody has claimed.
    pub async fn finish_job(&mut self, job: &Job, now: DateTime<Utc>) -> Result<bool> {
        Ok(sqlx::query_scalar!(
            "with done as (delete from jobs where id = $1 and claimed_by = $2) \
             select exists (select from jobs where id <> $1 and dead_at is null and run_at <= $3 \
                and claimed_by is null) as \"more!\"",
            job.id,
            job.worker,
            now
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Puts a job back, to be tried again at `run_at`. Where the same one was queued meanwhile, that one
    /// stands for both.
    pub async fn retry_job(&mut self, job: &Job, run_at: DateTime<Utc>, error: &str) -> Result<()> {
        let superseded = sqlx::query!(
            "delete from jobs j where j.id = $1 and j.claimed_by = $2 and exists ( \
                select from jobs w where w.dedupe_key = j.dedupe_key and w.id <> j.id \
                   and w.claimed_by is null and w.dead_at is null)",
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

    /// Gives a job back untried, for a worker that is asked to stop: it is due at once.
    pub async fn give_back_job(&mut self, job: &Job) -> Result<()> {
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

    /// Sets a job aside that has failed too often; an operator may look at it.
    pub async fn bury_job(&mut self, job: &Job, error: &str, now: DateTime<Utc>) -> Result<()> {
        self.bury(job.id, job.worker, error, now).await
    }

    async fn bury(
        &mut self,
        job: i64,
        worker: Uuid,
        error: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "update jobs set claimed_by = null, claimed_until = null, dead_at = $4, last_error = $3 \
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

    /// How many jobs are waiting or being worked on.
    pub async fn count_jobs(&mut self) -> Result<i64> {
        Ok(
            sqlx::query_scalar!("select count(*) as \"count!\" from jobs where dead_at is null")
                .fetch_one(self.connection())
                .await?,
        )
    }
}

/// A job as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedJob {
    /// Its number.
    pub id: i64,
    /// The domain of the store it is about; `None` when the store is gone.
    pub shop: Option<String>,
    /// What is to be done.
    pub kind: String,
    /// `WAITING`, `RUNNING` or `DEAD`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is due, or was.
    pub run_at: DateTime<Utc>,
    /// Why it failed the last time.
    pub last_error: Option<String>,
}

impl SystemTx {
    /// The jobs that there are, the dead ones first; with `dead`, those alone.
    pub async fn list_jobs(&mut self, dead: bool, now: DateTime<Utc>) -> Result<Vec<ListedJob>> {
        Ok(sqlx::query_as!(
            ListedJob,
            "select j.id, t.shop_domain as \"shop?\", j.kind, j.attempts, j.run_at, j.last_error, \
                    case when j.dead_at is not null then 'DEAD' when j.claimed_until >= $2 then 'RUNNING' \
                         else 'WAITING' end as \"state!\" \
             from jobs j left join tenants t on t.id = j.tenant_id \
             where not $1 or j.dead_at is not null order by j.dead_at is null, j.run_at, j.id limit 1000",
            dead,
            now
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Lets dead jobs be tried again, with all their attempts: the one of that number, or every one. Where
    /// the same one waits already, that one stands for both. Returns how many were dead.
    pub async fn retry_dead_jobs(&mut self, id: Option<i64>, now: DateTime<Utc>) -> Result<u64> {
        let superseded = sqlx::query!(
            "delete from jobs j where j.dead_at is not null and ($1::bigint is null or j.id = $1) \
               and exists (select from jobs o where o.dedupe_key = j.dedupe_key and o.claimed_by is null \
                  and (o.dead_at is null or (o.id > j.id and ($1::bigint is null or o.id = $1))))",
            id
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        let revived = sqlx::query!(
            "update jobs set dead_at = null, attempts = 0, run_at = $2 \
             where dead_at is not null and ($1::bigint is null or id = $1)",
            id,
            now
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        Ok(superseded + revived)
    }
}

//! The worker: claims jobs, runs them under a lease, retries failed ones, and moves jobs that cannot succeed to the
//! dead letters. Any number of processes may run a worker.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use super::{SyncError, SyncService};
use crate::db::DbError;
use crate::db::jobs::{Job, JobKind};
use crate::db::worker_heartbeat::{WorkerEvent, WorkerHeartbeat};

/// How often an idle worker polls. A queued job wakes the worker at once. Polling finds delayed jobs, and the jobs of
/// dead workers.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The longest delay before a failed job is retried.
const MAX_RETRY_DELAY: Duration = Duration::from_mins(5);

/// Runs jobs until `shutdown` is cancelled. Then it releases the jobs that it holds.
pub async fn run(sync: SyncService, shutdown: CancellationToken) {
    let worker = Uuid::now_v7();
    info!(worker.id = %worker, "worker started");
    let tracker = TaskTracker::new();
    let wake_up = Arc::new(Notify::new());
    let (alive, seen) = watch::channel(false);
    let dispatcher = Dispatcher {
        sync: sync.clone(),
        worker,
        wake_up: Arc::clone(&wake_up),
        slots: Arc::new(Semaphore::new(sync.config.concurrency)),
        // One of several slots runs no long job, so that changed objects are fetched while large shops are synced.
        long_slots: Arc::new(Semaphore::new(
            sync.config.concurrency.saturating_sub(1).max(1),
        )),
        running: JoinSet::new(),
        shutdown: shutdown.clone(),
        dead_workers_checked: None,
    };
    tracker.spawn(dispatcher.run(seen));
    tracker.spawn(super::scheduler::run(sync.clone(), shutdown));
    tracker.close();
    tokio::select! {
        () = hold_heartbeat(&sync, worker, &alive, &wake_up) => {}
        () = tracker.wait() => {}
    }
    info!(worker.id = %worker, "worker stopped");
}

/// Holds the worker's heartbeat, and restarts it after a lost connection. Without a heartbeat the worker claims no
/// job. Another worker may take over its jobs meanwhile; the lease detects that.
async fn hold_heartbeat(
    sync: &SyncService,
    worker: Uuid,
    alive: &watch::Sender<bool>,
    wake_up: &Notify,
) {
    let interval = sync.config.lease / 3;
    loop {
        match sync.database.worker_heartbeat(worker).await {
            Ok(mut heartbeat) => {
                alive.send_replace(true);
                // Jobs may have been queued before the worker listened.
                wake_up.notify_one();
                listen(sync, &mut heartbeat, interval, wake_up).await;
                alive.send_replace(false);
                warn!(worker.id = %worker, "worker heartbeat lost; connecting again");
            }
            Err(error) => {
                warn!(worker.id = %worker, error = %error, "worker heartbeat could not be started");
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
    }
}

/// Wakes the worker for each queued job until the heartbeat is lost.
async fn listen(
    sync: &SyncService,
    heartbeat: &mut WorkerHeartbeat,
    interval: Duration,
    wake_up: &Notify,
) {
    let mut check_at = Instant::now() + interval;
    loop {
        tokio::select! {
            event = heartbeat.next_event() => match event {
                Ok(Some(WorkerEvent::JobQueued)) => wake_up.notify_one(),
                Ok(Some(WorkerEvent::BulkOperationFinished)) => sync.bulk_finished.notify_waiters(),
                Ok(None) | Err(_) => return,
            },
            () = tokio::time::sleep_until(check_at) => {
                let checked = tokio::time::timeout(interval, heartbeat.check()).await;
                if !matches!(checked, Ok(Ok(()))) {
                    return;
                }
                check_at = Instant::now() + interval;
            }
        }
    }
}

/// Claims jobs for all slots of a worker and runs them.
struct Dispatcher {
    sync: SyncService,
    worker: Uuid,
    wake_up: Arc<Notify>,
    slots: Arc<Semaphore>,
    long_slots: Arc<Semaphore>,
    /// Each task returns whether another job may be due.
    running: JoinSet<bool>,
    shutdown: CancellationToken,
    dead_workers_checked: Option<Instant>,
}

impl Dispatcher {
    async fn run(mut self, mut alive: watch::Receiver<bool>) {
        let mut poll = true;
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                // The sender lives as long as the worker.
                _ = alive.wait_for(|alive| *alive) => {}
            }
            let slots = Arc::clone(&self.slots);
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                Ok(slot) = slots.acquire_owned(), if poll => poll = self.claim_and_start(slot).await,
                more_due = next_finished(&mut self.running) => poll |= more_due,
                () = self.wake_up.notified() => poll = true,
                () = tokio::time::sleep(POLL_INTERVAL), if !poll => poll = true,
            }
        }
        // Each task releases its job.
        while self.running.join_next().await.is_some() {}
    }

    /// Claims and starts the next job. Returns whether another job may be due.
    async fn claim_and_start(&mut self, slot: OwnedSemaphorePermit) -> bool {
        let long_slot = Arc::clone(&self.long_slots).try_acquire_owned().ok();
        match self.claim(long_slot.is_none()).await {
            Ok(Some((job, more_due))) => {
                let long_slot = long_slot.filter(|_| job.kind.is_long());
                let sync = self.sync.clone();
                let shutdown = self.shutdown.clone();
                self.running.spawn(async move {
                    let more_due = run_claimed(&sync, &job, &shutdown).await;
                    drop((slot, long_slot));
                    more_due
                });
                more_due
            }
            Ok(None) => false,
            Err(error) => {
                warn!(error = %error, "jobs could not be claimed");
                false
            }
        }
    }

    /// Claims the next job. Returns whether another job is due.
    async fn claim(&mut self, short_only: bool) -> Result<Option<(Job, bool)>, DbError> {
        let now = self.sync.clock.now();
        let check_is_due = self
            .dead_workers_checked
            .is_none_or(|checked| checked.elapsed() >= POLL_INTERVAL);
        let mut transaction = self.sync.database.system().await?;
        if check_is_due {
            let expired = transaction
                .expire_jobs_of_dead_workers(self.worker, now)
                .await?;
            if expired > 0 {
                info!(jobs = expired, "taking over jobs of dead workers");
            }
            self.dead_workers_checked = Some(Instant::now());
        }
        let lease = self.sync.config.lease;
        let job = transaction
            .claim_job(self.worker, now, lease, short_only)
            .await?;
        let more_due = job.is_some() && transaction.has_due_jobs(now).await?;
        transaction.commit().await?;
        Ok(job.map(|job| (job, more_due)))
    }
}

/// Waits for the next task to finish. Without a task it never returns.
async fn next_finished(running: &mut JoinSet<bool>) -> bool {
    match running.join_next().await {
        Some(Ok(more_due)) => more_due,
        Some(Err(error)) => {
            error!(error = %error, "worker task failed");
            true
        }
        None => std::future::pending().await,
    }
}

/// Runs a job while renewing its lease. If the lease is lost or the worker stops, the job is cancelled. Its progress
/// is committed, and the next worker continues from there. Returns whether another job may be due.
async fn run_claimed(sync: &SyncService, job: &Job, shutdown: &CancellationToken) -> bool {
    if job.attempts > sync.config.max_attempts {
        // The process died too often while it ran this job, so the job is probably the cause.
        return logged(
            sync.fail(job, &SyncError::WorkerDied(job.attempts - 1))
                .await,
        );
    }
    let outcome = tokio::select! {
        outcome = AssertUnwindSafe(sync.run_job(job)).catch_unwind() => outcome,
        () = keep_lease(sync, job) => {
            warn!(job.id, "job lease lost");
            return true;
        }
        () = shutdown.cancelled() => {
            logged(sync.release(job).await.map(|()| true));
            return true;
        }
    };
    logged(match outcome {
        Ok(Ok(())) => sync.finish(job).await,
        Ok(Err(error)) => sync.retry_or_fail(job, &error).await,
        Err(panic) => {
            let error = SyncError::Panicked(panic_message(panic.as_ref()));
            sync.retry_or_fail(job, &error).await
        }
    })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// Logs that an outcome could not be saved. The lease then expires, and the job runs again.
fn logged(outcome: Result<bool, DbError>) -> bool {
    outcome
        .inspect_err(|error| error!(error = %error, "job outcome could not be saved"))
        .unwrap_or(true)
}

/// Renews the lease of a job. Returns when the lease is lost.
async fn keep_lease(sync: &SyncService, job: &Job) {
    loop {
        tokio::time::sleep(sync.config.lease / 3).await;
        match sync.renew(job).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => debug!(error = %error, "job lease could not be renewed"),
        }
    }
}

impl SyncService {
    async fn renew(&self, job: &Job) -> Result<bool, DbError> {
        let mut transaction = self.database.system().await?;
        let renewed = transaction
            .renew_job(job, self.clock.now() + self.config.lease)
            .await?;
        transaction.commit().await?;
        Ok(renewed)
    }

    /// Deletes a finished job. Returns whether another job is due.
    async fn finish(&self, job: &Job) -> Result<bool, DbError> {
        let mut transaction = self.database.system().await?;
        transaction.finish_job(job).await?;
        let more_due = transaction.has_due_jobs(self.clock.now()).await?;
        transaction.commit().await?;
        Ok(more_due)
    }

    async fn release(&self, job: &Job) -> Result<(), DbError> {
        let mut transaction = self.database.system().await?;
        transaction.release_job(job).await?;
        transaction.commit().await
    }

    /// Retries a job later if the error may be transient, otherwise fails the job. Returns whether another job may be
    /// due.
    async fn retry_or_fail(&self, job: &Job, error: &SyncError) -> Result<bool, DbError> {
        if !error.is_transient() || job.attempts >= self.config.max_attempts {
            return self.fail(job, error).await;
        }
        let delay = self
            .retry_delay(job.attempts)
            .max(error.retry_after().unwrap_or_default());
        warn!(tenant.id = %job.tenant, job.id, job.attempts, error = %error, retry.delay_ms = %delay.as_millis(), "job failed and will be retried");
        let mut transaction = self.database.system().await?;
        transaction
            .retry_job(job, self.clock.now() + delay, &error.to_string())
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Ends a job that cannot succeed: a sync run becomes `FAILED`, every other job becomes a dead letter.
    async fn fail(&self, job: &Job, error: &SyncError) -> Result<bool, DbError> {
        error!(tenant.id = %job.tenant, job.id, job.attempts, error = %error, "job failed");
        if let JobKind::Sync { run } = job.kind {
            // The next scheduled run fetches everything that this run did not fetch.
            self.fail_sync(job.tenant, run, error).await?;
            return self.finish(job).await;
        }
        self.record_failure(job.tenant, error).await?;
        let mut transaction = self.database.system().await?;
        transaction
            .move_to_dead_letter(job, &error.to_string(), self.clock.now())
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn run_job(&self, job: &Job) -> Result<(), SyncError> {
        match job.kind {
            JobKind::Sync { run } => Box::pin(self.execute_run(job.tenant, run)).await,
            JobKind::Refetch => Box::pin(self.process_pending_refetches(job)).await,
            JobKind::Privacy { request } => Ok(self.answer_privacy(job.tenant, request).await?),
            JobKind::Disconnect => Box::pin(self.finish_disconnecting(job)).await,
            JobKind::Uninstall => Ok(self.uninstall(job.tenant, job.id).await?),
            JobKind::RedactShop { by_operator } => {
                Box::pin(self.redact_shop(job.tenant, job.id, by_operator)).await
            }
            JobKind::Subscriptions => Box::pin(self.ensure_webhook_subscriptions(job.tenant)).await,
            JobKind::Reconcile => Box::pin(self.reconcile(job.tenant)).await,
            JobKind::Retention => Ok(self.apply_retention(job.tenant).await?),
        }
    }

    /// The delay doubles with each attempt. Up to half of it is added at random, so that failed jobs do not retry all
    /// at once.
    fn retry_delay(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts.clamp(1, 12)).unwrap_or(1) - 1;
        let delay = self
            .config
            .retry_base
            .saturating_mul(1 << doublings)
            .min(MAX_RETRY_DELAY);
        let jitter = u32::from(Uuid::new_v4().as_bytes().first().copied().unwrap_or(0));
        delay + delay * jitter / 512
    }
}

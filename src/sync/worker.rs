//! The worker: claims jobs, carries them out under a lease, puts failed ones back, and queues the scheduled
//! syncs. Any number of processes may run one; what a killed one was working on, the next takes up at once.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use super::places::{HandedJob, Place, Places};
use super::{SyncError, SyncService};
use crate::db::DbError;
use crate::db::jobs::{Job, JobKind};
use crate::db::presence::{Heard, Presence};
use crate::db::shops::ShopStatus;
use crate::db::webhooks::ToFollow;
use crate::domain::ids::TenantId;
use crate::domain::sync::{SyncMode, SyncTrigger};

/// How long an idle worker waits before it looks again; a job that is queued wakes it at once.
const IDLE: Duration = Duration::from_secs(1);

/// The longest wait before a failed job is tried again.
const RETRY_MAX: Duration = Duration::from_mins(5);

/// A store whose credentials were refused is asked this often.
const UNWELL_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// Works on jobs until `shutdown` is cancelled; then finishes nothing new and gives back what it holds.
pub async fn run(sync: SyncService, shutdown: CancellationToken) {
    let worker = Uuid::now_v7();
    info!(worker.id = %worker, "the worker is running");
    let tracker = TaskTracker::new();
    let queued = Arc::new(Notify::new());
    let (present, seen) = watch::channel(false);
    let places = Places::new(sync.config.concurrency);
    let dispatcher = Dispatcher {
        sync: sync.clone(),
        worker,
        queued: Arc::clone(&queued),
        places: places.clone(),
        handed: sync.handover.open(worker, places, seen.clone()),
        working: JoinSet::new(),
        shutdown: shutdown.clone(),
    };
    tracker.spawn(dispatcher.run(seen));
    tracker.spawn(schedule(sync.clone(), shutdown));
    tracker.close();
    tokio::select! {
        () = stay_present(&sync, worker, &present, &queued) => {}
        () = tracker.wait() => {}
    }
    info!(worker.id = %worker, "the worker has stopped");
}

/// Holds the worker's sign of life, and takes it up anew when the connection is lost. While it is not held,
/// nothing is claimed; what is being worked on may be taken by another, which the lease then tells.
async fn stay_present(
    sync: &SyncService,
    worker: Uuid,
    present: &watch::Sender<bool>,
    queued: &Notify,
) {
    let pause = sync.config.lease / 3;
    loop {
        match sync.database.presence(worker).await {
            Ok(mut presence) => {
                present.send_replace(true);
                // What was queued before we listened.
                queued.notify_one();
                listen(sync, &mut presence, pause, queued).await;
                present.send_replace(false);
                warn!(worker.id = %worker, "the worker's sign of life was lost");
            }
            Err(error) => {
                warn!(worker.id = %worker, error = %error, "the worker cannot give a sign of life");
                tokio::time::sleep(IDLE).await;
            }
        }
    }
}

/// Hands on what is heard, until the sign of life is lost.
async fn listen(sync: &SyncService, presence: &mut Presence, pause: Duration, queued: &Notify) {
    let mut confirm_at = Instant::now() + pause;
    loop {
        tokio::select! {
            heard = presence.hear() => match heard {
                Ok(Some(Heard::Queued)) => queued.notify_one(),
                Ok(Some(Heard::BulkFinished)) => sync.bulk_finished.notify_waiters(),
                Ok(None) | Err(_) => return,
            },
            () = tokio::time::sleep_until(confirm_at) => {
                let confirmed = tokio::time::timeout(pause, presence.confirm()).await;
                if !matches!(confirmed, Ok(Ok(()))) {
                    return;
                }
                confirm_at = Instant::now() + pause;
            }
        }
    }
}

/// Claims the jobs of a worker and has them carried out: one that claims for all places, so that a job which
/// was queued is looked for once.
struct Dispatcher {
    sync: SyncService,
    worker: Uuid,
    queued: Arc<Notify>,
    places: Places,
    /// Jobs that were claimed for this worker as they were written down.
    handed: mpsc::UnboundedReceiver<HandedJob>,
    /// What is being worked on. Each says in the end whether another job may be due.
    working: JoinSet<bool>,
    shutdown: CancellationToken,
}

impl Dispatcher {
    async fn run(mut self, mut seen: watch::Receiver<bool>) {
        let mut look = true;
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                // Its sender lives as long as the worker.
                _ = seen.wait_for(|present| *present) => {}
            }
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                Some(handed) = self.handed.recv() => {
                    self.start(handed.job, handed.to_follow, handed.place);
                }
                place = self.places.free(), if look => look = self.claim_and_start(place).await,
                more = ended(&mut self.working) => look |= more,
                () = self.queued.notified() => look = true,
                () = tokio::time::sleep(IDLE), if !look => look = true,
            }
        }
        self.sync.handover.shut(self.worker);
        while let Ok(handed) = self.handed.try_recv() {
            settle(self.sync.give_back(&handed.job).await);
        }
        // Each gives back what it holds.
        while self.working.join_next().await.is_some() {}
    }

    /// Starts the next job; whether there may be another one.
    async fn claim_and_start(&mut self, place: Place) -> bool {
        let long = self.places.for_a_long_job();
        match claim(&self.sync, self.worker, long.is_none()).await {
            Ok(Some(job)) => {
                let more = job.more;
                let long = long.filter(|_| job.kind.is_long());
                self.start(job, None, (place, long));
                more
            }
            Ok(None) => false,
            Err(error) => {
                warn!(error = %error, "no job could be claimed");
                false
            }
        }
    }

    /// Starts a job in a place that is held until it ends.
    fn start(&mut self, job: Job, to_follow: Option<Box<ToFollow>>, place: impl Send + 'static) {
        let sync = self.sync.clone();
        let shutdown = self.shutdown.clone();
        self.working.spawn(async move {
            let more = work(&sync, &job, to_follow, &shutdown).await;
            drop(place);
            more
        });
    }
}

/// Waits for the next one to end; for ever when there is none. One that panicked leaves its job to the lease.
async fn ended(working: &mut JoinSet<bool>) -> bool {
    match working.join_next().await {
        Some(Ok(more)) => more,
        Some(Err(error)) => {
            error!(error = %error, "a job broke off");
            true
        }
        None => std::future::pending().await,
    }
}

async fn claim(sync: &SyncService, worker: Uuid, quick: bool) -> Result<Option<Job>, DbError> {
    let mut transaction = sync.database.system().await?;
    let job = transaction
        .claim_job(worker, sync.clock.now(), sync.config.lease, quick)
        .await?;
    transaction.commit().await?;
    Ok(job)
}

/// Carries a job out while renewing its lease. When the lease is lost, or the worker is asked to stop, the
/// work is dropped where it stands: everything that counts has been committed, and the next one goes on.
/// Whether another job may be due.
async fn work(
    sync: &SyncService,
    job: &Job,
    to_follow: Option<Box<ToFollow>>,
    shutdown: &CancellationToken,
) -> bool {
    let outcome = tokio::select! {
        outcome = sync.carry_out_job(job, to_follow) => Some(outcome),
        () = keep_lease(sync, job) => None,
        () = shutdown.cancelled() => {
            settle(sync.give_back(job).await);
            return true;
        }
    };
    match outcome {
        Some(Ok(Done::OffTheQueue { more })) => Some(more),
        Some(Ok(Done::Queued)) => settle(sync.finish(job).await),
        Some(Err(error)) => settle(sync.put_back_or_give_up(job, &error).await),
        None => {
            warn!(job.id, "the lease of a job was lost");
            None
        }
    }
    .unwrap_or(true)
}

fn settle<T>(outcome: Result<T, DbError>) -> Option<T> {
    outcome
        // The lease runs out and the job is taken up again.
        .inspect_err(|error| error!(error = %error, "a job's outcome could not be written"))
        .ok()
}

/// How a job that is done stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Done {
    /// It is still to be taken off the queue.
    Queued,
    /// It was taken off with the last of its work.
    OffTheQueue {
        /// Whether another job may be due.
        more: bool,
    },
}

/// Returns when the lease is lost.
async fn keep_lease(sync: &SyncService, job: &Job) {
    loop {
        tokio::time::sleep(sync.config.lease / 3).await;
        match sync.renew(job).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => debug!(error = %error, "a lease could not be renewed"),
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

    /// Whether another job is due.
    async fn finish(&self, job: &Job) -> Result<bool, DbError> {
        let mut transaction = self.database.system().await?;
        let more = transaction.finish_job(job, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(more)
    }

    async fn give_back(&self, job: &Job) -> Result<(), DbError> {
        let mut transaction = self.database.system().await?;
        transaction.give_back_job(job).await?;
        transaction.commit().await
    }

    /// Whether another job may be due.
    async fn put_back_or_give_up(&self, job: &Job, error: &SyncError) -> Result<bool, DbError> {
        if error.is_transient() && job.attempts < self.config.max_attempts {
            let delay = self
                .retry_delay(job.attempts)
                .max(error.retry_after().unwrap_or_default());
            warn!(tenant.id = %job.tenant, job.id, job.attempts, error = %error, retry.delay_ms = %delay.as_millis(), "a job will be tried again");
            let mut transaction = self.database.system().await?;
            transaction
                .retry_job(job, self.clock.now() + delay, &error.to_string())
                .await?;
            transaction.commit().await?;
            return Ok(true);
        }
        error!(tenant.id = %job.tenant, job.id, job.attempts, error = %error, "a job has failed");
        if let JobKind::Sync { run } = job.kind {
            // The run itself says why; the next one fetches what this one did not.
            self.fail_sync(job.tenant, run, error).await?;
            return self.finish(job).await;
        }
        self.note_trouble(job.tenant, error).await?;
        let mut transaction = self.database.system().await?;
        transaction
            .bury_job(job, &error.to_string(), self.clock.now())
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn carry_out_job(
        &self,
        job: &Job,
        to_follow: Option<Box<ToFollow>>,
    ) -> Result<Done, SyncError> {
        match job.kind {
            JobKind::Sync { run } => Box::pin(self.carry_out(job.tenant, run)).await?,
            JobKind::Hints => return Box::pin(self.follow_hints(job, to_follow)).await,
            JobKind::Privacy { request } => self.answer_privacy(job.tenant, request).await?,
            JobKind::Disconnect => Box::pin(self.finish_disconnecting(job)).await?,
            JobKind::Uninstall => self.uninstall(job.tenant, job.id).await?,
            JobKind::RedactShop { by_operator } => {
                Box::pin(self.redact_shop(job.tenant, job.id, by_operator)).await?;
            }
            JobKind::Subscriptions => Box::pin(self.look_after_webhooks(job.tenant)).await?,
            JobKind::Reconcile => Box::pin(self.reconcile(job.tenant)).await?,
        }
        Ok(Done::Queued)
    }

    /// Doubles with each attempt, with up to a half on top so that many do not come back at once.
    fn retry_delay(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts.clamp(1, 12)).unwrap_or(1) - 1;
        let delay = self
            .config
            .retry_base
            .saturating_mul(1 << doublings)
            .min(RETRY_MAX);
        let jitter = u32::from(Uuid::new_v4().as_bytes().first().copied().unwrap_or(0));
        delay + delay * jitter / 512
    }

    /// Queues a sync for each store that is due. Returns how many were.
    pub async fn queue_due_syncs(&self) -> Result<usize, DbError> {
        let Some(interval) = self.config.sync_interval else {
            return Ok(0);
        };
        let now = self.clock.now();
        let mut transaction = self.database.system().await?;
        let due = transaction.take_due_tenants(now, now + interval).await?;
        transaction.commit().await?;
        for &tenant in &due {
            self.queue_scheduled_sync(tenant).await?;
        }
        Ok(due.len())
    }

    async fn queue_scheduled_sync(&self, tenant: TenantId) -> Result<(), DbError> {
        let mut transaction = self.database.tenant(tenant).await?;
        let unwell = match transaction.shop().await?.map(|shop| shop.status) {
            Some(ShopStatus::Connected) => false,
            Some(ShopStatus::ReauthorisationNeeded | ShopStatus::Suspended) => true,
            Some(ShopStatus::Disconnected) | None => return Ok(()),
        };
        self.request_sync(
            &mut transaction,
            SyncMode::Incremental,
            SyncTrigger::Schedule,
        )
        .await?;
        // Those that a failed job left behind.
        if !unwell && transaction.has_hints().await? {
            transaction
                .queue_job(JobKind::Hints, self.clock.now())
                .await?;
        }
        transaction.commit().await?;
        if unwell {
            let mut transaction = self.database.system().await?;
            transaction
                .postpone_tenant(tenant, self.clock.now() + UNWELL_INTERVAL)
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}

async fn schedule(sync: SyncService, shutdown: CancellationToken) {
    let intervals = [sync.config.sync_interval, sync.config.upkeep_interval];
    let Some(interval) = intervals.into_iter().flatten().min() else {
        return;
    };
    let look = (interval / 10).clamp(Duration::from_secs(1), Duration::from_secs(30));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(look) => {}
        }
        if let Err(error) = sync.queue_due_syncs().await {
            warn!(error = %error, "the scheduled syncs could not be queued");
        }
        if let Err(error) = sync.queue_due_upkeep().await {
            warn!(error = %error, "the upkeep of stores could not be queued");
        }
    }
}

//! The scheduler: queues the sync and the maintenance of each shop when they are due. Any number of processes may run
//! it; each shop is queued by one of them. A shop that fails does not stop the others, and stays due.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::SyncService;
use crate::db::DbError;
use crate::db::jobs::JobKind;
use crate::db::shops::ShopStatus;
use crate::domain::ids::TenantId;
use crate::domain::sync::{SyncMode, SyncTrigger};

/// How often a shop is synced whose credentials were refused or that is suspended.
const DEGRADED_INTERVAL: TimeDelta = TimeDelta::hours(1);
/// How many due shops are read at a time.
const PAGE: usize = 500;

/// Queues what is due until `shutdown` is cancelled.
pub(super) async fn run(sync: SyncService, shutdown: CancellationToken) {
    let intervals = [sync.config.sync_interval, sync.config.maintenance_interval];
    let Some(interval) = intervals.into_iter().flatten().min() else {
        return;
    };
    let tick = (interval / 10).clamp(Duration::from_secs(1), Duration::from_secs(30));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(tick) => {}
        }
        if let Err(error) = sync.queue_due_syncs().await {
            warn!(error = %error, "due syncs could not be queued");
        }
        if let Err(error) = sync.queue_due_maintenance().await {
            warn!(error = %error, "due maintenance could not be queued");
        }
    }
}

impl SyncService {
    /// Queues a sync for each shop that is due. Returns how many were queued.
    pub async fn queue_due_syncs(&self) -> Result<usize, DbError> {
        let Some(interval) = self.config.sync_interval else {
            return Ok(0);
        };
        let now = self.clock.now();
        let (mut queued, mut after) = (0, None);
        loop {
            let mut system = self.database.system().await?;
            let due = system.shops_due_for_sync(now, after, page_limit()).await?;
            drop(system);
            for &tenant in &due {
                queued += counted(
                    tenant,
                    self.queue_scheduled_sync(tenant, now, now + interval).await,
                )?;
            }
            if due.len() < PAGE {
                return Ok(queued);
            }
            after = due.last().copied();
        }
    }

    /// Queues the sync of a shop and sets its next one, in one transaction. False: another process did it.
    async fn queue_scheduled_sync(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        let mut system = self.database.system().await?;
        if !system.reschedule_sync(tenant, now, next).await? {
            return Ok(false);
        }
        let mut transaction = system.into_tenant(tenant).await?;
        let degraded = match transaction.shop().await?.map(|shop| shop.status) {
            Some(ShopStatus::Connected) => false,
            Some(ShopStatus::ReauthorisationNeeded | ShopStatus::Suspended) => true,
            Some(ShopStatus::Disconnected) | None => return Ok(false),
        };
        self.request_sync(
            &mut transaction,
            SyncMode::Incremental,
            SyncTrigger::Schedule,
        )
        .await?;
        if degraded {
            let mut system = transaction.into_system().await?;
            system
                .postpone_sync(tenant, now + DEGRADED_INTERVAL)
                .await?;
            system.commit().await?;
            return Ok(true);
        }
        // A dead refetch job leaves requests behind.
        if transaction.has_pending_refetches().await? {
            transaction.queue_job(JobKind::Refetch, now).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Queues the maintenance of each shop that is due. Returns how many were queued.
    pub async fn queue_due_maintenance(&self) -> Result<usize, DbError> {
        let Some(interval) = self.config.maintenance_interval else {
            return Ok(0);
        };
        let now = self.clock.now();
        let (mut queued, mut after) = (0, None);
        loop {
            let mut system = self.database.system().await?;
            let due = system
                .shops_due_for_maintenance(now, after, page_limit())
                .await?;
            drop(system);
            for &tenant in &due {
                queued += counted(
                    tenant,
                    self.queue_scheduled_maintenance(tenant, now, now + interval)
                        .await,
                )?;
            }
            if due.len() < PAGE {
                return Ok(queued);
            }
            after = due.last().copied();
        }
    }

    async fn queue_scheduled_maintenance(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        let mut system = self.database.system().await?;
        let Some(connected) = system.reschedule_maintenance(tenant, now, next).await? else {
            return Ok(false);
        };
        let mut transaction = system.into_tenant(tenant).await?;
        self.queue_maintenance_jobs(&mut transaction, connected)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn page_limit() -> i64 {
    i64::try_from(PAGE).unwrap_or(i64::MAX)
}

/// Counts a queued shop. Logs the failure of one shop; passes on that the database is unavailable.
fn counted(tenant: TenantId, outcome: Result<bool, DbError>) -> Result<usize, DbError> {
    match outcome {
        Ok(queued) => Ok(usize::from(queued)),
        Err(error) if error.is_unavailable() => Err(error),
        Err(error) => {
            warn!(tenant.id = %tenant, error = %error, "jobs of a due shop could not be queued");
            Ok(0)
        }
    }
}

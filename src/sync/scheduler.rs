//! The scheduler: queues the sync and the maintenance of each shop when they are due. Any number of processes may run
//! it; each shop is queued by one of them.

use std::time::Duration;

use chrono::TimeDelta;
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
            warn!(error = %error, "scheduled syncs could not be queued");
        }
        if let Err(error) = sync.queue_due_maintenance().await {
            warn!(error = %error, "maintenance could not be queued");
        }
    }
}

impl SyncService {
    /// Queues a sync for each shop that is due. Returns how many there were.
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
        let degraded = match transaction.shop().await?.map(|shop| shop.status) {
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
        // A dead refetch job leaves requests behind.
        if !degraded && transaction.has_pending_refetches().await? {
            transaction
                .queue_job(JobKind::Refetch, self.clock.now())
                .await?;
        }
        transaction.commit().await?;
        if degraded {
            let mut transaction = self.database.system().await?;
            transaction
                .postpone_tenant(tenant, self.clock.now() + DEGRADED_INTERVAL)
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}

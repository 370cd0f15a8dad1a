//! What is done for each store once a day: its webhooks are looked after, its ids are compared, and what is
//! kept of old deliveries goes.

use chrono::TimeDelta;

use super::Ingest;
use crate::db::DbError;
use crate::db::jobs::JobKind;
use crate::domain::ids::TenantId;

/// For so long a repeated delivery is known to be one. Shopify repeats for four hours.
const DELIVERIES_KEPT: TimeDelta = TimeDelta::days(30);

impl Ingest {
    /// Queues the upkeep of each store that is due. Returns how many were.
    pub async fn queue_due_upkeep(&self) -> Result<usize, DbError> {
        let Some(interval) = self.config.upkeep_interval else {
            return Ok(0);
        };
        let now = self.clock.now();
        let mut transaction = self.database.system().await?;
        let due = transaction.take_due_upkeep(now, now + interval).await?;
        transaction.commit().await?;
        for &tenant in &due {
            self.queue_upkeep(tenant).await?;
        }
        Ok(due.len())
    }

    /// Queues the upkeep of a store.
    pub async fn queue_upkeep(&self, tenant: TenantId) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        transaction.prune_deliveries(now - DELIVERIES_KEPT).await?;
        transaction
            .prune_audit_log(now - self.config.audit_kept)
            .await?;
        if self.public_url.is_some() {
            transaction.queue_job(JobKind::Subscriptions, now).await?;
        }
        // Those that a failed job left behind.
        transaction.queue_job(JobKind::Hints, now).await?;
        transaction.queue_job(JobKind::Reconcile, now).await?;
        transaction.commit().await?;
        self.wake_worker();
        Ok(())
    }
}

//! What is done for each store once a day: its webhooks are looked after, its ids are compared, and what is
//! kept of old deliveries goes.

use chrono::TimeDelta;

use super::SyncService;
use crate::db::DbError;
use crate::db::jobs::JobKind;
use crate::domain::ids::TenantId;

/// For so long a repeated delivery is known to be one. Shopify repeats for four hours.
const DELIVERIES_KEPT: TimeDelta = TimeDelta::days(30);

impl SyncService {
    /// Queues the upkeep of each store that is due. Returns how many were.
    pub async fn queue_due_upkeep(&self) -> Result<usize, DbError> {
        let Some(interval) = self.config.upkeep_interval else {
            return Ok(0);
        };
        let now = self.clock.now();
        let mut transaction = self.database.system().await?;
        let due = transaction
            .queue_due_upkeep(&self.upkeep_jobs(), now, now + interval)
            .await?;
        transaction.commit().await?;
        Ok(due)
    }

    /// Hints are followed too: those that a failed job left behind.
    fn upkeep_jobs(&self) -> Vec<JobKind> {
        let mut jobs = vec![JobKind::Hints, JobKind::Reconcile];
        if self.public_url.is_some() {
            jobs.push(JobKind::Subscriptions);
        }
        jobs
    }

    /// Forgets what is known of old deliveries, and the oldest entries of the audit log.
    pub(super) async fn prune(&self, tenant: TenantId) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        transaction.prune_deliveries(now - DELIVERIES_KEPT).await?;
        transaction
            .prune_audit_log(now - self.config.audit_kept)
            .await?;
        transaction.commit().await
    }

    /// Queues the upkeep of a store.
    pub async fn queue_upkeep(&self, tenant: TenantId) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        for job in self.upkeep_jobs() {
            transaction.queue_job(job, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

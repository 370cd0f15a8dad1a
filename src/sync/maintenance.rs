//! The daily maintenance of each shop: webhook subscriptions are checked, ids are compared, old rows are deleted.

use chrono::TimeDelta;

use super::SyncService;
use crate::db::DbError;
use crate::db::jobs::JobKind;
use crate::domain::ids::TenantId;

/// A delivery that is repeated within this time is recognised. Shopify repeats for four hours.
const DELIVERY_RETENTION: TimeDelta = TimeDelta::days(30);

impl SyncService {
    /// Queues the maintenance of each shop that is due. Returns how many there were.
    pub async fn queue_due_maintenance(&self) -> Result<usize, DbError> {
        let Some(interval) = self.config.maintenance_interval else {
            return Ok(0);
        };
        let now = self.clock.now();
        let mut transaction = self.database.system().await?;
        let due = transaction
            .queue_due_maintenance(&self.maintenance_jobs(), now, now + interval)
            .await?;
        transaction.commit().await?;
        Ok(due)
    }

    /// The refetch job executes requests that a dead one left behind.
    fn maintenance_jobs(&self) -> Vec<JobKind> {
        let mut jobs = vec![JobKind::Refetch, JobKind::Reconcile];
        if self.public_url.is_some() {
            jobs.push(JobKind::Subscriptions);
        }
        jobs
    }

    /// Deletes old deliveries and old entries of the audit log.
    pub(super) async fn apply_retention(&self, tenant: TenantId) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        transaction
            .delete_deliveries_before(now - DELIVERY_RETENTION)
            .await?;
        transaction
            .prune_audit_log(now - self.config.audit_retention)
            .await?;
        transaction.commit().await
    }

    /// Queues the maintenance of a shop now.
    pub async fn queue_maintenance(&self, tenant: TenantId) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        for job in self.maintenance_jobs() {
            transaction.queue_job(job, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

//! The daily maintenance of each shop: webhook subscriptions are checked, ids are compared, old rows are deleted.

use chrono::TimeDelta;

use super::SyncService;
use crate::db::jobs::JobKind;
use crate::db::maintenance::RETENTION_BATCH;
use crate::db::{DbError, TenantTx};
use crate::domain::ids::TenantId;

/// A delivery that is repeated within this time is recognised. Shopify repeats for four hours.
const DELIVERY_RETENTION: TimeDelta = TimeDelta::days(30);
/// How long ended sync runs are kept.
const SYNC_RUN_RETENTION: TimeDelta = TimeDelta::days(30);
/// How many sync runs of a shop are kept whatever their age.
const MIN_SYNC_RUNS: i64 = 100;
/// How long dead letters are kept.
const DEAD_LETTER_RETENTION: TimeDelta = TimeDelta::days(30);

impl SyncService {
    /// Queues the maintenance of a shop now.
    pub async fn queue_maintenance(&self, tenant: TenantId) -> Result<(), DbError> {
        let mut transaction = self.database.tenant(tenant).await?;
        self.queue_maintenance_jobs(&mut transaction, true).await?;
        transaction.commit().await
    }

    /// A disconnected shop needs only the retention.
    pub(super) async fn queue_maintenance_jobs(
        &self,
        transaction: &mut TenantTx,
        connected: bool,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut jobs = vec![JobKind::Retention];
        if connected {
            // A dead refetch job leaves requests behind.
            jobs.extend([JobKind::Refetch, JobKind::Reconcile]);
            if self.public_url.is_some() {
                jobs.push(JobKind::Subscriptions);
            }
        }
        for job in jobs {
            transaction.queue_job(job, now).await?;
        }
        Ok(())
    }

    /// Deletes rows that are older than their retention, in batches with a transaction each.
    pub(super) async fn apply_retention(&self, tenant: TenantId) -> Result<(), DbError> {
        let now = self.clock.now();
        let full_batch = u64::try_from(RETENTION_BATCH).unwrap_or(u64::MAX);
        loop {
            let mut transaction = self.database.work(tenant).await?;
            let deleted = [
                transaction
                    .delete_deliveries_before(now - DELIVERY_RETENTION)
                    .await?,
                transaction
                    .delete_sync_runs_before(now - SYNC_RUN_RETENTION, MIN_SYNC_RUNS)
                    .await?,
                transaction
                    .delete_dead_letters_before(now - DEAD_LETTER_RETENTION)
                    .await?,
            ];
            transaction.commit().await?;
            if deleted.iter().all(|rows| *rows < full_batch) {
                break;
            }
        }
        let mut transaction = self.database.work(tenant).await?;
        transaction
            .prune_audit_log(now - self.config.audit_retention)
            .await?;
        transaction.commit().await
    }
}

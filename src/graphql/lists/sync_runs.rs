//! The list of sync runs.

use chrono::{DateTime, Utc};

use crate::db::keyset::Keyset;
use crate::db::sync_runs::SyncRun;
use crate::db::{Result, TenantTx};
use crate::domain::ids::SyncRunId;
use crate::graphql::pagination::Listing;

/// Sync runs by the time they were requested, newest first.
pub(in crate::graphql) struct SyncRuns;

impl Listing for SyncRuns {
    type Key = (DateTime<Utc>, SyncRunId);
    type Row = SyncRun;

    fn name(&self) -> String {
        "syncRuns".to_owned()
    }

    fn key(row: &SyncRun) -> Self::Key {
        (row.queued_at, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<SyncRun>> {
        transaction.sync_runs(keys).await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_sync_runs().await
    }
}

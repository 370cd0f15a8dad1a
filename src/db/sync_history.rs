//! The list of a shop's sync runs.

use chrono::{DateTime, Utc};

use super::keyset::{Keyset, end};
use super::sync_runs::{RunRow, SyncRun};
use super::{Result, TenantTx};
use crate::domain::ids::SyncRunId;

impl TenantTx {
    /// Runs in the order in which they were queued.
    pub async fn sync_runs(
        &mut self,
        keys: &Keyset<(DateTime<Utc>, SyncRunId)>,
    ) -> Result<Vec<SyncRun>> {
        let tenant = self.tenant();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = sqlx::query_as!(
            RunRow,
            "select id as \"id: SyncRunId\", mode, trigger, status, queued_at, started_at, finished_at, error \
             from sync_runs where tenant_id = $1 \
               and ($2::timestamptz is null or (queued_at, id) > ($2, $3::uuid)) \
               and ($4::timestamptz is null or (queued_at, id) < ($4, $5::uuid)) \
             order by case when $6 then queued_at end desc, case when $6 then id end desc, queued_at, id limit $7",
            tenant.uuid(),
            above,
            above_id.map(SyncRunId::uuid),
            below,
            below_id.map(SyncRunId::uuid),
            keys.descending,
            keys.limit
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// How many runs there are.
    pub async fn count_sync_runs(&mut self) -> Result<i64> {
        let tenant = self.tenant();
        Ok(sqlx::query_scalar!(
            "select count(*) as \"count!\" from sync_runs where tenant_id = $1",
            tenant.uuid()
        )
        .fetch_one(self.connection())
        .await?)
    }
}

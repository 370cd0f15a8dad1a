//! The list of a shop's sync runs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::keyset::{Keyset, end};
use super::sync_runs::SyncRun;
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
        let mut ids = sqlx::query_scalar!(
            "select id as \"id: SyncRunId\" from sync_runs where tenant_id = $1 \
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
        let runs = self.sync_runs_by_id(&ids).await?.into_iter();
        let mut runs: HashMap<_, _> = runs.map(|run| (run.id, run)).collect();
        Ok(ids.drain(..).filter_map(|id| runs.remove(&id)).collect())
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

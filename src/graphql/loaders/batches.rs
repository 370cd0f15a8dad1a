//! What is read in batches.

use std::collections::HashMap;

use super::Batch;
use crate::db::sync_runs::SyncProgress;
use crate::db::{Result, TenantTx};
use crate::domain::ids::SyncRunId;

/// The progress of a sync run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct ProgressOf(pub(in crate::graphql) SyncRunId);

impl Batch for ProgressOf {
    type Value = Vec<SyncProgress>;

    async fn read(
        transaction: &mut TenantTx,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>> {
        let runs: Vec<_> = keys.into_iter().map(|key| key.0).collect();
        let mut found: HashMap<Self, Self::Value> = HashMap::new();
        for progress in transaction.sync_progress(&runs).await? {
            found.entry(Self(progress.run)).or_default().push(progress);
        }
        Ok(found)
    }
}

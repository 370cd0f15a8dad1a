//! Fetches page by page: the changes since the last sync, or everything when Shopify refuses a bulk operation. The
//! objects of a page and its cursor are committed together.

use tracing::warn;

use super::run::{Run, SyncError};
use crate::db::sync_runs::SyncStep;

impl Run<'_> {
    pub(super) async fn fetch_pages(&self, mut step: SyncStep) -> Result<(), SyncError> {
        loop {
            let page = self
                .store
                .changed_ids(step.kind, step.since, step.page_cursor.as_deref())
                .await?;
            // Shopify filters customers by whole days. Earlier changes of the day are dropped here.
            let ids: Vec<i64> = page
                .ids
                .iter()
                .filter(|(_, updated_at)| step.since.is_none_or(|since| *updated_at >= since))
                .map(|(id, _)| *id)
                .collect();
            let newest = page.ids.iter().map(|(_, updated_at)| *updated_at).max();
            step.high_water = step.high_water.max(newest);
            let last_page = page.next.is_none();
            step.page_cursor = page.next;
            self.upsert_page(&mut step, &ids, last_page).await?;
            if last_page {
                return Ok(());
            }
        }
    }

    async fn upsert_page(
        &self,
        step: &mut SyncStep,
        ids: &[i64],
        last_page: bool,
    ) -> Result<(), SyncError> {
        let database = &self.sync.database;
        let mut transaction;
        if ids.is_empty() {
            transaction = database.work(self.tenant).await?;
        } else {
            let fetched = self.store.fetch(step.kind, ids).await?;
            (transaction, _) = database
                .upsert(self.tenant, step.kind, fetched.records, fetched.fetched_at)
                .await?;
            if fetched.skipped.len() == ids.len() && ids.len() > 1 {
                return Err(SyncError::NothingReadable(step.kind));
            }
            step.skip(&fetched.skipped);
            if !fetched.denied.is_empty() {
                // They stay as they are until the app may read them.
                warn!(tenant.id = %self.tenant, sync.kind = step.kind.code(), sync.denied = fetched.denied.len(), "the app may not read some objects");
            }
            transaction
                .delete_objects(step.kind, &fetched.missing, fetched.fetched_at)
                .await?;
        }
        step.done = step
            .done
            .saturating_add(i32::try_from(ids.len()).unwrap_or(i32::MAX));
        step.total = step.total.map(|total| total.max(step.done));
        if last_page {
            let cursor = step.high_water;
            self.finish_step(&mut transaction, step, cursor).await?;
        } else {
            transaction.save_sync_step(self.id, step).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

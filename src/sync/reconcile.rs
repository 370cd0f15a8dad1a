//! Reconciliation: compares the ids of all objects in Shopify with the stored ones. Objects that webhooks and polling
//! missed are fetched. A stored object that Shopify does not list is fetched by its id, and deleted only when Shopify
//! says that it does not exist.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::info;

use super::SyncService;
use super::run::SyncError;
use crate::db::maintenance::StoredVersion;
use crate::db::shops::{Shop, ShopStatus};
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;
use crate::shopify::ShopClient;

/// How many objects are fetched at a time.
const CHUNK: usize = 250;

/// A fetch within this time of a change may have read the state before it: Shopify's times are whole seconds, and
/// clocks differ.
const TIME_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// The result of a comparison.
#[derive(Clone, Copy, Debug, Default)]
struct Differences {
    missed: usize,
    deleted: usize,
}

impl SyncService {
    /// Compares all objects of a shop, and repairs the differences.
    pub(super) async fn reconcile(&self, tenant: TenantId) -> Result<(), SyncError> {
        let mut transaction = self.database.work(tenant).await?;
        let shop = transaction.shop().await?;
        let since = transaction.maintenance().await?.reconciled_at;
        drop(transaction);
        // Before the first sync has ended there is nothing to compare.
        let synced =
            |shop: &Shop| shop.status == ShopStatus::Connected && shop.last_synced_at.is_some();
        let Some(shop) = shop.filter(synced) else {
            return Ok(());
        };
        let store = self.store_of(tenant, &shop);
        let found = self.reconcile_with(&store, &shop, tenant, since).await?;
        info!(tenant.id = %tenant, reconcile.missed = found.missed, reconcile.deleted = found.deleted, "shop reconciled");
        let mut transaction = self.database.work(tenant).await?;
        transaction.recount_customers().await?;
        transaction
            .record_reconciliation(found.missed, found.deleted, self.clock.now())
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn reconcile_with(
        &self,
        store: &ShopClient,
        shop: &Shop,
        tenant: TenantId,
        since: Option<DateTime<Utc>>,
    ) -> Result<Differences, SyncError> {
        let mut found = Differences::default();
        for &kind in ObjectKind::ALL {
            let listed_at = self.clock.now();
            let listed = self
                .fetch_missed(store, tenant, kind, since, &mut found)
                .await?;
            let oldest = shop
                .order_history_days
                .filter(|_| kind == ObjectKind::Orders)
                .map(|days| listed_at - TimeDelta::days(days.into()));
            let mut last = 0;
            loop {
                let mut transaction = self.database.work(tenant).await?;
                let stored = transaction
                    .stored_ids(kind, last, listed_at, oldest)
                    .await?;
                drop(transaction);
                let Some(&end) = stored.last() else {
                    break;
                };
                last = end;
                let unlisted: Vec<i64> = stored
                    .into_iter()
                    .filter(|id| !listed.contains(id))
                    .collect();
                for ids in unlisted.chunks(CHUNK) {
                    self.repair(store, tenant, kind, ids, &mut found).await?;
                }
            }
        }
        Ok(found)
    }

    /// Lists every id of a kind with its last change, page by page, and fetches the missed objects. Returns the ids:
    /// eight bytes of memory for each object of the shop.
    async fn fetch_missed(
        &self,
        store: &ShopClient,
        tenant: TenantId,
        kind: ObjectKind,
        since: Option<DateTime<Utc>>,
        found: &mut Differences,
    ) -> Result<HashSet<i64>, SyncError> {
        let mut listed = HashSet::new();
        let mut after: Option<String> = None;
        loop {
            let page = store.changed_ids(kind, None, after.as_deref()).await?;
            let ids: Vec<i64> = page.ids.iter().map(|(id, _)| *id).collect();
            let mut transaction = self.database.work(tenant).await?;
            let stored = transaction.stored_versions(kind, &ids).await?;
            drop(transaction);
            listed.extend(ids);
            for ids in missed(&page.ids, &stored, since).chunks(CHUNK) {
                self.repair(store, tenant, kind, ids, found).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(listed),
            }
        }
    }

    async fn repair(
        &self,
        store: &ShopClient,
        tenant: TenantId,
        kind: ObjectKind,
        ids: &[i64],
        found: &mut Differences,
    ) -> Result<(), SyncError> {
        let upserted = self.fetch_and_upsert(store, tenant, kind, ids).await?;
        found.missed += upserted.changed;
        found.deleted += upserted.deleted;
        upserted.transaction.commit().await?;
        Ok(())
    }
}

/// Listed objects that are not stored, or stored in a version that is or may be older. Shopify's times are whole
/// seconds, so an object that was fetched in the second of its change may have changed again in it. Such an object is
/// fetched once more.
fn missed(
    listed: &[(i64, DateTime<Utc>)],
    stored: &HashMap<i64, StoredVersion>,
    since: Option<DateTime<Utc>>,
) -> Vec<i64> {
    let differs = |id: &i64, updated_at: &DateTime<Utc>| {
        let Some(stored) = stored.get(id) else {
            return true;
        };
        let read_too_soon = stored.synced_at < *updated_at + TIME_TOLERANCE;
        let compared = since.is_some_and(|since| *updated_at < since - TIME_TOLERANCE);
        stored.updated_at.is_none_or(|stored| stored < *updated_at) || (read_too_soon && !compared)
    };
    listed
        .iter()
        .filter(|(id, updated_at)| differs(id, updated_at))
        .map(|(id, _)| *id)
        .collect()
}

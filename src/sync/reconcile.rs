//! Reconciliation: the ids of everything that the store has, compared with those that are kept. What webhooks
//! and polling missed is fetched; what is kept and not listed is asked for by its number, and taken away only
//! when the store says that it is gone.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use tracing::info;

use super::SyncService;
use super::run::SyncError;
use crate::db::shops::{Shop, ShopStatus};
use crate::db::staging::Loader;
use crate::db::upkeep::KeptVersion;
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;
use crate::shopify::Store;

/// How many objects are brought in at a time.
const CHUNK: usize = 250;

/// So close to its change a read may have seen the state before: a second, and what clocks differ by.
const SAME_SECOND: TimeDelta = TimeDelta::seconds(5);

/// What the comparison of a kind found.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    missed: usize,
    deleted: usize,
}

impl SyncService {
    /// Compares every kind of object of a store, and repairs what differs.
    pub(super) async fn reconcile(&self, tenant: TenantId) -> Result<(), SyncError> {
        self.prune(tenant).await?;
        let mut transaction = self.database.work(tenant).await?;
        let shop = transaction.shop().await?;
        let since = transaction.upkeep().await?.reconciled_at;
        drop(transaction);
        // Before the first sync is through there is nothing to compare.
        let synced =
            |shop: &Shop| shop.status == ShopStatus::Connected && shop.last_synced_at.is_some();
        let Some(shop) = shop.filter(synced) else {
            return Ok(());
        };
        let store = self.store_of(tenant, &shop);
        let mut loader = self.database.loader(tenant).await?;
        let outcome = self.reconcile_with(&store, &shop, &mut loader, since).await;
        loader.close().await;
        let found = outcome?;
        info!(tenant.id = %tenant, reconcile.missed = found.missed, reconcile.deleted = found.deleted, "a store was reconciled");
        let mut transaction = self.database.work(tenant).await?;
        transaction.recount_customers().await?;
        transaction
            .note_reconciled(found.missed, found.deleted, self.clock.now())
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn reconcile_with(
        &self,
        store: &Store,
        shop: &Shop,
        loader: &mut Loader,
        since: Option<DateTime<Utc>>,
    ) -> Result<Found, SyncError> {
        let mut found = Found::default();
        for &kind in ObjectKind::ALL {
            let asked_at = self.clock.now();
            let listed = self
                .fetch_missed(store, loader, kind, since, &mut found)
                .await?;
            let oldest = shop
                .order_history_days
                .filter(|_| kind == ObjectKind::Orders)
                .map(|days| asked_at - TimeDelta::days(days.into()));
            let mut last = 0;
            loop {
                let mut transaction = loader.transaction().await?;
                let kept = transaction.kept_ids(kind, last, asked_at, oldest).await?;
                drop(transaction);
                let Some(&end) = kept.last() else {
                    break;
                };
                last = end;
                let unlisted: Vec<i64> =
                    kept.into_iter().filter(|id| !listed.contains(id)).collect();
                for ids in unlisted.chunks(CHUNK) {
                    self.repair(store, loader, kind, ids, &mut found).await?;
                }
            }
        }
        Ok(found)
    }

    /// Goes through every id of a kind with its last change, page by page, and fetches what was missed. Of what
    /// is listed only the numbers are kept in memory: eight bytes for each object of the store.
    async fn fetch_missed(
        &self,
        store: &Store,
        loader: &mut Loader,
        kind: ObjectKind,
        since: Option<DateTime<Utc>>,
        found: &mut Found,
    ) -> Result<HashSet<i64>, SyncError> {
        let mut listed = HashSet::new();
        let mut after: Option<String> = None;
        loop {
            let page = store.changed_ids(kind, None, after.as_deref()).await?;
            let ids: Vec<i64> = page.ids.iter().map(|(id, _)| *id).collect();
            let mut transaction = loader.transaction().await?;
            let kept = transaction.kept_versions(kind, &ids).await?;
            drop(transaction);
            listed.extend(ids);
            for ids in missed(&page.ids, &kept, since).chunks(CHUNK) {
                self.repair(store, loader, kind, ids, found).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(listed),
            }
        }
    }

    async fn repair(
        &self,
        store: &Store,
        loader: &mut Loader,
        kind: ObjectKind,
        ids: &[i64],
        found: &mut Found,
    ) -> Result<(), SyncError> {
        let brought = self.bring_in(store, loader, kind, ids).await?;
        found.missed += brought.changed;
        found.deleted += brought.deleted;
        brought.transaction.commit().await?;
        Ok(())
    }
}

/// What the store lists and we do not have, or have in a state that is or may be older. Shopify's times are
/// whole seconds: of an object that was read in the second of its change, the same time may tell of two
/// states. It is read once more by the next comparison.
fn missed(
    listed: &[(i64, DateTime<Utc>)],
    kept: &HashMap<i64, KeptVersion>,
    since: Option<DateTime<Utc>>,
) -> Vec<i64> {
    let differs = |id: &i64, updated_at: &DateTime<Utc>| {
        let Some(kept) = kept.get(id) else {
            return true;
        };
        let read_too_soon = kept.synced_at < *updated_at + SAME_SECOND;
        let compared = since.is_some_and(|since| *updated_at < since - SAME_SECOND);
        kept.updated_at.is_none_or(|kept| kept < *updated_at) || (read_too_soon && !compared)
    };
    listed
        .iter()
        .filter(|(id, updated_at)| differs(id, updated_at))
        .map(|(id, _)| *id)
        .collect()
}

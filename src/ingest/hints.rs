//! Following hints: the objects that webhooks named are fetched, many at once, and merged the way every sync
//! does. Which delivery came first, or twice, or not at all, makes no difference to what is stored in the end.

use chrono::TimeDelta;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::Ingest;
use super::run::SyncError;
use crate::db::TenantTx;
use crate::db::shops::{Shop, ShopStatus};
use crate::db::staging::Loader;
use crate::db::webhooks::Hint;
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;
use crate::shopify::{ShopifyError, Store};

/// How many hints are followed in one round.
const ROUND: i64 = 500;

/// Customers and products before orders, as in every sync.
const ORDER: [ObjectKind; 3] = [
    ObjectKind::Customers,
    ObjectKind::Products,
    ObjectKind::Orders,
];

/// Objects that were brought in, not yet committed.
pub(super) struct Brought {
    pub(super) transaction: TenantTx,
    /// How many were new or different.
    pub(super) changed: usize,
    /// How many are gone.
    pub(super) deleted: usize,
}

impl Ingest {
    /// Follows the hints of a store until there are none left.
    pub(super) async fn follow_hints(&self, tenant: TenantId, job: i64) -> Result<(), SyncError> {
        let mut transaction = self.database.work(tenant).await?;
        let shop = transaction.shop().await?;
        let mut hints = transaction.hints(ROUND).await?;
        drop(transaction);
        let Some(shop) = shop.filter(|shop| shop.status == ShopStatus::Connected) else {
            // They stay. The sync that finds the store well again brings in what changed.
            return Ok(());
        };
        if hints.is_empty() {
            return Ok(());
        }
        let store = self.store_of(tenant, &shop);
        let mut loader = self.database.loader(tenant).await?;
        let outcome = async {
            while !hints.is_empty() {
                let began = Instant::now();
                self.follow(&store, &shop, &mut loader, &hints).await?;
                self.note_progress(job).await?;
                hints = self.next_hints(tenant).await?;
                if !hints.is_empty() {
                    // More come in than were fetched: let them gather, so that few questions are asked.
                    tokio::time::sleep_until(began + self.config.hint_window).await;
                    hints = self.next_hints(tenant).await?;
                }
            }
            Ok(())
        }
        .await;
        loader.close().await;
        outcome
    }

    /// In a busy store the job never ends: what counts are failures without progress between them.
    async fn note_progress(&self, job: i64) -> Result<(), SyncError> {
        let mut system = self.database.system().await?;
        system.reset_attempts(job).await?;
        system.commit().await?;
        Ok(())
    }

    async fn next_hints(&self, tenant: TenantId) -> Result<Vec<Hint>, SyncError> {
        let mut transaction = self.database.work(tenant).await?;
        Ok(transaction.hints(ROUND).await?)
    }

    /// A store with the right to ask it.
    pub(super) fn store_of(&self, tenant: TenantId, shop: &Shop) -> Store {
        self.shopify.store(
            shop.domain.clone(),
            self.token_provider(tenant, &shop.domain),
        )
    }

    async fn follow(
        &self,
        store: &Store,
        shop: &Shop,
        loader: &mut Loader,
        hints: &[Hint],
    ) -> Result<(), SyncError> {
        for kind in ORDER {
            let of_kind = |deleted: bool| -> Vec<Hint> {
                let wanted = hints
                    .iter()
                    .filter(|hint| hint.kind == kind && hint.deleted == deleted);
                wanted.copied().collect()
            };
            let deleted = of_kind(true);
            if !deleted.is_empty() {
                let ids: Vec<i64> = deleted.iter().map(|hint| hint.id).collect();
                let mut transaction = loader.transaction().await?;
                transaction
                    .delete_objects(kind, &ids, self.clock.now())
                    .await?;
                transaction.drop_hints(kind, &deleted).await?;
                transaction.commit().await?;
            }
            let changed = of_kind(false);
            if !changed.is_empty() {
                let ids: Vec<i64> = changed.iter().map(|hint| hint.id).collect();
                debug!(shop.domain = %shop.domain, object.kind = kind.code(), objects = ids.len(), "following hints");
                let Brought {
                    mut transaction, ..
                } = self.bring_in(store, shop, loader, kind, &ids).await?;
                transaction.drop_hints(kind, &changed).await?;
                transaction.commit().await?;
            }
        }
        Ok(())
    }

    /// Fetches objects and merges them, in a transaction that the caller commits. What the store does not
    /// have any more is taken away; what the app may not read stays as it is.
    pub(super) async fn bring_in(
        &self,
        store: &Store,
        shop: &Shop,
        loader: &mut Loader,
        kind: ObjectKind,
        ids: &[i64],
    ) -> Result<Brought, SyncError> {
        let fetched = match store.fetch(kind, ids).await {
            Ok(fetched) => fetched,
            Err(ShopifyError::AccessDenied { field }) => {
                warn!(shop.domain = %shop.domain, object.kind = kind.code(), field, "objects that changed may not be read");
                return Ok(Brought {
                    transaction: loader.transaction().await?,
                    changed: 0,
                    deleted: 0,
                });
            }
            Err(error) => return Err(error.into()),
        };
        loader.clear().await?;
        loader.stage(&fetched.records).await?;
        loader.finish_staging().await?;
        let mut transaction = loader.transaction().await?;
        let changed = transaction
            .merge_staged(kind, 0, i64::MAX, fetched.asked_at)
            .await?
            .changed;
        let mut missing = fetched.missing;
        if let Some(days) = shop.order_history_days
            && kind == ObjectKind::Orders
        {
            let oldest = self.clock.now() - TimeDelta::days(days.into());
            missing = transaction.orders_since(&missing, oldest).await?;
        }
        let deleted = if missing.is_empty() {
            0
        } else {
            transaction
                .delete_objects(kind, &missing, fetched.asked_at)
                .await?
        };
        Ok(Brought {
            transaction,
            changed,
            deleted,
        })
    }
}

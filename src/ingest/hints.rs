//! Following hints: the objects that webhooks named are fetched, many at once, and merged the way every sync
//! does. Which delivery came first, or twice, or not at all, makes no difference to what is stored in the end.

use chrono::TimeDelta;
use tokio::time::Instant;
use tracing::{debug, error, warn};

use super::Ingest;
use super::run::SyncError;
use crate::db::TenantTx;
use crate::db::jobs::{Job, JobKind};
use crate::db::shops::{Shop, ShopStatus};
use crate::db::staging::Loader;
use crate::db::webhooks::Hint;
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;
use crate::shopify::{ShopifyError, Store};

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
    /// Follows the hints of a store until there are none left, or its turn is over: then the rest has a job of
    /// its own, which waits behind those of other stores.
    pub(super) async fn follow_hints(&self, job: &Job) -> Result<(), SyncError> {
        let tenant = job.tenant;
        let mut transaction = self.database.work(tenant).await?;
        let shop = transaction.shop().await?;
        let hints = transaction.hints(self.config.hint_round).await?;
        let Some(shop) = shop.filter(|shop| shop.status == ShopStatus::Connected) else {
            // They stay. The sync that finds the store well again brings in what changed.
            return Ok(());
        };
        if hints.is_empty() {
            return Ok(());
        }
        let provider = self
            .token_provider_read(&mut transaction, &shop.domain)
            .await?;
        drop(transaction);
        let store = self.shopify.store(shop.domain.clone(), provider);
        let mut loader = self.database.loader(tenant).await?;
        let outcome = self
            .follow_for_a_turn(&store, &shop, &mut loader, hints, job)
            .await;
        loader.close().await;
        outcome
    }

    async fn follow_for_a_turn(
        &self,
        store: &Store,
        shop: &Shop,
        loader: &mut Loader,
        mut hints: Vec<Hint>,
        job: &Job,
    ) -> Result<(), SyncError> {
        let tenant = loader.tenant();
        let turn_ends = Instant::now() + self.config.hint_turn;
        while !hints.is_empty() {
            let began = Instant::now();
            // What comes in from here on has a job of its own.
            if !self.follow(store, shop, loader, &hints).await? {
                break;
            }
            self.note_progress(job).await?;
            // More come in than were fetched: let them gather, so that few questions are asked.
            let next_round = began + self.config.hint_window;
            if Instant::now().max(next_round) >= turn_ends {
                let pause = next_round.saturating_duration_since(Instant::now());
                let mut transaction = self.database.tenant(tenant).await?;
                transaction
                    .queue_job(JobKind::Hints, self.clock.now() + pause)
                    .await?;
                transaction.commit().await?;
                break;
            }
            tokio::time::sleep_until(next_round).await;
            hints = self.next_hints(tenant).await?;
        }
        Ok(())
    }

    /// In a busy store the job never ends: what counts are failures without progress between them.
    async fn note_progress(&self, job: &Job) -> Result<(), SyncError> {
        if job.attempts > 1 {
            let mut system = self.database.system().await?;
            system.reset_attempts(job.id).await?;
            system.commit().await?;
        }
        Ok(())
    }

    async fn next_hints(&self, tenant: TenantId) -> Result<Vec<Hint>, SyncError> {
        let mut transaction = self.database.work(tenant).await?;
        Ok(transaction.hints(self.config.hint_round).await?)
    }

    /// A store with the right to ask it.
    pub(super) fn store_of(&self, tenant: TenantId, shop: &Shop) -> Store {
        self.shopify.store(
            shop.domain.clone(),
            self.token_provider(tenant, &shop.domain),
        )
    }

    /// Whether the store has hints left after these, as of the last commit.
    async fn follow(
        &self,
        store: &Store,
        shop: &Shop,
        loader: &mut Loader,
        hints: &[Hint],
    ) -> Result<bool, SyncError> {
        let mut left = false;
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
                left = transaction.drop_hints(kind, &deleted).await?;
                transaction.commit().await?;
            }
            let changed = of_kind(false);
            let left_by_these = self
                .follow_changed(store, shop, loader, kind, &changed)
                .await?;
            left = left_by_these.unwrap_or(left);
        }
        Ok(left)
    }

    /// Fetches what changed. One object that cannot be understood must not keep the others from being fetched:
    /// they are halved until it is alone, and then it is left as it is. Whether the store has hints left after
    /// these; `None` when there were none.
    async fn follow_changed(
        &self,
        store: &Store,
        shop: &Shop,
        loader: &mut Loader,
        kind: ObjectKind,
        changed: &[Hint],
    ) -> Result<Option<bool>, SyncError> {
        let mut left = None;
        let mut waiting = vec![changed];
        while let Some(hints) = waiting.pop() {
            if hints.is_empty() {
                continue;
            }
            let ids: Vec<i64> = hints.iter().map(|hint| hint.id).collect();
            debug!(shop.domain = %shop.domain, object.kind = kind.code(), objects = ids.len(), "following hints");
            let mut transaction = match self.bring_in(store, shop, loader, kind, &ids).await {
                Ok(brought) => brought.transaction,
                Err(SyncError::Shopify(ShopifyError::Unconvertible(what))) if hints.len() == 1 => {
                    error!(shop.domain = %shop.domain, object.kind = kind.code(), object.id = ids.first(), what, "an object cannot be understood: it stays as it is");
                    loader.transaction().await?
                }
                Err(SyncError::Shopify(ShopifyError::Unconvertible(_))) => {
                    let (first, second) = hints.split_at(hints.len() / 2);
                    waiting.extend([second, first]);
                    continue;
                }
                Err(error) => return Err(error),
            };
            left = Some(transaction.drop_hints(kind, hints).await?);
            transaction.commit().await?;
        }
        Ok(left)
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
        let (mut transaction, merged) = loader
            .merge(kind, &fetched.records, fetched.asked_at)
            .await?;
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
            changed: merged.changed,
            deleted,
        })
    }
}

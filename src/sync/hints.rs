//! Following hints: the objects that webhooks named are fetched, many at once, and merged the way every sync
//! does. Which delivery came first, or twice, or not at all, makes no difference to what is stored in the end.

use tokio::time::Instant;
use tracing::{debug, warn};

use super::SyncService;
use super::run::SyncError;
use super::worker::Done;
use crate::db::jobs::{Job, JobKind};
use crate::db::shops::{Shop, ShopStatus};
use crate::db::staging::Loader;
use crate::db::webhooks::{Followed, Hint, ToFollow};
use crate::db::{DbError, TenantTx};
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;
use crate::shopify::{ShopifyError, Store};

/// Customers and products before orders, as in every sync.
const ORDER: [ObjectKind; 3] = [
    ObjectKind::Customers,
    ObjectKind::Products,
    ObjectKind::Orders,
];

/// The first window in which mentions gather is this part of the longest.
const FIRST_WINDOW: u32 = 16;

/// Objects that were brought in, not yet committed.
pub(super) struct Brought {
    pub(super) transaction: TenantTx,
    /// How many were new or different.
    pub(super) changed: usize,
    /// How many are gone.
    pub(super) deleted: usize,
}

/// Where the store may not be asked now, its hints stay: the sync that finds it well again brings in what changed.
fn may_be_followed(to_follow: ToFollow) -> Option<ToFollow> {
    let may_be = to_follow.status == ShopStatus::Connected && !to_follow.hints.is_empty();
    may_be.then_some(to_follow)
}

impl SyncService {
    /// Follows the hints of a store until there are none left, or its turn is over: then the rest has a job of
    /// its own, which waits behind those of other stores. `read`: what was read of them as the job was claimed.
    pub(super) async fn follow_hints(
        &self,
        job: &Job,
        read: Option<Box<ToFollow>>,
    ) -> Result<Done, SyncError> {
        let tenant = job.tenant;
        let to_follow = match read {
            Some(read) => may_be_followed(*read),
            None => self.hints_to_follow(tenant).await?,
        };
        let Some(to_follow) = to_follow else {
            return Ok(Done::Queued);
        };
        let provider =
            self.token_provider_beginning_with(tenant, &to_follow.domain, to_follow.credentials);
        let store = self.shopify.store(to_follow.domain, provider);
        let mut loader = self.database.loader(tenant).await?;
        let outcome = self
            .follow_for_a_turn(&store, &mut loader, to_follow.hints, job)
            .await;
        loader.close().await;
        outcome
    }

    /// `None`: there is nothing to do.
    async fn hints_to_follow(&self, tenant: TenantId) -> Result<Option<ToFollow>, DbError> {
        let most = self.config.hint_round;
        let to_follow = self.database.hints_to_follow(tenant, most).await?;
        Ok(to_follow.and_then(may_be_followed))
    }

    async fn follow_for_a_turn(
        &self,
        store: &Store,
        loader: &mut Loader,
        mut hints: Vec<Hint>,
        job: &Job,
    ) -> Result<Done, SyncError> {
        let tenant = loader.tenant();
        let turn_ends = Instant::now() + self.config.hint_turn;
        let mut window = self.config.hint_window / FIRST_WINDOW;
        loop {
            let began = Instant::now();
            if let Followed::All { more } = self.follow(store, loader, &hints, job).await? {
                // What comes in from here on has a job of its own.
                return Ok(Done::OffTheQueue { more });
            }
            self.note_progress(job).await?;
            // More come in than were fetched: let them gather, the longer the more rounds there were, so that few
            // questions are asked of a busy store and a second word of the same change does not wait for long.
            let next_round = began + window;
            window = (window * 2).min(self.config.hint_window);
            if Instant::now().max(next_round) >= turn_ends {
                let pause = next_round.saturating_duration_since(Instant::now());
                let then = self.clock.now() + pause;
                self.database
                    .queue_job(tenant, JobKind::Hints, then)
                    .await?;
                return Ok(Done::Queued);
            }
            tokio::time::sleep_until(next_round).await;
            match self.hints_to_follow(tenant).await? {
                Some(to_follow) => hints = to_follow.hints,
                None => return Ok(Done::Queued),
            }
        }
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

    /// A store with the right to ask it.
    pub(super) fn store_of(&self, tenant: TenantId, shop: &Shop) -> Store {
        self.shopify.store(
            shop.domain.clone(),
            self.token_provider(tenant, &shop.domain),
        )
    }

    /// What is left of the store's hints after these, as of the last commit.
    async fn follow(
        &self,
        store: &Store,
        loader: &mut Loader,
        hints: &[Hint],
        job: &Job,
    ) -> Result<Followed, SyncError> {
        let mut followed = Followed::SomeAreLeft;
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
                let now = self.clock.now();
                let mut transaction = loader.transaction().await?;
                transaction.delete_objects(kind, &ids, now).await?;
                followed = transaction.drop_hints(kind, &deleted, job, now).await?;
                transaction.commit().await?;
            }
            let changed = of_kind(false);
            if let Some(after) = self
                .follow_changed(store, loader, kind, &changed, job)
                .await?
            {
                followed = after;
            }
        }
        Ok(followed)
    }

    /// Fetches what changed. Gives what is left of the store's hints after these; `None` when there were none.
    async fn follow_changed(
        &self,
        store: &Store,
        loader: &mut Loader,
        kind: ObjectKind,
        changed: &[Hint],
        job: &Job,
    ) -> Result<Option<Followed>, SyncError> {
        if changed.is_empty() {
            return Ok(None);
        }
        let ids: Vec<i64> = changed.iter().map(|hint| hint.id).collect();
        debug!(shop.domain = %store.domain(), object.kind = kind.code(), objects = ids.len(), "following hints");
        let mut transaction = self.bring_in(store, loader, kind, &ids).await?.transaction;
        let now = self.clock.now();
        let followed = transaction.drop_hints(kind, changed, job, now).await?;
        transaction.commit().await?;
        Ok(Some(followed))
    }

    /// Fetches objects and merges them, in a transaction that the caller commits. What the store does not
    /// have any more is taken away; what the app may not read stays as it is.
    pub(super) async fn bring_in(
        &self,
        store: &Store,
        loader: &mut Loader,
        kind: ObjectKind,
        ids: &[i64],
    ) -> Result<Brought, SyncError> {
        let fetched = match store.fetch(kind, ids).await {
            Ok(fetched) => fetched,
            Err(ShopifyError::AccessDenied { field }) => {
                warn!(shop.domain = %store.domain(), object.kind = kind.code(), field, "objects that changed may not be read");
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
        if kind == ObjectKind::Orders && !missing.is_empty() {
            missing = transaction
                .orders_that_are_shown(&missing, self.clock.now())
                .await?;
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

//! Executes refetch requests: fetches the objects that webhooks reported as changed, in batches, and upserts them like
//! every sync does. The order, number and age of the deliveries make no difference to the result.

use tokio::time::Instant;
use tracing::{debug, warn};

use super::SyncService;
use super::run::SyncError;
use crate::db::jobs::{Job, JobKind};
use crate::db::shops::{Shop, ShopStatus};
use crate::db::webhooks::{PendingRefetch, RefetchBatch};
use crate::db::{DbError, TenantTx};
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;
use crate::shopify::{ShopClient, ShopifyError};

/// Customers and products before orders, as in every sync.
const ORDER: [ObjectKind; 3] = [
    ObjectKind::Customers,
    ObjectKind::Products,
    ObjectKind::Orders,
];

/// The first pause between two batches is this part of the longest.
const FIRST_PAUSE_DIVISOR: u32 = 16;

/// Objects that were upserted in a transaction that is not committed yet.
pub(super) struct Upserted {
    pub(super) transaction: TenantTx,
    /// How many were new or different.
    pub(super) changed: usize,
    /// How many were deleted.
    pub(super) deleted: usize,
}

impl SyncService {
    /// Executes the pending refetches of a shop until there are none, or the time slice of the job ends. The rest then
    /// gets a job of its own, which queues behind other shops.
    pub(super) async fn process_pending_refetches(&self, job: &Job) -> Result<(), SyncError> {
        let tenant = job.tenant;
        let Some(batch) = self.next_refetches(tenant).await? else {
            return Ok(());
        };
        let provider = self.token_provider_with(tenant, &batch.domain, batch.credentials);
        let store = self.shopify.shop(batch.domain, provider);
        self.process_batches(&store, batch.refetches, job).await
    }

    /// `None`: nothing waits, or Shopify cannot be asked. In the latter case the requests stay until a sync finds the
    /// shop reachable again.
    async fn next_refetches(&self, tenant: TenantId) -> Result<Option<RefetchBatch>, DbError> {
        let mut transaction = self.database.tenant(tenant).await?;
        let batch = transaction
            .next_refetches(self.config.refetch_batch)
            .await?;
        Ok(batch
            .filter(|batch| batch.status == ShopStatus::Connected && !batch.refetches.is_empty()))
    }

    async fn process_batches(
        &self,
        store: &ShopClient,
        mut refetches: Vec<PendingRefetch>,
        job: &Job,
    ) -> Result<(), SyncError> {
        let tenant = job.tenant;
        let slice_ends = Instant::now() + self.config.refetch_time_slice;
        let mut pause = self.config.refetch_pause / FIRST_PAUSE_DIVISOR;
        loop {
            let began = Instant::now();
            if !self.process_batch(store, tenant, &refetches).await? {
                return Ok(());
            }
            self.reset_attempts(job).await?;
            // Requests arrive faster than they are executed. Longer pauses make larger batches, so a busy shop costs
            // few queries to Shopify.
            let next_batch = began + pause;
            pause = (pause * 2).min(self.config.refetch_pause);
            if Instant::now().max(next_batch) >= slice_ends {
                let wait = next_batch.saturating_duration_since(Instant::now());
                let then = self.clock.now() + wait;
                self.database
                    .queue_job(tenant, JobKind::Refetch, then)
                    .await?;
                return Ok(());
            }
            tokio::time::sleep_until(next_batch).await;
            match self.next_refetches(tenant).await? {
                Some(batch) => refetches = batch.refetches,
                None => return Ok(()),
            }
        }
    }

    /// The refetch job of a busy shop may never end, so its attempts count failures without progress between them.
    async fn reset_attempts(&self, job: &Job) -> Result<(), SyncError> {
        if job.attempts > 1 {
            let mut system = self.database.system().await?;
            system.reset_attempts(job.id).await?;
            system.commit().await?;
        }
        Ok(())
    }

    /// The Admin API of a shop, with its stored credentials.
    pub(super) fn store_of(&self, tenant: TenantId, shop: &Shop) -> ShopClient {
        self.shopify.shop(
            shop.domain.clone(),
            self.token_provider(tenant, &shop.domain),
        )
    }

    /// Executes refetches. Whether others wait.
    async fn process_batch(
        &self,
        store: &ShopClient,
        tenant: TenantId,
        refetches: &[PendingRefetch],
    ) -> Result<bool, SyncError> {
        let mut others_wait = true;
        for kind in ORDER {
            for deleted in [true, false] {
                let selected: Vec<PendingRefetch> = refetches
                    .iter()
                    .filter(|one| one.kind == kind && one.deleted == deleted)
                    .copied()
                    .collect();
                if selected.is_empty() {
                    continue;
                }
                let ids: Vec<i64> = selected.iter().map(|one| one.id).collect();
                let mut transaction = if deleted {
                    let mut transaction = self.database.work(tenant).await?;
                    let now = self.clock.now();
                    transaction.delete_objects(kind, &ids, now).await?;
                    transaction
                } else {
                    debug!(shop.domain = %store.domain(), object.kind = kind.code(), objects = ids.len(), "fetching changed objects");
                    self.fetch_and_upsert(store, tenant, kind, &ids)
                        .await?
                        .transaction
                };
                transaction.delete_refetches(kind, &selected).await?;
                others_wait = transaction.has_pending_refetches().await?;
                transaction.commit().await?;
            }
        }
        Ok(others_wait)
    }

    /// Fetches objects and upserts them in a transaction that the caller commits. An object that Shopify does not have
    /// is deleted; one that the app may not read stays as it is.
    pub(super) async fn fetch_and_upsert(
        &self,
        store: &ShopClient,
        tenant: TenantId,
        kind: ObjectKind,
        ids: &[i64],
    ) -> Result<Upserted, SyncError> {
        let fetched = match store.fetch(kind, ids).await {
            Ok(fetched) => fetched,
            Err(ShopifyError::AccessDenied { field }) => {
                warn!(shop.domain = %store.domain(), object.kind = kind.code(), field, "the app may not read changed objects");
                return Ok(Upserted {
                    transaction: self.database.work(tenant).await?,
                    changed: 0,
                    deleted: 0,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let (mut transaction, upserted) = self
            .database
            .upsert(tenant, kind, fetched.records, fetched.fetched_at)
            .await?;
        let mut missing = fetched.missing;
        if kind == ObjectKind::Orders && !missing.is_empty() {
            missing = transaction
                .visible_orders(&missing, self.clock.now())
                .await?;
        }
        let deleted = if missing.is_empty() {
            0
        } else {
            transaction
                .delete_objects(kind, &missing, fetched.fetched_at)
                .await?
        };
        Ok(Upserted {
            transaction,
            changed: upserted.changed,
            deleted,
        })
    }
}

//! Data loaders combine the reads of one operation's resolvers into one statement per batch. They
//! exist per request and read from its snapshot, because a shared loader would be a cache across
//! tenants. Every key contains its tenant.

mod batches;

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;

use async_graphql::dataloader::{DataLoader, Loader};
use futures_util::future::BoxFuture;

use super::error::ApiError;
use super::read_snapshot::ReadSession;
use crate::db::{Result, TenantTx};
use crate::domain::ids::TenantId;

pub(super) use batches::{
    CustomerById, FirstLineItems, LineItemCount, NewestOrders, OrderById, OrderCount, ProductById,
    ProgressByRun, RefundsOf, SyncRunById,
};

/// A key that resolvers load one by one, and that is read in batches.
pub(super) trait Batch: Clone + Eq + Hash + Send + Sync + 'static {
    /// The value of a key.
    type Value: Clone + Send + Sync + 'static;

    /// Reads a batch. Missing keys are left out.
    fn read(
        transaction: &mut TenantTx,
        keys: Vec<Self>,
    ) -> impl Future<Output = Result<HashMap<Self, Self::Value>>> + Send;
}

/// A key within a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct In<K> {
    tenant: TenantId,
    key: K,
}

struct BatchLoader {
    reads: ReadSession,
}

impl<K: Batch> Loader<In<K>> for BatchLoader {
    type Value = K::Value;
    type Error = ApiError;

    async fn load(&self, keys: &[In<K>]) -> Result<HashMap<In<K>, K::Value>, ApiError> {
        let mut by_tenant: HashMap<TenantId, Vec<K>> = HashMap::new();
        for In { tenant, key } in keys {
            by_tenant.entry(*tenant).or_default().push(key.clone());
        }
        let mut found = HashMap::new();
        for (tenant, keys) in by_tenant {
            let mut reading = self.reads.for_tenant(tenant).await?;
            let values = K::read(reading.transaction(), keys).await?;
            found.extend(
                values
                    .into_iter()
                    .map(|(key, value)| (In { tenant, key }, value)),
            );
        }
        Ok(found)
    }
}

/// The data loaders of a request.
pub(super) struct Loaders {
    loader: DataLoader<BatchLoader>,
}

impl Loaders {
    pub(super) fn new(reads: &ReadSession) -> Self {
        let loader = BatchLoader {
            reads: reads.clone(),
        };
        Self {
            loader: DataLoader::new(loader, spawn),
        }
    }

    /// Loads the value of a key.
    pub(super) async fn load<K: Batch>(
        &self,
        tenant: TenantId,
        key: K,
    ) -> Result<Option<K::Value>, ApiError> {
        self.loader.load_one(In { tenant, key }).await
    }

    /// Loads the value only if the operation selects it.
    pub(super) async fn load_if<K: Batch>(
        &self,
        wanted: bool,
        tenant: TenantId,
        key: K,
    ) -> Result<Option<K::Value>, ApiError> {
        if wanted {
            self.load(tenant, key).await
        } else {
            Ok(None)
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "resolvers wait for their batch, so it ends with its request"
)]
fn spawn(batch: BoxFuture<'static, ()>) {
    tokio::spawn(batch);
}

//! The batches that data loaders read.

use std::collections::HashMap;
use std::hash::Hash;

use super::Batch;
use crate::db::customers::CustomerRow;
use crate::db::line_items::LineItemRow;
use crate::db::orders::OrderRow;
use crate::db::products::ProductRow;
use crate::db::refunds::RefundRow;
use crate::db::sync_runs::{SyncProgress, SyncRun};
use crate::db::{Result, TenantTx};
use crate::domain::ids::{CustomerId, OrderId, ProductId, SyncRunId};

macro_rules! batch {
    (
        $(#[$doc:meta])*
        $name:ident($key:ty) -> $value:ty,
        |$transaction:ident, $keys:ident| $read:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(in crate::graphql) struct $name(pub(in crate::graphql) $key);

        impl Batch for $name {
            type Value = $value;

            async fn read(
                $transaction: &mut TenantTx,
                keys: Vec<Self>,
            ) -> Result<HashMap<Self, Self::Value>> {
                let $keys: Vec<$key> = keys.into_iter().map(|key| key.0).collect();
                Ok($read)
            }
        }
    };
}

batch! {
    /// An order.
    OrderById(OrderId) -> OrderRow,
    |transaction, ids| by_key(transaction.orders_by_id(&ids).await?, |row| Self(row.id))
}
batch! {
    /// A customer, deleted or not.
    CustomerById(CustomerId) -> CustomerRow,
    |transaction, ids| by_key(transaction.customers_by_id(&ids).await?, |row| Self(row.id))
}
batch! {
    /// A product, deleted or not.
    ProductById(ProductId) -> ProductRow,
    |transaction, ids| by_key(transaction.products_by_id(&ids).await?, |row| Self(row.id))
}
batch! {
    /// A sync run.
    SyncRunById(SyncRunId) -> SyncRun,
    |transaction, ids| by_key(transaction.sync_runs_by_id(&ids).await?, |row| Self(row.id))
}
batch! {
    /// The progress of a sync run.
    ProgressByRun(SyncRunId) -> Vec<SyncProgress>,
    |transaction, ids| grouped(transaction.sync_progress(&ids).await?, |row| Self(row.run))
}
batch! {
    /// The refunds of an order.
    RefundsOf(OrderId) -> Vec<RefundRow>,
    |transaction, ids| grouped(transaction.refunds_of(&ids).await?, |row| Self(row.order_id))
}
batch! {
    /// The number of line items of an order.
    LineItemCount(OrderId) -> i64,
    |transaction, ids| {
        let counts = transaction.count_line_items_of(&ids).await?.into_iter();
        counts.map(|(order, count)| (Self(order), count)).collect()
    }
}
batch! {
    /// The number of orders of a customer.
    OrderCount(CustomerId) -> i64,
    |transaction, ids| {
        let counts = transaction.count_orders_of(&ids).await?.into_iter();
        counts.map(|(customer, count)| (Self(customer), count)).collect()
    }
}

/// The first line items of an order, up to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct FirstLineItems {
    pub(in crate::graphql) order: OrderId,
    pub(in crate::graphql) limit: i64,
}

impl Batch for FirstLineItems {
    type Value = Vec<LineItemRow>;

    async fn read(
        transaction: &mut TenantTx,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>> {
        let mut found = HashMap::new();
        for (limit, orders) in by_limit(keys.into_iter().map(|key| (key.limit, key.order))) {
            let rows = transaction.first_line_items_of(&orders, limit).await?;
            found.extend(grouped(rows, |row| Self {
                order: row.order_id,
                limit,
            }));
        }
        Ok(found)
    }
}

/// The newest orders of a customer, up to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct NewestOrders {
    pub(in crate::graphql) customer: CustomerId,
    pub(in crate::graphql) limit: i64,
}

impl Batch for NewestOrders {
    type Value = Vec<OrderRow>;

    async fn read(
        transaction: &mut TenantTx,
        keys: Vec<Self>,
    ) -> Result<HashMap<Self, Self::Value>> {
        let mut found = HashMap::new();
        for (limit, customers) in by_limit(keys.into_iter().map(|key| (key.limit, key.customer))) {
            for row in transaction.newest_orders_of(&customers, limit).await? {
                if let Some(customer) = row.customer_id {
                    let rows: &mut Vec<_> = found.entry(Self { customer, limit }).or_default();
                    rows.push(row);
                }
            }
        }
        Ok(found)
    }
}

/// Aliases may use different limits. Each limit needs its own statement.
fn by_limit<K>(keys: impl Iterator<Item = (i64, K)>) -> HashMap<i64, Vec<K>> {
    let mut by_limit: HashMap<i64, Vec<K>> = HashMap::new();
    for (limit, key) in keys {
        by_limit.entry(limit).or_default().push(key);
    }
    by_limit
}

fn by_key<K: Eq + Hash, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, R> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

fn grouped<K: Eq + Hash, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Vec<R>> {
    let mut groups: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

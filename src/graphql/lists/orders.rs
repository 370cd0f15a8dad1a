//! Lists of orders.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::db::keyset::Keyset;
use crate::db::orders::{OrderFilter, OrderRow};
use crate::db::{Result, TenantTx};
use crate::domain::ids::OrderId;
use crate::graphql::pagination::Listing;

/// Orders by the time they were placed.
pub(in crate::graphql) struct OrdersByTime {
    pub(in crate::graphql) name: String,
    pub(in crate::graphql) zone: String,
    pub(in crate::graphql) filter: OrderFilter,
    pub(in crate::graphql) newest_first: bool,
}

impl Listing for OrdersByTime {
    type Key = (DateTime<Utc>, OrderId);
    type Row = OrderRow;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn descending(&self) -> bool {
        self.newest_first
    }

    fn key(row: &OrderRow) -> Self::Key {
        (row.processed_at, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<OrderRow>> {
        transaction
            .orders_by_processed_at(&self.zone, &self.filter, keys)
            .await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_orders(&self.zone, &self.filter).await
    }
}

/// Orders by total price, highest first.
pub(in crate::graphql) struct OrdersByTotal {
    pub(in crate::graphql) zone: String,
    pub(in crate::graphql) filter: OrderFilter,
}

impl Listing for OrdersByTotal {
    type Key = (Decimal, OrderId);
    type Row = OrderRow;

    fn name(&self) -> String {
        "orders/TOTAL_DESC".to_owned()
    }

    fn key(row: &OrderRow) -> Self::Key {
        (row.total_price, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<OrderRow>> {
        transaction
            .orders_by_total(&self.zone, &self.filter, keys)
            .await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_orders(&self.zone, &self.filter).await
    }
}

//! Lists of customers.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::db::customers::{CustomerFilter, CustomerRow};
use crate::db::keyset::Keyset;
use crate::db::{Result, TenantTx};
use crate::domain::ids::CustomerId;
use crate::graphql::pagination::Listing;

/// Customers by total spent, highest first.
pub(in crate::graphql) struct CustomersByTotalSpent {
    pub(in crate::graphql) zone: String,
    pub(in crate::graphql) filter: CustomerFilter,
}

impl Listing for CustomersByTotalSpent {
    type Key = (Decimal, CustomerId);
    type Row = CustomerRow;

    fn name(&self) -> String {
        "customers/TOTAL_SPENT_DESC".to_owned()
    }

    fn key(row: &CustomerRow) -> Self::Key {
        (row.total_spent, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<CustomerRow>> {
        transaction
            .customers_by_total_spent(&self.zone, &self.filter, keys)
            .await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_customers(&self.zone, &self.filter).await
    }
}

/// Customers by number of orders, highest first.
pub(in crate::graphql) struct CustomersByOrders {
    pub(in crate::graphql) zone: String,
    pub(in crate::graphql) filter: CustomerFilter,
}

impl Listing for CustomersByOrders {
    type Key = (i64, CustomerId);
    type Row = CustomerRow;

    fn name(&self) -> String {
        "customers/ORDERS_DESC".to_owned()
    }

    fn key(row: &CustomerRow) -> Self::Key {
        (row.orders, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<CustomerRow>> {
        transaction
            .customers_by_orders(&self.zone, &self.filter, keys)
            .await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_customers(&self.zone, &self.filter).await
    }
}

/// Customers by most recent order, newest first. Customers without orders come last.
pub(in crate::graphql) struct CustomersByLastOrder {
    pub(in crate::graphql) zone: String,
    pub(in crate::graphql) filter: CustomerFilter,
}

impl Listing for CustomersByLastOrder {
    type Key = (Option<DateTime<Utc>>, CustomerId);
    type Row = CustomerRow;

    fn name(&self) -> String {
        "customers/LAST_ORDER_DESC".to_owned()
    }

    fn key(row: &CustomerRow) -> Self::Key {
        (row.last_order_at, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<CustomerRow>> {
        transaction
            .customers_by_last_order(&self.zone, &self.filter, keys)
            .await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_customers(&self.zone, &self.filter).await
    }
}

//! Reads of customers with their all-time totals. Lists exclude deleted customers. Reads by id include them,
//! because their orders still reference them.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::keyset::{Keyset, contains, end};
use super::{Result, TenantTx};
use crate::domain::ids::CustomerId;

/// A customer with all-time totals.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerRow {
    /// The id in Shopify.
    pub id: CustomerId,
    /// The display name; empty while only an order references the customer.
    pub display_name: String,
    /// The email address; `None` if it is missing or the app may not read it.
    pub email: Option<String>,
    /// The merchant's tags.
    pub tags: Vec<String>,
    /// When the customer was created; `None` while only an order references the customer.
    pub created_at: Option<DateTime<Utc>>,
    /// The number of orders in the shop's currency.
    pub orders: i64,
    /// Total sales in the shop's currency.
    pub total_spent: Decimal,
    /// When the first order was placed.
    pub first_order_at: Option<DateTime<Utc>>,
    /// When the last order was placed.
    pub last_order_at: Option<DateTime<Utc>>,
}

/// Conditions on customers. A field that is `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// Customers with this text in the name or the email address.
    pub search: Option<String>,
    /// Customers with at least this number of orders.
    pub min_orders: Option<i64>,
    /// Customers with a last order before this day.
    pub last_order_before: Option<NaiveDate>,
}

impl TenantTx {
    /// A page of customers by total spent.
    pub async fn customers_by_total_spent(
        &mut self,
        zone: &str,
        filter: &CustomerFilter,
        keys: &Keyset<(Decimal, CustomerId)>,
    ) -> Result<Vec<CustomerRow>> {
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = if keys.descending {
            sqlx::query_file_as!(
                CustomerRow,
                "src/db/customers/sql/by_total_spent_desc.sql",
                tenant,
                zone,
                filter.search.as_deref().map(contains),
                filter.min_orders,
                filter.last_order_before,
                above,
                above_id.map(CustomerId::number),
                below,
                below_id.map(CustomerId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        } else {
            sqlx::query_file_as!(
                CustomerRow,
                "src/db/customers/sql/by_total_spent_asc.sql",
                tenant,
                zone,
                filter.search.as_deref().map(contains),
                filter.min_orders,
                filter.last_order_before,
                above,
                above_id.map(CustomerId::number),
                below,
                below_id.map(CustomerId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// A page of customers by number of orders.
    pub async fn customers_by_orders(
        &mut self,
        zone: &str,
        filter: &CustomerFilter,
        keys: &Keyset<(i64, CustomerId)>,
    ) -> Result<Vec<CustomerRow>> {
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = if keys.descending {
            sqlx::query_file_as!(
                CustomerRow,
                "src/db/customers/sql/by_orders_desc.sql",
                tenant,
                zone,
                filter.search.as_deref().map(contains),
                filter.min_orders,
                filter.last_order_before,
                above,
                above_id.map(CustomerId::number),
                below,
                below_id.map(CustomerId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        } else {
            sqlx::query_file_as!(
                CustomerRow,
                "src/db/customers/sql/by_orders_asc.sql",
                tenant,
                zone,
                filter.search.as_deref().map(contains),
                filter.min_orders,
                filter.last_order_before,
                above,
                above_id.map(CustomerId::number),
                below,
                below_id.map(CustomerId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// A page of customers by last order. Customers without an order have the smallest key: an end of the keyset
    /// with an id and no instant is such a customer.
    pub async fn customers_by_last_order(
        &mut self,
        zone: &str,
        filter: &CustomerFilter,
        keys: &Keyset<(Option<DateTime<Utc>>, CustomerId)>,
    ) -> Result<Vec<CustomerRow>> {
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = if keys.descending {
            sqlx::query_file_as!(
                CustomerRow,
                "src/db/customers/sql/by_last_order_desc.sql",
                tenant,
                zone,
                filter.search.as_deref().map(contains),
                filter.min_orders,
                filter.last_order_before,
                above.flatten(),
                above_id.map(CustomerId::number),
                below.flatten(),
                below_id.map(CustomerId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        } else {
            sqlx::query_file_as!(
                CustomerRow,
                "src/db/customers/sql/by_last_order_asc.sql",
                tenant,
                zone,
                filter.search.as_deref().map(contains),
                filter.min_orders,
                filter.last_order_before,
                above.flatten(),
                above_id.map(CustomerId::number),
                below.flatten(),
                below_id.map(CustomerId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// The number of customers that match the filter.
    pub async fn count_customers(&mut self, zone: &str, filter: &CustomerFilter) -> Result<i64> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_file_scalar!(
            "src/db/customers/sql/count.sql",
            tenant,
            zone,
            filter.search.as_deref().map(contains),
            filter.min_orders,
            filter.last_order_before,
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Customers by id, including deleted customers. Unknown ids are skipped.
    pub async fn customers_by_id(&mut self, ids: &[CustomerId]) -> Result<Vec<CustomerRow>> {
        let tenant = self.tenant();
        let ids: Vec<_> = ids.iter().map(|id| id.number()).collect();
        Ok(sqlx::query_as!(
            CustomerRow,
            "select c.id as \"id: CustomerId\", c.display_name, c.email, c.tags, c.created_at, \
                    coalesce(t.orders, 0) as \"orders!\", coalesce(t.total_sales, 0) as \"total_spent!\", \
                    t.first_order_at as \"first_order_at?\", t.last_order_at as \"last_order_at?\" \
             from customers c left join sales_totals t on t.tenant_id = c.tenant_id and t.dimension = 'CUSTOMER' and t.value_id = c.id \
             where c.tenant_id = $1 and c.id = any($2)",
            tenant.uuid(),
            &ids
        )
        .fetch_all(self.connection())
        .await?)
    }
}

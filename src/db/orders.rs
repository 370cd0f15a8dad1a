//! Reads of orders. They exclude deleted orders.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::keyset::{Keyset, contains, end};
use super::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::ids::{CustomerId, OrderId, ProductId};
use crate::domain::money::Currency;

/// An order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRow {
    /// The id in Shopify.
    pub id: OrderId,
    /// The name that the merchant sees, such as `#1001`.
    pub name: String,
    /// The customer; `None` for a guest.
    pub customer_id: Option<CustomerId>,
    /// When the order was placed.
    pub processed_at: DateTime<Utc>,
    /// When the order was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// `PAID`, `REFUNDED`, …
    pub financial_status: Option<String>,
    /// `FULFILLED`, …
    pub fulfillment_status: Option<String>,
    /// The sales channel, such as `web` or `pos`.
    pub source_name: Option<String>,
    /// The discount codes of the order.
    pub discount_codes: Vec<String>,
    /// The merchant's tags.
    pub tags: Vec<String>,
    /// Whether this is a test order.
    pub test: bool,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The total price when the order was placed.
    pub total_price: Decimal,
    /// Payments less refunds.
    pub net_payment: Decimal,
}

/// Conditions on orders. A field that is `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Orders placed on these days.
    pub range: Option<DayRange>,
    /// Orders with one of these financial statuses.
    pub financial_status: Option<Vec<String>>,
    /// Orders of this customer.
    pub customer: Option<CustomerId>,
    /// Orders with a line item of this product.
    pub product: Option<ProductId>,
    /// Cancelled orders, or all others.
    pub cancelled: Option<bool>,
    /// Orders with this text in their name, or in the name or email address of their customer.
    pub search: Option<String>,
}

/// The largest page of the API, and one row more: that row shows that a next page exists.
const MAX_NEWEST: i64 = 101;

/// Whether the request is for the newest orders, unfiltered and at most [`MAX_NEWEST`] of them.
#[must_use]
pub fn are_newest(filter: &OrderFilter, keys: &Keyset<(DateTime<Utc>, OrderId)>) -> bool {
    let whole_list = keys.above.is_none() && keys.below.is_none();
    keys.descending && whole_list && keys.limit <= MAX_NEWEST && *filter == OrderFilter::default()
}

impl TenantTx {
    /// A page of orders by processing time.
    pub async fn orders_by_processed_at(
        &mut self,
        zone: &str,
        filter: &OrderFilter,
        keys: &Keyset<(DateTime<Utc>, OrderId)>,
    ) -> Result<Vec<OrderRow>> {
        if are_newest(filter, keys) {
            return self.newest_orders(keys.limit).await;
        }
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = if keys.descending {
            sqlx::query_file_as!(
                OrderRow,
                "src/db/orders/sql/by_processed_at_desc.sql",
                tenant,
                filter.range.map(DayRange::from),
                filter.range.map(DayRange::to),
                zone,
                filter.financial_status.as_deref(),
                filter.customer.map(CustomerId::number),
                filter.product.map(ProductId::number),
                filter.cancelled,
                filter.search.as_deref().map(contains),
                above,
                above_id.map(OrderId::number),
                below,
                below_id.map(OrderId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        } else {
            sqlx::query_file_as!(
                OrderRow,
                "src/db/orders/sql/by_processed_at_asc.sql",
                tenant,
                filter.range.map(DayRange::from),
                filter.range.map(DayRange::to),
                zone,
                filter.financial_status.as_deref(),
                filter.customer.map(CustomerId::number),
                filter.product.map(ProductId::number),
                filter.cancelled,
                filter.search.as_deref().map(contains),
                above,
                above_id.map(OrderId::number),
                below,
                below_id.map(OrderId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// The newest orders, at most [`MAX_NEWEST`]. This is the most frequent list, so it has a statement of its own: the
    /// literal limit lets PostgreSQL reuse a generic plan. The statement with all filters is planned for each request,
    /// and its planning takes longer than this statement.
    async fn newest_orders(&mut self, limit: i64) -> Result<Vec<OrderRow>> {
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            OrderRow,
            "select id as \"id: OrderId\", name, customer_id as \"customer_id: CustomerId\", processed_at, \
                    cancelled_at, financial_status, fulfillment_status, source_name, discount_codes, tags, \
                    test, currency as \"currency: Currency\", total_price, net_payment \
             from (select * from orders where tenant_id = $1 and deleted_at is null \
                   order by processed_at desc, id desc limit 101) o \
             order by processed_at desc, id desc limit $2",
            tenant.uuid(),
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// A page of orders by total price.
    pub async fn orders_by_total(
        &mut self,
        zone: &str,
        filter: &OrderFilter,
        keys: &Keyset<(Decimal, OrderId)>,
    ) -> Result<Vec<OrderRow>> {
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = if keys.descending {
            sqlx::query_file_as!(
                OrderRow,
                "src/db/orders/sql/by_total_desc.sql",
                tenant,
                filter.range.map(DayRange::from),
                filter.range.map(DayRange::to),
                zone,
                filter.financial_status.as_deref(),
                filter.customer.map(CustomerId::number),
                filter.product.map(ProductId::number),
                filter.cancelled,
                filter.search.as_deref().map(contains),
                above,
                above_id.map(OrderId::number),
                below,
                below_id.map(OrderId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        } else {
            sqlx::query_file_as!(
                OrderRow,
                "src/db/orders/sql/by_total_asc.sql",
                tenant,
                filter.range.map(DayRange::from),
                filter.range.map(DayRange::to),
                zone,
                filter.financial_status.as_deref(),
                filter.customer.map(CustomerId::number),
                filter.product.map(ProductId::number),
                filter.cancelled,
                filter.search.as_deref().map(contains),
                above,
                above_id.map(OrderId::number),
                below,
                below_id.map(OrderId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// The number of orders that match the filter.
    pub async fn count_orders(&mut self, zone: &str, filter: &OrderFilter) -> Result<i64> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_file_scalar!(
            "src/db/orders/sql/count.sql",
            tenant,
            filter.range.map(DayRange::from),
            filter.range.map(DayRange::to),
            zone,
            filter.financial_status.as_deref(),
            filter.customer.map(CustomerId::number),
            filter.product.map(ProductId::number),
            filter.cancelled,
            filter.search.as_deref().map(contains),
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Orders by id. Unknown ids are skipped.
    pub async fn orders_by_id(&mut self, ids: &[OrderId]) -> Result<Vec<OrderRow>> {
        let tenant = self.tenant();
        let ids: Vec<_> = ids.iter().map(|id| id.number()).collect();
        Ok(sqlx::query_as!(
            OrderRow,
            "select id as \"id: OrderId\", name, customer_id as \"customer_id: CustomerId\", processed_at, \
                    cancelled_at, financial_status, fulfillment_status, source_name, discount_codes, tags, \
                    test, currency as \"currency: Currency\", total_price, net_payment \
             from orders where tenant_id = $1 and id = any($2) and deleted_at is null",
            tenant.uuid(),
            &ids
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// The newest orders of each of these customers, newest first, at most `limit` for each customer.
    pub async fn newest_orders_of(
        &mut self,
        customers: &[CustomerId],
        limit: i64,
    ) -> Result<Vec<OrderRow>> {
        let tenant = self.tenant();
        let ids: Vec<_> = customers.iter().map(|id| id.number()).collect();
        Ok(sqlx::query_as!(
            OrderRow,
            "select o.id as \"id!: OrderId\", o.name as \"name!\", o.customer_id as \"customer_id: CustomerId\", \
                    o.processed_at as \"processed_at!\", o.cancelled_at, o.financial_status, o.fulfillment_status, \
                    o.source_name, o.discount_codes as \"discount_codes!\", o.tags as \"tags!\", o.test as \"test!\", \
                    o.currency as \"currency!: Currency\", o.total_price as \"total_price!\", o.net_payment as \"net_payment!\" \
             from unnest($2::bigint[]) c(id) cross join lateral ( \
                select * from orders where tenant_id = $1 and customer_id = c.id and deleted_at is null \
                order by processed_at desc, id desc limit $3) o \
             order by o.customer_id, o.processed_at desc, o.id desc",
            tenant.uuid(),
            &ids,
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// The number of orders of each of these customers. Customers without orders are skipped.
    pub async fn count_orders_of(
        &mut self,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, i64)>> {
        let tenant = self.tenant();
        let ids: Vec<_> = customers.iter().map(|id| id.number()).collect();
        let rows = sqlx::query!(
            "select customer_id as \"customer!: CustomerId\", count(*) as \"count!\" from orders \
             where tenant_id = $1 and customer_id = any($2) and deleted_at is null group by customer_id",
            tenant.uuid(),
            &ids
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.customer, row.count))
            .collect())
    }
}

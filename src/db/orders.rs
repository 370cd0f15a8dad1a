//! Orders as they are read. Deleted ones are in no list and are not found.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::keyset::{Count, Keyset, contains, end};
use super::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::ids::{CustomerId, OrderId, ProductId};
use crate::domain::money::Currency;

/// An order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRow {
    /// Shopify's number.
    pub id: OrderId,
    /// What the merchant calls it.
    pub name: String,
    /// Who placed it.
    pub customer_id: Option<CustomerId>,
    /// When it was placed.
    pub processed_at: DateTime<Utc>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// `PAID`, `REFUNDED`, …
    pub financial_status: Option<String>,
    /// `FULFILLED`, …
    pub fulfillment_status: Option<String>,
    /// Where it came from.
    pub source_name: Option<String>,
    /// The codes that were used.
    pub discount_codes: Vec<String>,
    /// The merchant's tags.
    pub tags: Vec<String>,
    /// Whether it only tests the checkout.
    pub test: bool,
    /// What its amounts are counted in.
    pub currency: Currency,
    /// What was asked for it when it was placed.
    pub total_price: Decimal,
    /// What was paid, less what was paid back.
    pub net_payment: Decimal,
}

/// Which orders are meant; what is `None` narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Placed on these days.
    pub range: Option<DayRange>,
    /// In one of these states of payment.
    pub financial_status: Option<Vec<String>>,
    /// Placed by this customer.
    pub customer: Option<CustomerId>,
    /// With a line of this product.
    pub product: Option<ProductId>,
    /// Cancelled, or not.
    pub cancelled: Option<bool>,
    /// With this text in the order's name, or its customer's name or address.
    pub search: Option<String>,
}

/// A page of the API, and one more that tells whether there is another page.
const SHORT: i64 = 101;

/// The statements over filtered orders differ in what they select and in what comes after the filter.
macro_rules! filtered_orders {
    ($output:ident, $select:tt, $rest:tt, $tenant:expr, $zone:expr, $filter:expr $(, $more:expr)*) => {
        sqlx::query_as!(
            $output,
            "select " + $select + " from orders o where o.tenant_id = $1 and o.deleted_at is null \
             and ($2::date is null or o.processed_at >= day_start($2, $4)) \
             and ($3::date is null or o.processed_at < day_start($3 + 1, $4)) \
             and ($5::text[] is null or o.financial_status = any($5)) \
             and ($6::bigint is null or o.customer_id = $6) \
             and ($7::bigint is null or exists (select from line_items l \
                  where l.tenant_id = $1 and l.product_id = $7 and l.order_id = o.id)) \
             and ($8::boolean is null or (o.cancelled_at is not null) = $8) \
             and ($9::text is null or o.name ilike $9 or exists (select from customers c \
                  where c.tenant_id = $1 and c.id = o.customer_id and (c.display_name ilike $9 or c.email ilike $9))) "
            + $rest,
            $tenant.uuid(),
            $filter.range.map(DayRange::from),
            $filter.range.map(DayRange::to),
            $zone,
            $filter.financial_status.as_deref(),
            $filter.customer.map(CustomerId::number),
            $filter.product.map(ProductId::number),
            $filter.cancelled,
            $filter.search.as_deref().map(contains)
            $(, $more)*
        )
    };
}

macro_rules! orders_page {
    ($rest:tt, $tenant:expr, $zone:expr, $filter:expr, $keys:expr) => {{
        let (above, above_id) = end($keys.above.as_ref());
        let (below, below_id) = end($keys.below.as_ref());
        filtered_orders!(
            OrderRow,
            "o.id as \"id: OrderId\", o.name, o.customer_id as \"customer_id: CustomerId\", o.processed_at, \
             o.cancelled_at, o.financial_status, o.fulfillment_status, o.source_name, o.discount_codes, o.tags, \
             o.test, o.currency as \"currency: Currency\", o.total_price, o.net_payment",
            $rest,
            $tenant,
            $zone,
            $filter,
            above,
            above_id.map(OrderId::number),
            below,
            below_id.map(OrderId::number),
            $keys.limit
        )
    }};
}

/// Whether these are but the newest orders, few of them.
#[must_use]
pub fn are_newest(filter: &OrderFilter, keys: &Keyset<(DateTime<Utc>, OrderId)>) -> bool {
    let whole_list = keys.above.is_none() && keys.below.is_none();
    keys.descending && whole_list && keys.limit <= SHORT && *filter == OrderFilter::default()
}

impl TenantTx {
    /// Orders by when they were placed.
    pub async fn orders_by_processed_at(
        &mut self,
        zone: &str,
        filter: &OrderFilter,
        keys: &Keyset<(DateTime<Utc>, OrderId)>,
    ) -> Result<Vec<OrderRow>> {
        if are_newest(filter, keys) {
            return self.newest_orders(keys.limit).await;
        }
        let tenant = self.tenant();
        let rows = if keys.descending {
            orders_page!(
                "and (o.processed_at, o.id) > (coalesce($10, '-infinity'::timestamptz), coalesce($11::bigint, -1)) \
                 and (o.processed_at, o.id) < (coalesce($12, 'infinity'::timestamptz), coalesce($13::bigint, -1)) \
                 order by o.processed_at desc, o.id desc limit $14",
                tenant, zone, filter, keys
            )
            .fetch_all(self.connection())
            .await?
        } else {
            orders_page!(
                "and (o.processed_at, o.id) > (coalesce($10, '-infinity'::timestamptz), coalesce($11::bigint, -1)) \
                 and (o.processed_at, o.id) < (coalesce($12, 'infinity'::timestamptz), coalesce($13::bigint, -1)) \
                 order by o.processed_at, o.id limit $14",
                tenant, zone, filter, keys
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// The beginning of the list that is asked for most, at most [`SHORT`] of it: a plan for all values knows by
    /// the number in the statement that it is short. The statement with every filter is planned anew each time,
    /// which takes longer than this one takes to run.
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

    /// Orders by what was asked for them.
    pub async fn orders_by_total(
        &mut self,
        zone: &str,
        filter: &OrderFilter,
        keys: &Keyset<(Decimal, OrderId)>,
    ) -> Result<Vec<OrderRow>> {
        let tenant = self.tenant();
        let rows = if keys.descending {
            orders_page!(
                "and (o.total_price, o.id) > (coalesce($10, '-infinity'::numeric), coalesce($11::bigint, -1)) \
                 and (o.total_price, o.id) < (coalesce($12, 'infinity'::numeric), coalesce($13::bigint, -1)) \
                 order by o.total_price desc, o.id desc limit $14",
                tenant, zone, filter, keys
            )
            .fetch_all(self.connection())
            .await?
        } else {
            orders_page!(
                "and (o.total_price, o.id) > (coalesce($10, '-infinity'::numeric), coalesce($11::bigint, -1)) \
                 and (o.total_price, o.id) < (coalesce($12, 'infinity'::numeric), coalesce($13::bigint, -1)) \
                 order by o.total_price, o.id limit $14",
                tenant, zone, filter, keys
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// How many orders pass the filter.
    pub async fn count_orders(&mut self, zone: &str, filter: &OrderFilter) -> Result<i64> {
        let tenant = self.tenant();
        let count = filtered_orders!(Count, "count(*) as \"count!\"", "", tenant, zone, filter)
            .fetch_one(self.connection())
            .await?;
        Ok(count.count)
    }

    /// Orders by id; those that are not there are left out.
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

    /// The newest orders of each of these customers, at most `limit` of each, newest first.
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

    /// How many orders each of these customers has; those without any are left out.
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

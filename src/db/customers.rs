//! Customers as they are read, each with the totals kept of them. Deleted ones are in no list, but are found
//! by id: their orders still name them.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::keyset::{Count, Keyset, contains, end};
use super::{Result, TenantTx};
use crate::domain::ids::CustomerId;

/// A customer with their totals of all time.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerRow {
    /// Shopify's number.
    pub id: CustomerId,
    /// The name to show; empty while only an order has named the customer.
    pub display_name: String,
    /// Null without one, and where the app may not see it.
    pub email: Option<String>,
    /// The merchant's tags.
    pub tags: Vec<String>,
    /// When it was made; null while only an order has named the customer.
    pub created_at: Option<DateTime<Utc>>,
    /// Orders placed, in the shop's currency.
    pub orders: i64,
    /// What they came to, in the shop's currency.
    pub total_spent: Decimal,
    /// The first of them.
    pub first_order_at: Option<DateTime<Utc>>,
    /// The last of them.
    pub last_order_at: Option<DateTime<Utc>>,
}

/// Which customers are meant; what is `None` narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// With this text in the name or the address.
    pub search: Option<String>,
    /// With at least so many orders.
    pub min_orders: Option<i64>,
    /// Whose last order is from before this day.
    pub last_order_before: Option<NaiveDate>,
}

macro_rules! filtered_customers {
    ($output:ident, $select:tt, $rest:tt, $tenant:expr, $zone:expr, $filter:expr $(, $more:expr)*) => {
        sqlx::query_as!(
            $output,
            "select " + $select + " from sales_totals t \
             join customers c on c.tenant_id = t.tenant_id and c.id = t.value_id \
             where t.tenant_id = $1 and t.dimension = 'CUSTOMER' and c.tenant_id = $1 and c.deleted_at is null \
             and ($3::text is null or c.display_name ilike $3 or c.email ilike $3) \
             and ($4::bigint is null or t.orders >= $4) \
             and ($5::date is null or t.last_order_at < day_start($5, $2)) "
            + $rest,
            $tenant.uuid(),
            $zone,
            $filter.search.as_deref().map(contains),
            $filter.min_orders,
            $filter.last_order_before
            $(, $more)*
        )
    };
}

macro_rules! customers_page {
    ($rest:tt, $tenant:expr, $zone:expr, $filter:expr, $keys:expr, $above:expr, $below:expr) => {
        filtered_customers!(
            CustomerRow,
            "c.id as \"id: CustomerId\", c.display_name, c.email, c.tags, c.created_at, t.orders, t.total_sales as total_spent, \
             t.first_order_at, t.last_order_at",
            $rest,
            $tenant,
            $zone,
            $filter,
            $above.0,
            $above.1.map(CustomerId::number),
            $below.0,
            $below.1.map(CustomerId::number),
            $keys.limit
        )
    };
}

impl TenantTx {
    /// Customers by what they spent.
    pub async fn customers_by_total_spent(
        &mut self,
        zone: &str,
        filter: &CustomerFilter,
        keys: &Keyset<(Decimal, CustomerId)>,
    ) -> Result<Vec<CustomerRow>> {
        let tenant = self.tenant();
        let (above, below) = (end(keys.above.as_ref()), end(keys.below.as_ref()));
        let rows = if keys.descending {
            customers_page!(
                "and (t.total_sales, t.value_id) > (coalesce($6, '-infinity'::numeric), coalesce($7::bigint, -1)) \
                 and (t.total_sales, t.value_id) < (coalesce($8, 'infinity'::numeric), coalesce($9::bigint, -1)) \
                 order by t.total_sales desc, t.value_id desc limit $10",
                tenant, zone, filter, keys, above, below
            )
            .fetch_all(self.connection())
            .await?
        } else {
            customers_page!(
                "and (t.total_sales, t.value_id) > (coalesce($6, '-infinity'::numeric), coalesce($7::bigint, -1)) \
                 and (t.total_sales, t.value_id) < (coalesce($8, 'infinity'::numeric), coalesce($9::bigint, -1)) \
                 order by t.total_sales, t.value_id limit $10",
                tenant, zone, filter, keys, above, below
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// Customers by how often they ordered.
    pub async fn customers_by_orders(
        &mut self,
        zone: &str,
        filter: &CustomerFilter,
        keys: &Keyset<(i64, CustomerId)>,
    ) -> Result<Vec<CustomerRow>> {
        let tenant = self.tenant();
        let (above, below) = (end(keys.above.as_ref()), end(keys.below.as_ref()));
        let rows = if keys.descending {
            customers_page!(
                "and (t.orders, t.value_id) > (coalesce($6::bigint, -9223372036854775808), coalesce($7::bigint, -1)) \
                 and (t.orders, t.value_id) < (coalesce($8::bigint, 9223372036854775807), coalesce($9::bigint, -1)) \
                 order by t.orders desc, t.value_id desc limit $10",
                tenant, zone, filter, keys, above, below
            )
            .fetch_all(self.connection())
            .await?
        } else {
            customers_page!(
                "and (t.orders, t.value_id) > (coalesce($6::bigint, -9223372036854775808), coalesce($7::bigint, -1)) \
                 and (t.orders, t.value_id) < (coalesce($8::bigint, 9223372036854775807), coalesce($9::bigint, -1)) \
                 order by t.orders, t.value_id limit $10",
                tenant, zone, filter, keys, above, below
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// Customers by their last order; those without one come before every other. An end without an instant
    /// is one of these, an end without an id is none.
    pub async fn customers_by_last_order(
        &mut self,
        zone: &str,
        filter: &CustomerFilter,
        keys: &Keyset<(Option<DateTime<Utc>>, CustomerId)>,
    ) -> Result<Vec<CustomerRow>> {
        let tenant = self.tenant();
        let (above, below) = (end(keys.above.as_ref()), end(keys.below.as_ref()));
        let (above, below) = ((above.0.flatten(), above.1), (below.0.flatten(), below.1));
        let rows = if keys.descending {
            customers_page!(
                "and (coalesce(t.last_order_at, '-infinity'::timestamptz), t.value_id) \
                     > (coalesce($6, '-infinity'::timestamptz), coalesce($7::bigint, -1)) \
                 and (coalesce(t.last_order_at, '-infinity'::timestamptz), t.value_id) \
                     < (case when $9::bigint is null then 'infinity' else coalesce($8, '-infinity'::timestamptz) end, \
                        coalesce($9, -1)) \
                 order by coalesce(t.last_order_at, '-infinity'::timestamptz) desc, t.value_id desc limit $10",
                tenant, zone, filter, keys, above, below
            )
            .fetch_all(self.connection())
            .await?
        } else {
            customers_page!(
                "and (coalesce(t.last_order_at, '-infinity'::timestamptz), t.value_id) \
                     > (coalesce($6, '-infinity'::timestamptz), coalesce($7::bigint, -1)) \
                 and (coalesce(t.last_order_at, '-infinity'::timestamptz), t.value_id) \
                     < (case when $9::bigint is null then 'infinity' else coalesce($8, '-infinity'::timestamptz) end, \
                        coalesce($9, -1)) \
                 order by coalesce(t.last_order_at, '-infinity'::timestamptz), t.value_id limit $10",
                tenant, zone, filter, keys, above, below
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// How many customers pass the filter.
    pub async fn count_customers(&mut self, zone: &str, filter: &CustomerFilter) -> Result<i64> {
        let tenant = self.tenant();
        let count = filtered_customers!(Count, "count(*) as \"count!\"", "", tenant, zone, filter)
            .fetch_one(self.connection())
            .await?;
        Ok(count.count)
    }

    /// How many customers there are.
    pub async fn count_all_customers(&mut self) -> Result<i64> {
        let tenant = self.tenant();
        Ok(sqlx::query_scalar!(
            "select count(*) as \"count!\" from customers where tenant_id = $1 and deleted_at is null",
            tenant.uuid()
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Customers by id, deleted ones included; those that never were are left out.
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

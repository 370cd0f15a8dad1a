//! On which days which customers are there, as counts: `first_customers` and `returning_customers`. A
//! customer's days of one currency form a chain; what a change of the chain moves are the pairs of a day and
//! the one before it, for the days that came or went and for those that follow them, and nothing else.

use chrono::NaiveDate;

use super::Store;
use super::sums::{Counts, Presence};
use crate::db::{Result, TenantTx};

/// The days on which customers came to be or ceased to be present, each with its currency and customer, and
/// the counts that stood for their surroundings before (as PostgreSQL writes arrays of the tables' rows).
#[derive(Debug)]
pub(super) struct Flips {
    pub(super) currencies: Vec<String>,
    pub(super) customers: Vec<i64>,
    pub(super) days: Vec<NaiveDate>,
    pub(super) firsts_before: String,
    pub(super) returns_before: String,
}

/// A query between whose parts the counts around the rows of `flips` are worked out from `customer_days`:
/// `firsts` and `returns`. What comes before begins with `with recursive`. A first day counts in every currency
/// of the customer, because the day of their first order in any may have changed.
macro_rules! with_presence {
    ($($before:literal),+; $($after:literal),+; $($argument:expr),+ $(,)?) => {
        sqlx::query!(
            $($before +)+ ", touched as ( \
                select currency, customer_id, day from flips \
                union \
                select f.currency, f.customer_id, next.day from flips f, lateral ( \
                   select d.day from customer_days d where d.tenant_id = $1 and d.customer_id = f.customer_id \
                     and d.currency = f.currency and d.day > f.day and d.orders > 0 order by d.day limit 1) next \
             ), returns as ( \
                select t.currency, t.day, previous.day as previous_day, count(*) as customers from touched t \
                join customer_days present on present.tenant_id = $1 and present.currency = t.currency \
                  and present.day = t.day and present.customer_id = t.customer_id and present.orders > 0 \
                cross join lateral ( \
                   select d.day from customer_days d where d.tenant_id = $1 and d.customer_id = t.customer_id \
                     and d.currency = t.currency and d.day < t.day and d.orders > 0 order by d.day desc limit 1) previous \
                group by t.currency, t.day, previous.day \
             ), currencies as ( \
                (select currency from daily_sales where tenant_id = $1 order by currency limit 1) \
                union all \
                select (select s.currency from daily_sales s where s.tenant_id = $1 and s.currency > c.currency \
                        order by s.currency limit 1) \
                from currencies c where c.currency is not null \
             ), firsts as ( \
                select c.currency, first.day, t.first_order_day, count(*) as customers \
                from (select distinct customer_id from flips) p \
                join customer_totals t on t.tenant_id = $1 and t.customer_id = p.customer_id \
                cross join currencies c \
                cross join lateral ( \
                   select d.day from customer_days d where d.tenant_id = $1 and d.customer_id = p.customer_id \
                     and d.currency = c.currency and d.orders > 0 order by d.day limit 1) first \
                where t.first_order_day is not null \
                group by c.currency, first.day, t.first_order_day \
             )" $(+ $after)+,
            $($argument),+
        )
    };
}
pub(super) use with_presence;

impl TenantTx {
    /// Moves the counts by what they are around the flips now, less what they were before.
    pub(super) async fn move_presence(&mut self, store: &Store, flips: &Flips) -> Result<()> {
        if flips.days.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        with_presence!(
            "with recursive flips as materialized ( \
                select * from unnest($2::text[], $3::bigint[], $4::date[]) f(currency, customer_id, day) \
             )";
            ", moved_firsts as ( \
                insert into first_customers (tenant_id, currency, day, first_order_day, customers, version) \
                select $1::uuid, currency, day, first_order_day, sum(customers), $7::bigint \
                from (select currency, day, first_order_day, customers from firsts \
                      union all \
                      select currency, day, first_order_day, -customers from unnest($5::text::first_customers[])) f \
                group by currency, day, first_order_day having sum(customers) <> 0 \
                on conflict (tenant_id, currency, day, first_order_day) do update set \
                   customers = first_customers.customers + excluded.customers, version = excluded.version \
             ) \
             insert into returning_customers (tenant_id, currency, day, previous_day, customers, version) \
             select $1::uuid, currency, day, previous_day, sum(customers), $7::bigint \
             from (select currency, day, previous_day, customers from returns \
                   union all \
                   select currency, day, previous_day, -customers from unnest($6::text::returning_customers[])) r \
             group by currency, day, previous_day having sum(customers) <> 0 \
             on conflict (tenant_id, currency, day, previous_day) do update set \
                customers = returning_customers.customers + excluded.customers, version = excluded.version";
            tenant,
            &flips.currencies,
            &flips.customers,
            &flips.days,
            flips.firsts_before,
            flips.returns_before,
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Adds counts of everything that is counted anew.
    pub(super) async fn add_presence(&mut self, store: &Store, presence: Presence) -> Result<()> {
        self.add_firsts(store, presence.firsts).await?;
        self.add_returns(store, presence.returns).await
    }

    async fn add_firsts(&mut self, store: &Store, counts: Counts) -> Result<()> {
        if counts.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        let rows = CountRows::of(counts);
        sqlx::query!(
            "insert into first_customers as f (tenant_id, currency, day, first_order_day, customers, version) \
             select $1::uuid, *, $6::bigint from unnest($2::text[], $3::date[], $4::date[], $5::bigint[]) \
             on conflict (tenant_id, currency, day, first_order_day) do update set customers = f.customers + excluded.customers",
            tenant,
            &rows.currencies,
            &rows.days,
            &rows.others,
            &rows.customers,
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn add_returns(&mut self, store: &Store, counts: Counts) -> Result<()> {
        if counts.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        let rows = CountRows::of(counts);
        sqlx::query!(
            "insert into returning_customers as r (tenant_id, currency, day, previous_day, customers, version) \
             select $1::uuid, *, $6::bigint from unnest($2::text[], $3::date[], $4::date[], $5::bigint[]) \
             on conflict (tenant_id, currency, day, previous_day) do update set customers = r.customers + excluded.customers",
            tenant,
            &rows.currencies,
            &rows.days,
            &rows.others,
            &rows.customers,
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

/// Counts, column by column.
#[derive(Default)]
struct CountRows {
    currencies: Vec<String>,
    days: Vec<NaiveDate>,
    others: Vec<NaiveDate>,
    customers: Vec<i64>,
}

impl CountRows {
    fn of(counts: Counts) -> Self {
        let mut rows = Self::default();
        for ((currency, day, other), customers) in counts {
            rows.currencies.push(currency.into_code());
            rows.days.push(day);
            rows.others.push(other);
            rows.customers.push(customers);
        }
        rows
    }
}

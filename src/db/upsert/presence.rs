//! On which days which customers are there, as counts: `first_customers` and `returning_customers`. A
//! customer's days of one currency form a chain; what a change of the chain moves are the pairs of a day and
//! the one before it, for the days that came or went and for those that follow them, and nothing else.

use chrono::NaiveDate;

use super::Store;
use crate::db::{Result, TenantTx};

/// The days on which customers came to be or ceased to be present, each with its currency and customer.
#[derive(Debug)]
pub(super) struct Flips {
    pub(super) currencies: Vec<String>,
    pub(super) customers: Vec<i64>,
    pub(super) days: Vec<NaiveDate>,
    /// Whether the customer came to be present.
    pub(super) came: Vec<bool>,
}

/// What a statement gave that names the flips.
macro_rules! flips {
    ($row:ident) => {
        Flips {
            currencies: $row.flipped_currencies,
            customers: $row.flipped_customers,
            days: $row.flipped_days,
            came: $row.came,
        }
    };
}
pub(super) use flips;

impl TenantTx {
    /// Moves the counts by the flips, once the days of customers and their first orders are as they are now.
    pub(super) async fn move_presence(&mut self, store: &Store, flips: &Flips) -> Result<()> {
        if flips.days.is_empty() {
            return Ok(());
        }
        self.move_counts_around(store, flips).await
    }

    /// `customer_days` has the chains as they are now: as they were, the days that came were not in them, and those that
    /// went were. A first day counts in every currency of the customer, because the day of their first order in any may
    /// have changed.
    async fn move_counts_around(&mut self, store: &Store, flips: &Flips) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "with recursive flips as materialized ( \
                select * from unnest($3::text[], $4::bigint[], $5::date[], $6::boolean[]) f(currency, customer_id, day, came) \
             ), touched as ( \
                select currency, customer_id, day, not came as was, came as remains from flips \
                union \
                select f.currency, f.customer_id, next.day, true, true from flips f cross join lateral ( \
                   select d.day from customer_days d where d.tenant_id = $1 and d.customer_id = f.customer_id \
                     and d.currency = f.currency and d.day > f.day and d.orders > 0 order by d.day limit 1) next \
                where not exists (select from flips g \
                   where g.currency = f.currency and g.customer_id = f.customer_id and g.day = next.day) \
             ), previous as materialized ( \
                select t.*, (select d.day from customer_days d where d.tenant_id = $1 and d.customer_id = t.customer_id \
                      and d.currency = t.currency and d.day < t.day and d.orders > 0 order by d.day desc limit 1) as day_now, \
                   greatest( \
                      (select d.day from customer_days d where d.tenant_id = $1 and d.customer_id = t.customer_id \
                          and d.currency = t.currency and d.day < t.day and d.orders > 0 \
                          and not exists (select from flips g \
                             where g.currency = t.currency and g.customer_id = t.customer_id and g.day = d.day) \
                       order by d.day desc limit 1), \
                      (select max(g.day) from flips g \
                       where g.currency = t.currency and g.customer_id = t.customer_id and g.day < t.day and not g.came) \
                   ) as day_before \
                from touched t \
             ), returns as ( \
                select p.currency, p.day, c.previous_day, sum(c.customers) as customers from previous p \
                cross join lateral (values (p.day_before, -1, p.was), (p.day_now, 1, p.remains)) c(previous_day, customers, there) \
                where c.there and c.previous_day is not null \
                group by p.currency, p.day, c.previous_day having sum(c.customers) <> 0 \
             ), currencies as ( \
                (select currency from daily_sales where tenant_id = $1 order by currency limit 1) \
                union all \
                select (select s.currency from daily_sales s where s.tenant_id = $1 and s.currency > c.currency \
                        order by s.currency limit 1) \
                from currencies c where c.currency is not null \
             ), first_days as materialized ( \
                select c.currency, p.customer_id, \
                   (select d.day from customer_days d where d.tenant_id = $1 and d.customer_id = p.customer_id \
                      and d.currency = c.currency and d.orders > 0 order by d.day limit 1) as day_now, \
                   least( \
                      (select d.day from customer_days d where d.tenant_id = $1 and d.customer_id = p.customer_id \
                          and d.currency = c.currency and d.orders > 0 \
                          and not exists (select from flips g \
                             where g.currency = c.currency and g.customer_id = p.customer_id and g.day = d.day) \
                       order by d.day limit 1), \
                      (select min(g.day) from flips g \
                       where g.currency = c.currency and g.customer_id = p.customer_id and not g.came)) as day_before \
                from (select distinct customer_id from flips) p cross join currencies c \
                where c.currency is not null \
             ), firsts as ( \
                select f.currency, c.day, c.first_order_day, sum(c.customers) as customers \
                from (select *, min(day_now) over (partition by customer_id) as first_order_day_now, \
                         min(day_before) over (partition by customer_id) as first_order_day_before from first_days) f \
                cross join lateral (values (f.day_before, f.first_order_day_before, -1), (f.day_now, f.first_order_day_now, 1)) \
                   c(day, first_order_day, customers) \
                where c.day is not null \
                group by f.currency, c.day, c.first_order_day having sum(c.customers) <> 0 \
             ), moved_firsts as ( \
                insert into first_customers (tenant_id, currency, day, first_order_day, customers, version) \
                select $1::uuid, currency, day, first_order_day, customers, $2::bigint from firsts \
                on conflict (tenant_id, currency, day, first_order_day) do update set \
                   customers = first_customers.customers + excluded.customers, version = excluded.version \
             ) \
             insert into returning_customers (tenant_id, currency, day, previous_day, customers, version) \
             select $1::uuid, currency, day, previous_day, customers, $2::bigint from returns \
             on conflict (tenant_id, currency, day, previous_day) do update set \
                customers = returning_customers.customers + excluded.customers, version = excluded.version",
            tenant,
            store.version,
            &flips.currencies,
            &flips.customers,
            &flips.days,
            &flips.came
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

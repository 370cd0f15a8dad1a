//! The sums that are kept beside the ledger: per day, per customer and day, per customer, per product. What
//! `order_day_figures` says of the orders at hand is set aside before their rows change; afterwards the sums
//! move by what it says then, less what it said before. Every row that is written says in which version.

use chrono::NaiveDate;

use super::Store;
use super::presence::{Flips, flips};
use crate::db::{Result, TenantTx};

/// What the orders at hand stood for before their rows changed, as PostgreSQL writes arrays of the views' rows.
#[derive(Debug)]
pub(super) struct FiguresBefore {
    by_day: String,
    by_product: String,
}

impl FiguresBefore {
    /// Of orders that were never stored.
    pub(super) fn none() -> Self {
        let nothing = || "{}".to_owned();
        Self {
            by_day: nothing(),
            by_product: nothing(),
        }
    }
}

/// What moving the sums gave.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) days: Vec<NaiveDate>,
    pub(super) customers: Vec<i64>,
    pub(super) flips: Flips,
}

/// A statement that moves the sums by day, by customer and day, and by customer. What comes before begins with
/// `with` and ends where another table would follow; then the rows of figures, of which some take off what was,
/// and may be limited by a condition; then what the statement gives besides what the sums moved for. Of an order that is
/// placed, and counts, the figures say when that was: first and last orders move by it as long as no order goes. It
/// knows `changes`, the sums of the figures by currency, day and customer; what it wrote, as `daily`, `by_customer` and
/// `totals`; and `flips`, of which it gives what [`flips`] reads.
/// $1 is the tenant, $4 the shop's currency, $5 the version.
macro_rules! with_moves {
    ($($before:literal),+; $figures:literal; $($after:literal),+; $($argument:expr),+ $(,)?) => {
        sqlx::query!(
            $($before +)+ " changes as materialized ( \
                select currency, day, customer_id, sum(orders)::bigint as orders, sum(units_sold)::bigint as units_sold, \
                   sum(gross_sales) as gross_sales, sum(discounts) as discounts, sum(returns) as returns, \
                   sum(shipping) as shipping, sum(taxes) as taxes, sum(duties) as duties, sum(fees) as fees, \
                   sum(placed_sales) as placed_sales, min(placed_at) as first_placed_at, max(placed_at) as last_placed_at \
                from " + $figures + " group by currency, day, customer_id \
                ), daily as ( \
                   insert into daily_sales (tenant_id, currency, day, orders, units_sold, gross_sales, discounts, returns, \
                      shipping, taxes, duties, fees, placed_sales, version) \
                   select $1::uuid, currency, day, sum(orders), sum(units_sold), sum(gross_sales), sum(discounts), sum(returns), \
                      sum(shipping), sum(taxes), sum(duties), sum(fees), sum(placed_sales), $5::bigint \
                   from changes group by currency, day \
                   having (sum(orders), sum(units_sold), sum(gross_sales), sum(discounts), sum(returns), sum(shipping), \
                      sum(taxes), sum(duties), sum(fees), sum(placed_sales)) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0) \
                   on conflict (tenant_id, currency, day) do update set \
                      orders = daily_sales.orders + excluded.orders, \
                      units_sold = daily_sales.units_sold + excluded.units_sold, \
                      gross_sales = daily_sales.gross_sales + excluded.gross_sales, \
                      discounts = daily_sales.discounts + excluded.discounts, \
                      returns = daily_sales.returns + excluded.returns, \
                      shipping = daily_sales.shipping + excluded.shipping, taxes = daily_sales.taxes + excluded.taxes, \
                      duties = daily_sales.duties + excluded.duties, fees = daily_sales.fees + excluded.fees, \
                      placed_sales = daily_sales.placed_sales + excluded.placed_sales, version = excluded.version \
                   returning daily_sales.* \
                ), people as materialized ( \
                   select currency, day, customer_id, orders, first_placed_at, last_placed_at, \
                      gross_sales - discounts - returns + shipping + taxes + duties + fees as total_sales \
                   from changes where customer_id is not null \
                ), moves as materialized ( \
                   select * from people where (orders, total_sales) <> (0, 0) \
                ), by_customer as ( \
                   insert into customer_days (tenant_id, currency, day, customer_id, orders, total_sales) \
                   select $1::uuid, currency, day, customer_id, orders, total_sales from moves \
                   on conflict (tenant_id, currency, day, customer_id) do update set \
                      orders = customer_days.orders + excluded.orders, \
                      total_sales = customer_days.total_sales + excluded.total_sales \
                   returning customer_days.* \
                ), totals as ( \
                   insert into customer_totals (tenant_id, customer_id, orders, total_spent, first_order_at, first_order_day, \
                      last_order_at, version) \
                   select $1::uuid, customer_id, coalesce(sum(orders) filter (where currency = $4), 0), \
                      coalesce(sum(total_sales) filter (where currency = $4), 0), min(first_placed_at), \
                      min(day) filter (where first_placed_at is not null), max(last_placed_at), $5::bigint \
                   from moves group by customer_id \
                   on conflict (tenant_id, customer_id) do update set \
                      orders = customer_totals.orders + excluded.orders, \
                      total_spent = customer_totals.total_spent + excluded.total_spent, \
                      first_order_at = least(customer_totals.first_order_at, excluded.first_order_at), \
                      first_order_day = least(customer_totals.first_order_day, excluded.first_order_day), \
                      last_order_at = greatest(customer_totals.last_order_at, excluded.last_order_at), \
                      version = excluded.version \
                   returning customer_totals.* \
                ), flips as materialized ( \
                   select m.currency, m.customer_id, m.day, coalesce(d.orders, 0) + m.orders > 0 as came from moves m \
                   left join customer_days d on d.tenant_id = $1 and d.currency = m.currency and d.day = m.day \
                      and d.customer_id = m.customer_id \
                   where (coalesce(d.orders, 0) > 0) <> (coalesce(d.orders, 0) + m.orders > 0) \
             ) \
             select array(select distinct day from changes) as \"days!\", \
                array(select distinct customer_id from people) as \"customers!\", f.currencies as \"flipped_currencies!\", f.customers as \"flipped_customers!\", f.days as \"flipped_days!\", \
                f.came as \"came!\"" $(+ $after)+ + " \
                from (select coalesce(array_agg(currency), '{}') as currencies, coalesce(array_agg(customer_id), '{}') as customers, \
                   coalesce(array_agg(day), '{}') as days, coalesce(array_agg(came), '{}') as came from flips) f",
            $($argument),+
        )
    };
}
pub(super) use with_moves;

impl TenantTx {
    /// What the orders stand for now, for [`move_rollups`](Self::move_rollups) to take off.
    pub(super) async fn figures_of(&mut self, orders: &[i64]) -> Result<FiguresBefore> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            FiguresBefore,
            "select \
                (select coalesce(array_agg(f), '{}')::text from order_day_figures f \
                 where tenant_id = $1 and order_id = any($2)) as \"by_day!\", \
                (select coalesce(array_agg(f), '{}')::text from product_order_figures f \
                 where tenant_id = $1 and order_id = any($2)) as \"by_product!\"",
            tenant,
            orders
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Moves every sum by what the orders stand for now, less what they did before.
    pub(super) async fn move_rollups(
        &mut self,
        store: &Store,
        orders: &[i64],
        before: &FiguresBefore,
    ) -> Result<()> {
        let moved = self.move_sales(store, orders, before).await?;
        self.move_product_totals(store, orders, before).await?;
        self.refresh_first_and_last_orders(store, &moved.customers)
            .await?;
        self.move_presence(store, &moved.flips).await?;
        self.note_changed_days(moved.days);
        Ok(())
    }

    /// By day, by customer and day, and by customer: three sums of the same figures, which are read once.
    async fn move_sales(
        &mut self,
        store: &Store,
        orders: &[i64],
        before: &FiguresBefore,
    ) -> Result<Moved> {
        let tenant = self.tenant().uuid();
        let moved = with_moves!(
            "with ";
            "( \
                select currency, day, customer_id, orders, units_sold, gross_sales, discounts, returns, shipping, taxes, \
                   duties, fees, placed_sales, null::timestamptz as placed_at \
                from order_day_figures where tenant_id = $1 and order_id = any($2) \
                union all \
                select currency, day, customer_id, -orders, -units_sold, -gross_sales, -discounts, -returns, -shipping, \
                   -taxes, -duties, -fees, -placed_sales, null \
                from unnest($3::text::order_day_figures[]) \
             ) f";
            "";
            tenant,
            orders,
            before.by_day,
            store.currency.code(),
            store.version
        )
        .fetch_one(self.connection())
        .await?;
        Ok(Moved {
            days: moved.days,
            customers: moved.customers,
            flips: flips!(moved),
        })
    }

    async fn move_product_totals(
        &mut self,
        store: &Store,
        orders: &[i64],
        before: &FiguresBefore,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into product_totals (tenant_id, product_id, units_sold, net_sales) \
             select $1::uuid, product_id, sum(units_sold), sum(net_sales) \
             from ( \
                select product_id, units_sold, net_sales from product_order_figures \
                where tenant_id = $1 and order_id = any($2) and currency = $4 \
                union all \
                select product_id, -units_sold, -net_sales from unnest($3::text::product_order_figures[]) where currency = $4 \
             ) f \
             group by product_id having (sum(units_sold), sum(net_sales)) <> (0, 0) \
             on conflict (tenant_id, product_id) do update set \
                units_sold = product_totals.units_sold + excluded.units_sold, net_sales = product_totals.net_sales + excluded.net_sales",
            tenant,
            orders,
            before.by_product,
            store.currency.code()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// A first and a last order cannot be kept by adding: they are looked up, by index, for the customers at
    /// hand. Where clocks go back over midnight an order of the day before may follow the first one, so the
    /// first day is that of all orders up to a day later.
    pub(super) async fn refresh_first_and_last_orders(
        &mut self,
        store: &Store,
        customers: &[i64],
    ) -> Result<()> {
        if customers.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into customer_totals (tenant_id, customer_id, orders, total_spent, first_order_at, first_order_day, \
                last_order_at, version) \
             select $1::uuid, c.id, 0, 0, first.processed_at, first_day.day, last.processed_at, $3::bigint \
             from unnest($2::bigint[]) c(id) \
             left join lateral (select processed_at from orders o \
                where o.tenant_id = $1 and o.customer_id = c.id and o.counted order by o.processed_at limit 1) first on true \
             left join lateral (select min(day) as day from orders o \
                where o.tenant_id = $1 and o.customer_id = c.id and o.counted \
                  and o.processed_at between first.processed_at and first.processed_at + interval '25 hours') first_day on true \
             left join lateral (select processed_at from orders o \
                where o.tenant_id = $1 and o.customer_id = c.id and o.counted order by o.processed_at desc limit 1) last on true \
             on conflict (tenant_id, customer_id) do update set first_order_at = excluded.first_order_at, \
                first_order_day = excluded.first_order_day, last_order_at = excluded.last_order_at, version = excluded.version \
             where (customer_totals.first_order_at, customer_totals.first_order_day, customer_totals.last_order_at) \
                is distinct from (excluded.first_order_at, excluded.first_order_day, excluded.last_order_at)",
            tenant,
            customers,
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

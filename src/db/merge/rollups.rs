//! The sums that are kept beside the ledger: per day, per customer and day, per customer, per product. They
//! are moved by what `order_day_figures` says of the orders at hand, before their rows change and after.

use super::Store;
use crate::db::{Result, TenantTx};

/// Which way the figures of the orders move the rollups.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    /// The orders' rows are about to change or go.
    Subtract,
    /// The orders' rows have just been written.
    Add,
}

impl Sign {
    const fn factor(self) -> i32 {
        match self {
            Self::Subtract => -1,
            Self::Add => 1,
        }
    }
}

impl TenantTx {
    pub(super) async fn move_rollups(
        &mut self,
        store: &Store,
        orders: &[i64],
        sign: Sign,
    ) -> Result<()> {
        self.move_sales(store, orders, sign).await?;
        self.move_product_totals(store, orders, sign).await
    }

    /// By day, by customer and day, and by customer: three sums of the same figures, which are read once.
    async fn move_sales(&mut self, store: &Store, orders: &[i64], sign: Sign) -> Result<()> {
        let tenant = self.tenant().uuid();
        let days = sqlx::query_scalar!(
            "with figures as materialized ( \
                select *, gross_sales - discounts - returns + shipping + taxes + duties + fees as total_sales \
                from order_day_figures where tenant_id = $1 and order_id = any($2) \
             ), daily as ( \
                insert into daily_sales (tenant_id, currency, day, orders, units_sold, gross_sales, discounts, returns, \
                   shipping, taxes, duties, fees, placed_sales) \
                select $1::uuid, currency, day, $3::int * sum(orders), $3::int * sum(units_sold), $3::int * sum(gross_sales), \
                   $3::int * sum(discounts), $3::int * sum(returns), $3::int * sum(shipping), $3::int * sum(taxes), \
                   $3::int * sum(duties), $3::int * sum(fees), $3::int * sum(placed_sales) \
                from figures group by currency, day \
                on conflict (tenant_id, currency, day) do update set \
                   orders = daily_sales.orders + excluded.orders, \
                   units_sold = daily_sales.units_sold + excluded.units_sold, \
                   gross_sales = daily_sales.gross_sales + excluded.gross_sales, \
                   discounts = daily_sales.discounts + excluded.discounts, \
                   returns = daily_sales.returns + excluded.returns, \
                   shipping = daily_sales.shipping + excluded.shipping, taxes = daily_sales.taxes + excluded.taxes, \
                   duties = daily_sales.duties + excluded.duties, fees = daily_sales.fees + excluded.fees, \
                   placed_sales = daily_sales.placed_sales + excluded.placed_sales \
                returning day \
             ), by_customer as ( \
                insert into customer_days (tenant_id, currency, day, customer_id, orders, total_sales) \
                select $1::uuid, currency, day, customer_id, $3::int * sum(orders), $3::int * sum(total_sales) \
                from figures where customer_id is not null group by currency, day, customer_id \
                on conflict (tenant_id, currency, day, customer_id) do update set \
                   orders = customer_days.orders + excluded.orders, \
                   total_sales = customer_days.total_sales + excluded.total_sales \
             ), totals as ( \
                insert into customer_totals (tenant_id, customer_id, orders, total_spent) \
                select $1::uuid, customer_id, $3::int * sum(orders), $3::int * sum(total_sales) \
                from figures where customer_id is not null and currency = $4 group by customer_id \
                on conflict (tenant_id, customer_id) do update set \
                   orders = customer_totals.orders + excluded.orders, \
                   total_spent = customer_totals.total_spent + excluded.total_spent \
             ) \
             select day as \"day!\" from daily",
            tenant,
            orders,
            sign.factor(),
            store.currency.code()
        )
        .fetch_all(self.connection())
        .await?;
        self.note_changed_days(days);
        Ok(())
    }

    async fn move_product_totals(
        &mut self,
        store: &Store,
        orders: &[i64],
        sign: Sign,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into product_totals (tenant_id, product_id, units_sold, net_sales) \
             select $1::uuid, product_id as \"product_id!\", $3::int * sum(units_sold), $3::int * sum(net_sales) \
             from product_order_figures where tenant_id = $1 and order_id = any($2) and currency = $4 \
             group by product_id \
             on conflict (tenant_id, product_id) do update set \
                units_sold = product_totals.units_sold + excluded.units_sold, net_sales = product_totals.net_sales + excluded.net_sales",
            tenant,
            orders,
            sign.factor(),
            store.currency.code()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// A first and a last order cannot be kept by adding: they are looked up, by index, for the customers at
    /// hand.
    pub(super) async fn refresh_first_and_last_orders(&mut self, customers: &[i64]) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into customer_totals (tenant_id, customer_id, orders, total_spent, first_order_at, first_order_day, last_order_at) \
             select $1::uuid, c.id, 0, 0, first.processed_at, first.day, last.processed_at \
             from unnest($2::bigint[]) c(id) \
             left join lateral (select processed_at, day from orders o \
                where o.tenant_id = $1 and o.customer_id = c.id and o.counted order by o.processed_at limit 1) first on true \
             left join lateral (select processed_at from orders o \
                where o.tenant_id = $1 and o.customer_id = c.id and o.counted order by o.processed_at desc limit 1) last on true \
             on conflict (tenant_id, customer_id) do update set first_order_at = excluded.first_order_at, \
                first_order_day = excluded.first_order_day, last_order_at = excluded.last_order_at",
            tenant,
            customers
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Works every sum out anew from the ledger, and the days from the instants: after a change of the shop's
    /// currency or time zone.
    pub async fn rebuild_figures(&mut self) -> Result<()> {
        let store = self.lock_store().await?;
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update orders set day = (processed_at at time zone $2::text)::date \
             where tenant_id = $1 and day <> (processed_at at time zone $2::text)::date",
            tenant,
            store.time_zone
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "update sales set day = (happened_at at time zone $2::text)::date \
             where tenant_id = $1 and day <> (happened_at at time zone $2::text)::date",
            tenant,
            store.time_zone
        )
        .execute(self.connection())
        .await?;
        for statement in [
            sqlx::query!("delete from daily_sales where tenant_id = $1", tenant),
            sqlx::query!("delete from customer_days where tenant_id = $1", tenant),
            sqlx::query!("delete from customer_totals where tenant_id = $1", tenant),
            sqlx::query!("delete from product_totals where tenant_id = $1", tenant),
        ] {
            statement.execute(self.connection()).await?;
        }
        self.rebuild_rollups(&store).await?;
        self.bump_data_version().await
    }

    async fn rebuild_rollups(&mut self, store: &Store) -> Result<()> {
        let tenant = self.tenant().uuid();
        let orders = sqlx::query_scalar!("select id from orders where tenant_id = $1", tenant)
            .fetch_all(self.connection())
            .await?;
        for chunk in orders.chunks(10_000) {
            self.move_rollups(store, chunk, Sign::Add).await?;
        }
        let customers =
            sqlx::query_scalar!("select id from customers where tenant_id = $1", tenant)
                .fetch_all(self.connection())
                .await?;
        for chunk in customers.chunks(10_000) {
            self.refresh_first_and_last_orders(chunk).await?;
        }
        sqlx::query!(
            "insert into product_totals (tenant_id, product_id, units_sold, net_sales) \
             select tenant_id, id, 0, 0 from products where tenant_id = $1 \
             on conflict (tenant_id, product_id) do nothing",
            tenant
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

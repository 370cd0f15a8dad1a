//! Working every sum out anew from the ledger: each is written once, by one statement over the whole store.
//! The first load of a store does the same instead of moving the sums with every chunk: until it ends the
//! rollups are empty, the store says so, and whoever changes an order meanwhile leaves them alone.

use super::Store;
use crate::db::{Result, TenantTx};

impl TenantTx {
    /// Works every sum out anew from the ledger, and the days from the instants: after a change of the shop's
    /// currency or time zone. The store says in which version, because rows that are gone cannot.
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
        self.rebuild_rollups(&store).await
    }

    /// Leaves the rollups of a store without any order for later:
    /// [`build_pending_figures`](Self::build_pending_figures) must follow, whatever happens.
    pub async fn defer_figures(&mut self) -> Result<()> {
        self.lock_store().await?;
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update shops set figures_pending = true \
             where tenant_id = $1 and not exists (select from orders where tenant_id = $1)",
            tenant
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Builds the rollups if they were left for later.
    pub async fn build_pending_figures(&mut self) -> Result<()> {
        let store = self.lock_store().await?;
        if store.figures_pending {
            self.rebuild_rollups(&store).await?;
        }
        Ok(())
    }

    async fn rebuild_rollups(&mut self, store: &Store) -> Result<()> {
        let tenant = self.tenant().uuid();
        // Nothing is known yet of rows that this very transaction wrote: they would pass for few.
        sqlx::raw_sql("set local enable_nestloop = off")
            .execute(self.connection())
            .await?;
        self.gather_figures().await?;
        self.add_named_customers().await?;
        for statement in [
            sqlx::query!("delete from daily_sales where tenant_id = $1", tenant),
            sqlx::query!("delete from customer_days where tenant_id = $1", tenant),
            sqlx::query!("delete from customer_totals where tenant_id = $1", tenant),
            sqlx::query!("delete from product_totals where tenant_id = $1", tenant),
            sqlx::query!("delete from first_customers where tenant_id = $1", tenant),
            sqlx::query!(
                "delete from returning_customers where tenant_id = $1",
                tenant
            ),
            sqlx::query!(
                "update shops set rebuilt_version = $2, figures_pending = false, \
                    customers = (select count(*) from customers where tenant_id = $1 and deleted_at is null) \
                 where tenant_id = $1",
                tenant,
                store.version
            ),
        ] {
            statement.execute(self.connection()).await?;
        }
        self.rebuild_daily_sales(store).await?;
        self.rebuild_customer_days().await?;
        self.rebuild_customer_totals(store).await?;
        self.rebuild_product_totals(store).await?;
        self.rebuild_presence(store).await?;
        self.forget_figures().await?;
        sqlx::raw_sql("set local enable_nestloop = on")
            .execute(self.connection())
            .await?;
        self.bump_data_version(store).await?;
        self.keep_day_book().await
    }

    /// Customers whom only an order of the load names.
    async fn add_named_customers(&mut self) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into customers (tenant_id, id, display_name, tags, content_hash, synced_at) \
             select $1::uuid, o.customer_id, '', '{}', 0, min(o.synced_at) from orders o \
             where o.tenant_id = $1 and o.customer_id is not null \
               and not exists (select from customers c where c.tenant_id = $1 and c.id = o.customer_id) \
             group by o.customer_id",
            tenant
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn rebuild_daily_sales(&mut self, store: &Store) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into daily_sales (tenant_id, currency, day, orders, units_sold, gross_sales, discounts, returns, \
                shipping, taxes, duties, fees, placed_sales, version) \
             select $1::uuid, currency, day, sum(orders), sum(units_sold), sum(gross_sales), sum(discounts), sum(returns), \
                sum(shipping), sum(taxes), sum(duties), sum(fees), sum(placed_sales), $2::bigint \
             from loaded_days group by day, currency \
             having (sum(orders), sum(units_sold), sum(gross_sales), sum(discounts), sum(returns), sum(shipping), \
                sum(taxes), sum(duties), sum(fees), sum(placed_sales)) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
            tenant,
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Numbers come before texts where rows are sorted: they cost less to compare.
    async fn rebuild_customer_days(&mut self) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into customer_days (tenant_id, currency, day, customer_id, orders, total_sales) \
             select $1::uuid, currency, day, customer_id, sum(orders), \
                sum(total_sales) \
             from loaded_spending where customer_id is not null group by day, customer_id, currency \
             having (sum(orders), sum(total_sales)) <> (0, 0) \
             order by day, customer_id",
            tenant
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Everybody who is known, with what they spent and their first and last order.
    async fn rebuild_customer_totals(&mut self, store: &Store) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into customer_totals (tenant_id, customer_id, orders, total_spent, first_order_at, first_order_day, \
                last_order_at, version) \
             select $1::uuid, coalesce(c.id, f.customer_id), coalesce(f.orders, 0), coalesce(f.total_spent, 0), \
                f.first_order_at, f.first_order_day, f.last_order_at, $3::bigint \
             from (select id from customers where tenant_id = $1) c \
             full join (select customer_id, \
                      sum(orders) filter (where currency = $2) as orders, \
                      sum(total_sales) filter (where currency = $2) as total_spent, \
                      min(placed_at) as first_order_at, min(day) filter (where orders > 0) as first_order_day, \
                      max(placed_at) as last_order_at \
                   from loaded_spending where customer_id is not null group by customer_id) f on f.customer_id = c.id",
            tenant,
            store.currency.code(),
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn rebuild_product_totals(&mut self, store: &Store) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into product_totals (tenant_id, product_id, units_sold, net_sales) \
             select $1::uuid, coalesce(p.id, f.product_id), coalesce(f.units_sold, 0), coalesce(f.net_sales, 0) \
             from (select id from products where tenant_id = $1) p \
             full join (select product_id, sum(units_sold) as units_sold, sum(net_sales) as net_sales \
                   from loaded_product_figures where currency = $2 group by product_id) f \
                on f.product_id = p.id",
            tenant,
            store.currency.code()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

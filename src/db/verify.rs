//! Recomputation: every sum that is kept beside the ledger is worked out anew and compared.

use super::{Result, TenantTx};

/// One place where what is kept and what the ledger says differ.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// Which row: the day, the customer, the order.
    pub row: String,
    /// What is kept.
    pub kept: String,
    /// What the ledger says.
    pub recomputed: String,
}

/// At most this many differences of a table are listed; one is enough to know.
const LISTED: i64 = 100;

impl TenantTx {
    /// Compares every rollup and total of the store with the ledger. Empty: all is well. Read it from a
    /// snapshot, so that nothing moves meanwhile.
    pub async fn verify(&mut self) -> Result<Vec<Difference>> {
        let mut differences = self.verify_built().await?;
        differences.extend(self.verify_daily_sales().await?);
        differences.extend(self.verify_customer_days().await?);
        differences.extend(self.verify_customers().await?);
        differences.extend(self.verify_customer_totals().await?);
        differences.extend(self.verify_product_totals().await?);
        differences.extend(self.verify_presence().await?);
        differences.extend(self.verify_days().await?);
        Ok(differences)
    }

    /// While a first load is under way there are no figures yet.
    async fn verify_built(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "select 'shops' as \"table!\", 'figures' as \"row!\", 'not built before the first load has ended' as \"kept!\", \
                'built' as \"recomputed!\" \
             from shops where tenant_id = $1 and figures_pending",
            tenant
        )
        .fetch_all(self.connection())
        .await?)
    }

    async fn verify_daily_sales(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "with recomputed as ( \
                select currency, day, sum(orders) as orders, sum(units_sold) as units_sold, sum(gross_sales) as gross_sales, \
                   sum(discounts) as discounts, sum(returns) as returns, sum(shipping) as shipping, sum(taxes) as taxes, \
                   sum(duties) as duties, sum(fees) as fees, sum(placed_sales) as placed_sales \
                from order_day_figures where tenant_id = $1 group by currency, day \
             ), kept as (select * from daily_sales where tenant_id = $1), \
             both_sides as ( \
                select currency || ' ' || day as row, \
                   array[coalesce(k.orders, 0), coalesce(k.units_sold, 0), coalesce(k.gross_sales, 0), coalesce(k.discounts, 0), \
                      coalesce(k.returns, 0), coalesce(k.shipping, 0), coalesce(k.taxes, 0), coalesce(k.duties, 0), \
                      coalesce(k.fees, 0), coalesce(k.placed_sales, 0)] as kept, \
                   array[coalesce(r.orders, 0), coalesce(r.units_sold, 0), coalesce(r.gross_sales, 0), coalesce(r.discounts, 0), \
                      coalesce(r.returns, 0), coalesce(r.shipping, 0), coalesce(r.taxes, 0), coalesce(r.duties, 0), \
                      coalesce(r.fees, 0), coalesce(r.placed_sales, 0)] as recomputed \
                from kept k full join recomputed r using (currency, day)) \
             select 'daily_sales' as \"table!\", row as \"row!\", kept::text as \"kept!\", recomputed::text as \"recomputed!\" \
             from both_sides where kept <> recomputed order by row limit $2",
            tenant,
            LISTED
        )
        .fetch_all(self.connection())
        .await?)
    }

    async fn verify_customer_days(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "with recomputed as ( \
                select currency, day, customer_id, sum(orders) as orders, \
                   sum(gross_sales - discounts - returns + shipping + taxes + duties + fees) as total_sales \
                from order_day_figures where tenant_id = $1 and customer_id is not null group by currency, day, customer_id \
             ), kept as (select * from customer_days where tenant_id = $1), \
             both_sides as ( \
                select currency || ' ' || day || ' ' || customer_id as row, \
                   array[coalesce(k.orders, 0), coalesce(k.total_sales, 0)] as kept, \
                   array[coalesce(r.orders, 0), coalesce(r.total_sales, 0)] as recomputed \
                from kept k full join recomputed r using (currency, day, customer_id)) \
             select 'customer_days' as \"table!\", row as \"row!\", kept::text as \"kept!\", recomputed::text as \"recomputed!\" \
             from both_sides where kept <> recomputed order by row limit $2",
            tenant,
            LISTED
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// How many customers the store has.
    async fn verify_customers(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "select 'shops' as \"table!\", 'customers' as \"row!\", customers::text as \"kept!\", \
                    counted::text as \"recomputed!\" \
             from shops, (select count(*) as counted from customers where tenant_id = $1 and deleted_at is null) c \
             where tenant_id = $1 and customers <> counted",
            tenant
        )
        .fetch_all(self.connection())
        .await?)
    }

    async fn verify_customer_totals(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "with figures as ( \
                select f.customer_id, sum(f.orders) as orders, \
                   sum(f.gross_sales - f.discounts - f.returns + f.shipping + f.taxes + f.duties + f.fees) as total_spent \
                from order_day_figures f join shops s on s.tenant_id = f.tenant_id and s.currency = f.currency \
                where f.tenant_id = $1 and f.customer_id is not null group by f.customer_id \
             ), orders_of as ( \
                select customer_id, min(processed_at) as first_order_at, min(day) as first_order_day, max(processed_at) as last_order_at \
                from orders where tenant_id = $1 and counted and customer_id is not null group by customer_id \
             ), recomputed as ( \
                select c.id as customer_id, coalesce(f.orders, 0) as orders, coalesce(f.total_spent, 0) as total_spent, \
                   o.first_order_at, o.first_order_day, o.last_order_at \
                from (select id from customers where tenant_id = $1 union select customer_id from figures) c \
                left join figures f on f.customer_id = c.id left join orders_of o on o.customer_id = c.id \
             ), kept as (select * from customer_totals where tenant_id = $1), \
             both_sides as ( \
                select customer_id::text as row, \
                   row(k.orders, trim_scale(k.total_spent), k.first_order_at, k.first_order_day, k.last_order_at)::text as kept, \
                   row(r.orders, trim_scale(r.total_spent), r.first_order_at, r.first_order_day, r.last_order_at)::text as recomputed \
                from kept k full join recomputed r using (customer_id)) \
             select 'customer_totals' as \"table!\", row as \"row!\", kept as \"kept!\", recomputed as \"recomputed!\" \
             from both_sides where kept <> recomputed order by row limit $2",
            tenant,
            LISTED
        )
        .fetch_all(self.connection())
        .await?)
    }

    async fn verify_product_totals(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "with recomputed as ( \
                select f.product_id, sum(f.units_sold) as units_sold, sum(f.net_sales) as net_sales \
                from product_order_figures f join shops s on s.tenant_id = f.tenant_id and s.currency = f.currency \
                where f.tenant_id = $1 group by f.product_id \
             ), kept as (select * from product_totals where tenant_id = $1), \
             both_sides as ( \
                select product_id::text as row, \
                   array[coalesce(k.units_sold, 0), coalesce(k.net_sales, 0)] as kept, \
                   array[coalesce(r.units_sold, 0), coalesce(r.net_sales, 0)] as recomputed \
                from kept k full join recomputed r using (product_id)) \
             select 'product_totals' as \"table!\", row as \"row!\", kept::text as \"kept!\", recomputed::text as \"recomputed!\" \
             from both_sides where kept <> recomputed order by row limit $2",
            tenant,
            LISTED
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// The counts of first and of returning customers, from the orders themselves.
    async fn verify_presence(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "with days as ( \
                select distinct currency, customer_id, day from orders \
                where tenant_id = $1 and counted and customer_id is not null \
             ), chain as ( \
                select currency, day, lag(day) over (partition by currency, customer_id order by day) as previous_day, \
                   min(day) over (partition by customer_id) as first_order_day \
                from days \
             ), recomputed as ( \
                select 'first_customers' as \"table\", currency, day, first_order_day as other_day, count(*) as customers \
                from chain where previous_day is null group by currency, day, first_order_day \
                union all \
                select 'returning_customers', currency, day, previous_day, count(*) \
                from chain where previous_day is not null group by currency, day, previous_day \
             ), kept as ( \
                select 'first_customers' as \"table\", currency, day, first_order_day as other_day, customers \
                from first_customers where tenant_id = $1 \
                union all \
                select 'returning_customers', currency, day, previous_day, customers \
                from returning_customers where tenant_id = $1) \
             select \"table\" as \"table!\", currency || ' ' || day || ' ' || other_day as \"row!\", \
                coalesce(k.customers, 0)::text as \"kept!\", coalesce(r.customers, 0)::text as \"recomputed!\" \
             from kept k full join recomputed r using (\"table\", currency, day, other_day) \
             where coalesce(k.customers, 0) <> coalesce(r.customers, 0) order by 1, 2 limit $2",
            tenant,
            LISTED
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// The days of orders and sales, and whether an order holds a product, are kept too.
    async fn verify_days(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "with derived as ( \
                select 'sales' as \"table\", l.order_id || '/' || l.position as row, l.day::text as kept, \
                   (l.happened_at at time zone s.time_zone)::date::text as recomputed \
                from sales l join shops s on s.tenant_id = l.tenant_id where l.tenant_id = $1 \
                union all \
                select 'orders', o.id::text, o.day::text || ' ' || o.has_product, \
                   (o.processed_at at time zone s.time_zone)::date::text || ' ' \
                   || exists (select from sales l where l.tenant_id = $1 and l.order_id = o.id and l.line_type = 'PRODUCT') \
                from orders o join shops s on s.tenant_id = o.tenant_id where o.tenant_id = $1 and o.deleted_at is null) \
             select \"table\" as \"table!\", row as \"row!\", kept as \"kept!\", recomputed as \"recomputed!\" \
             from derived where kept <> recomputed order by row limit $2",
            tenant,
            LISTED
        )
        .fetch_all(self.connection())
        .await?)
    }
}

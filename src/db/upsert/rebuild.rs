//! Working every sum out anew: what each order adds is read in the order of the customers, summed in memory, and each
//! sum is written once. The first load of a store does the same instead of moving the sums with every chunk: until it ends the
//! rollups are empty, the store says so, and whoever changes an order meanwhile leaves them alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::Store;
use super::figures::FigurePages;
use super::sums::{Complete, CustomerTotals, Sums};
use crate::db::staging::SecondConnection;
use crate::db::staging::binary::BinaryRows;
use crate::db::staging::rows::{Row as _, RowArray};
use crate::db::tasks::finished;
use crate::db::{DbError, Result, TenantTx};
use crate::domain::amounts::Amounts;
use crate::domain::ids::ProductId;
use crate::domain::money::Currency;

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
        self.rebuild_rollups(&store, None).await
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
            self.rebuild_rollups(&store, None).await?;
        }
        Ok(())
    }

    /// The same at the end of a load, which has a second connection.
    pub(in crate::db) async fn build_loaded_figures(
        &mut self,
        second: &SecondConnection,
    ) -> Result<()> {
        let store = self.lock_store_for_two().await?;
        if store.figures_pending {
            self.rebuild_rollups(&store, Some(second)).await?;
        }
        Ok(())
    }

    /// The second connection writes the days of customers meanwhile, and commits first: should this transaction fail
    /// then, the figures are still pending, and what was written goes when they are built.
    async fn rebuild_rollups(
        &mut self,
        store: &Store,
        second: Option<&SecondConnection>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        // Nothing is known yet of rows that were just written: they would pass for few.
        sqlx::raw_sql("set local enable_nestloop = off")
            .execute(self.connection())
            .await?;
        let outdated = self.gather_figures().await?;
        self.add_named_customers().await?;
        // Not before: what is read from the ledger may take longer than a transaction may wait.
        let mut second = match second {
            Some(second) => second.transaction().await?,
            None => None,
        };
        for statement in [
            sqlx::query!("delete from daily_sales where tenant_id = $1", tenant),
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
        let outdated = Arc::new(outdated);
        let mut sums = Sums::new(store.currency.clone());
        let mut complete = Complete::default();
        let mut pages = FigurePages::default();
        let mut read = pages.read(self).await?;
        while let Some(batch) = read {
            let unread = pages.unread();
            let outdated = Arc::clone(&outdated);
            // While what has come out of it is written, another processor adds what was read.
            let adding = tokio::task::spawn_blocking(move || {
                batch.add_to(&mut sums, &outdated)?;
                let complete = sums.take_complete(unread);
                Ok::<_, DbError>((sums, complete))
            });
            self.write_complete(store, second.as_mut(), complete)
                .await?;
            read = pages.read(self).await?;
            (sums, complete) = finished(adding.await)?;
        }
        self.write_complete(store, second.as_mut(), complete)
            .await?;
        if let Some(second) = &mut second {
            tokio::try_join!(second.insert_customer_days(), self.insert_sums(store, sums))?;
        } else {
            self.insert_customer_days().await?;
            self.insert_sums(store, sums).await?;
        }
        self.forget_figures().await?;
        sqlx::raw_sql("set local enable_nestloop = on")
            .execute(self.connection())
            .await?;
        self.bump_data_version(store).await?;
        if let Some(second) = second {
            second.commit().await?;
        }
        Ok(())
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

    async fn insert_daily_sales(
        &mut self,
        store: &Store,
        days: BTreeMap<(Currency, NaiveDate), (i64, Amounts)>,
    ) -> Result<()> {
        let mut rows = RowArray::new();
        for ((currency, day), (orders, amounts)) in days {
            if orders != 0 || amounts != Amounts::default() {
                rows.add(|row| {
                    row.value(self.tenant().uuid());
                    row.text(currency.code());
                    row.value(day);
                    row.value(orders);
                    row.value(amounts.units_sold);
                    row.value(amounts.gross_sales);
                    row.value(amounts.discounts);
                    row.value(amounts.returns);
                    row.value(amounts.shipping);
                    row.value(amounts.taxes);
                    row.value(amounts.duties);
                    row.value(amounts.fees);
                    row.value(amounts.placed_sales);
                    row.value(store.version);
                });
            }
        }
        sqlx::query!(
            "insert into daily_sales (tenant_id, currency, day, orders, units_sold, gross_sales, discounts, returns, \
                shipping, taxes, duties, fees, placed_sales, version) \
             select tenant_id, currency, day, orders, units_sold, gross_sales, discounts, returns, \
                shipping, taxes, duties, fees, placed_sales, version from unnest($1::text::daily_sales[])",
            rows.finish()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn write_complete(
        &mut self,
        store: &Store,
        second: Option<&mut Self>,
        complete: Complete,
    ) -> Result<()> {
        let Complete {
            days,
            totals,
            presence,
        } = complete;
        if let Some(second) = second {
            tokio::try_join!(
                second.copy_customer_days(days),
                self.insert_totals(store, totals)
            )?;
        } else {
            self.copy_customer_days(days).await?;
            self.insert_totals(store, totals).await?;
        }
        self.add_presence(store, presence).await
    }

    /// Keeps rows of `customer_days` until all of them are there.
    async fn copy_customer_days(&mut self, rows: BinaryRows) -> Result<()> {
        sqlx::raw_sql(
            "set local client_min_messages = warning; \
             create temporary table if not exists loaded_customer_days (like public.loaded_customer_days) on commit drop",
        )
        .execute(self.connection())
        .await?;
        self.copy("copy loaded_customer_days from stdin (format binary)", rows)
            .await
    }

    /// They are read by days, so they go there in that order: a range lies in few places. Numbers come before texts
    /// where rows are sorted, because they cost less to compare.
    async fn insert_customer_days(&mut self) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!("delete from customer_days where tenant_id = $1", tenant)
            .execute(self.connection())
            .await?;
        sqlx::query!(
            "insert into customer_days (tenant_id, currency, day, customer_id, orders, total_sales) \
             select $1::uuid, currency, day, customer_id, orders, total_sales from loaded_customer_days \
             order by day, customer_id, currency",
            tenant
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// What is left of the sums when everything has been read.
    async fn insert_sums(&mut self, store: &Store, mut sums: Sums) -> Result<()> {
        let presence = sums.take_presence();
        self.add_presence(store, presence).await?;
        self.add_customers_without_orders(store).await?;
        self.insert_daily_sales(store, sums.days).await?;
        self.insert_product_totals(store, sums.products).await
    }

    #[expect(
        clippy::as_conversions,
        reason = "how a query is told that elements may be null"
    )]
    async fn insert_totals(&mut self, store: &Store, rows: CustomerTotals) -> Result<()> {
        sqlx::query!(
            "insert into customer_totals (tenant_id, customer_id, orders, total_spent, first_order_at, first_order_day, \
                last_order_at, version) \
             select $1::uuid, *, $8::bigint \
             from unnest($2::bigint[], $3::bigint[], $4::numeric[], $5::timestamptz[], $6::date[], $7::timestamptz[])",
            self.tenant().uuid(),
            &rows.customers,
            &rows.orders,
            &rows.total_spent,
            &rows.first_order_at as &[Option<DateTime<Utc>>],
            &rows.first_order_day as &[Option<NaiveDate>],
            &rows.last_order_at as &[Option<DateTime<Utc>>],
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Everybody who is known has totals.
    async fn add_customers_without_orders(&mut self, store: &Store) -> Result<()> {
        sqlx::query!(
            "insert into customer_totals (tenant_id, customer_id, orders, total_spent, version) \
             select $1::uuid, c.id, 0, 0, $2::bigint from customers c where c.tenant_id = $1 \
               and not exists (select from customer_totals t where t.tenant_id = $1 and t.customer_id = c.id)",
            self.tenant().uuid(),
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Every product that is known, and those that were sold.
    async fn insert_product_totals(
        &mut self,
        store: &Store,
        products: BTreeMap<(Currency, ProductId), (i64, Decimal)>,
    ) -> Result<()> {
        let mut ids = Vec::new();
        let mut units_sold = Vec::new();
        let mut net_sales = Vec::new();
        for ((currency, product), (units, net)) in products {
            if currency == store.currency {
                ids.push(product.number());
                units_sold.push(units);
                net_sales.push(net);
            }
        }
        sqlx::query!(
            "insert into product_totals (tenant_id, product_id, units_sold, net_sales) \
             select $1::uuid, coalesce(p.id, f.product_id), coalesce(f.units_sold, 0), coalesce(f.net_sales, 0) \
             from (select id from products where tenant_id = $1) p \
             full join unnest($2::bigint[], $3::bigint[], $4::numeric[]) f(product_id, units_sold, net_sales) \
                on f.product_id = p.id",
            self.tenant().uuid(),
            &ids,
            &units_sold,
            &net_sales
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

//! Computing every rollup from the ledger: after a change of the shop's currency or time zone, and at the end of an
//! initial backfill. Until a backfill ends, the rollups are empty, the shop's row says so, and every other writer leaves
//! them alone.

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

    /// Builds the rollups if an initial backfill left them for later.
    pub async fn build_pending_figures(&mut self) -> Result<()> {
        let store = self.lock_store().await?;
        if store.figures_pending {
            self.rebuild_rollups(&store).await?;
        }
        Ok(())
    }

    async fn rebuild_rollups(&mut self, store: &Store) -> Result<()> {
        let tenant = self.tenant().uuid();
        let (version, currency) = (store.version, store.currency.code());
        // The statements read the whole shop. Right after a load PostgreSQL has no statistics of its rows and would take
        // them for few.
        sqlx::raw_sql("set local enable_nestloop = off; set local work_mem = '64MB'")
            .execute(self.connection())
            .await?;
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
            sqlx::query_file!("src/db/upsert/sql/rebuild_named_customers.sql", tenant),
            sqlx::query_file!("src/db/upsert/sql/rebuild_daily_sales.sql", tenant, version),
            sqlx::query_file!("src/db/upsert/sql/rebuild_customer_days.sql", tenant),
            sqlx::query_file!(
                "src/db/upsert/sql/rebuild_customer_totals.sql",
                tenant,
                currency,
                version
            ),
            sqlx::query_file!(
                "src/db/upsert/sql/rebuild_product_totals.sql",
                tenant,
                currency
            ),
            sqlx::query_file!(
                "src/db/upsert/sql/rebuild_first_customers.sql",
                tenant,
                version
            ),
            sqlx::query_file!(
                "src/db/upsert/sql/rebuild_returning_customers.sql",
                tenant,
                version
            ),
            sqlx::query!(
                "update shops set rebuilt_version = $2, figures_pending = false, \
                    customers = (select count(*) from customers where tenant_id = $1 and deleted_at is null) \
                 where tenant_id = $1",
                tenant,
                version
            ),
        ] {
            statement.execute(self.connection()).await?;
        }
        sqlx::raw_sql("set local enable_nestloop = on; reset work_mem")
            .execute(self.connection())
            .await?;
        self.bump_data_version(store).await
    }
}

//! Builds all rollups from the ledger: at the end of an initial backfill, and after a change of the shop's currency
//! or time zone. The statements copy the results of the same function (`recomputed_sales_rollups`) and views that
//! `xboard verify` compares the stored rollups with.

use super::LockedShop;
use crate::db::{Result, TenantTx};

/// A rebuild sorts and groups the whole ledger. It is faster with more memory than short statements may use.
const REBUILD_SETTINGS: &str = "set local work_mem = '64MB'; set local jit = off";

impl TenantTx {
    /// Computes the local days of orders and sales, and then every rollup. It sets `rebuilt_version`, so that caches
    /// discard rows that no longer exist.
    pub async fn rebuild_figures(&mut self) -> Result<()> {
        let shop = self.lock_shop().await?;
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update orders set day = (processed_at at time zone $2::text)::date \
             where tenant_id = $1 and day <> (processed_at at time zone $2::text)::date",
            tenant,
            shop.time_zone
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "update sales set day = (happened_at at time zone $2::text)::date \
             where tenant_id = $1 and day <> (happened_at at time zone $2::text)::date",
            tenant,
            shop.time_zone
        )
        .execute(self.connection())
        .await?;
        self.rebuild_rollups(&shop).await
    }

    /// Leaves the rollups empty if the shop has no order yet. The caller must call
    /// [`build_pending_rollups`](Self::build_pending_rollups) later.
    pub async fn defer_rollups(&mut self) -> Result<()> {
        self.lock_shop().await?;
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update shops set rollups_pending = true \
             where tenant_id = $1 and not exists (select from orders where tenant_id = $1)",
            tenant
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Builds the rollups if they were deferred.
    pub async fn build_pending_rollups(&mut self) -> Result<()> {
        let shop = self.lock_shop().await?;
        if shop.rollups_pending {
            self.rebuild_rollups(&shop).await?;
        }
        Ok(())
    }

    async fn rebuild_rollups(&mut self, shop: &LockedShop) -> Result<()> {
        let tenant = self.tenant().uuid();
        let version = shop.version;
        sqlx::raw_sql(REBUILD_SETTINGS)
            .execute(self.connection())
            .await?;
        for statement in [
            sqlx::query_file!("src/db/upsert/sql/add_named_customers.sql", tenant),
            sqlx::query!("delete from sales_rollups where tenant_id = $1", tenant),
            sqlx::query!("delete from sales_totals where tenant_id = $1", tenant),
            sqlx::query!(
                "delete from first_order_counts where tenant_id = $1",
                tenant
            ),
            sqlx::query!(
                "delete from repeat_order_counts where tenant_id = $1",
                tenant
            ),
            sqlx::query!(
                "delete from second_order_counts where tenant_id = $1",
                tenant
            ),
            sqlx::query_file!(
                "src/db/upsert/sql/rebuild_sales_rollups.sql",
                tenant,
                version
            ),
            sqlx::query_file!(
                "src/db/upsert/sql/rebuild_sales_totals.sql",
                tenant,
                version
            ),
            sqlx::query_file!(
                "src/db/upsert/sql/rebuild_customer_counts.sql",
                tenant,
                version
            ),
            sqlx::query!(
                "update shops set rebuilt_version = $2, rollups_pending = false, \
                    customers = (select count(*) from customers where tenant_id = $1 and deleted_at is null) \
                 where tenant_id = $1",
                tenant,
                version
            ),
        ] {
            statement.execute(self.connection()).await?;
        }
        self.bump_data_version(shop).await
    }
}

//! Verification: recomputes every value that is derived from the ledger, and compares it with the stored value. The
//! rollups are compared with the same function (`recomputed_sales_rollups`) and views that a rebuild copies.

use std::fmt;

use super::{Result, TenantTx};

/// One place where a stored value and its recomputation differ.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The value: `gross_sales of customer 12 on 2026-03-02 in EUR`.
    pub subject: String,
    /// The stored value.
    pub stored: String,
    /// The recomputed value.
    pub recomputed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            subject,
            stored,
            recomputed,
        } = self;
        write!(
            f,
            "{table}: {subject} is {stored}, but must be {recomputed}"
        )
    }
}

/// How many differences of a table are listed at most.
const MAX_DIFFERENCES: i64 = 100;

impl TenantTx {
    /// Compares all derived values with their recomputation. Empty: no difference. Call it on a snapshot, because
    /// concurrent writes would show as differences.
    pub async fn verify(&mut self) -> Result<Vec<Difference>> {
        let mut differences = self.verify_built().await?;
        differences.extend(self.verify_rollups().await?);
        differences.extend(self.verify_totals().await?);
        differences.extend(self.verify_customer_counts().await?);
        differences.extend(self.verify_number_of_customers().await?);
        differences.extend(self.verify_days().await?);
        Ok(differences)
    }

    /// During an initial backfill the rollups are empty.
    async fn verify_built(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "select 'sales_rollups' as \"table!\", 'every figure' as \"subject!\", \
                'missing until the initial backfill ends' as \"stored!\", 'built' as \"recomputed!\" \
             from shops where tenant_id = $1 and rollups_pending",
            tenant
        )
        .fetch_all(self.connection())
        .await?)
    }

    async fn verify_rollups(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_file_as!(
            Difference,
            "src/db/sql/verify_rollups.sql",
            tenant,
            MAX_DIFFERENCES
        )
        .fetch_all(self.connection())
        .await?)
    }

    async fn verify_totals(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_file_as!(
            Difference,
            "src/db/sql/verify_totals.sql",
            tenant,
            MAX_DIFFERENCES
        )
        .fetch_all(self.connection())
        .await?)
    }

    async fn verify_customer_counts(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_file_as!(
            Difference,
            "src/db/sql/verify_customer_counts.sql",
            tenant,
            MAX_DIFFERENCES
        )
        .fetch_all(self.connection())
        .await?)
    }

    async fn verify_number_of_customers(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Difference,
            "select 'shops' as \"table!\", 'the number of customers' as \"subject!\", customers::text as \"stored!\", \
                    counted::text as \"recomputed!\" \
             from shops, (select count(*) as counted from customers where tenant_id = $1 and deleted_at is null) c \
             where tenant_id = $1 and customers <> counted",
            tenant
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// The local days of orders and sales, and whether an order holds a product, are derived too.
    async fn verify_days(&mut self) -> Result<Vec<Difference>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_file_as!(
            Difference,
            "src/db/sql/verify_days.sql",
            tenant,
            MAX_DIFFERENCES
        )
        .fetch_all(self.connection())
        .await?)
    }
}

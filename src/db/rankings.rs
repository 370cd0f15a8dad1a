//! The customers with the highest sales, read from the rollups.

use super::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::ids::CustomerId;
use crate::domain::money::Currency;
use crate::domain::ranking::RankedCustomer;

impl TenantTx {
    /// The customers with the highest sales in a range, among those with an order or with positive sales in the range.
    pub async fn top_customers_of_range(
        &mut self,
        currency: &Currency,
        range: DayRange,
        limit: i64,
    ) -> Result<Vec<RankedCustomer>> {
        let tenant = self.tenant();
        Ok(sqlx::query_file_as!(
            RankedCustomer,
            "src/db/sql/top_customers_of_range.sql",
            tenant.uuid(),
            currency.code(),
            range.from(),
            range.to(),
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// The present sales in a range of each customer with a change between two versions; zero without sales in the range.
    /// `None`: more than `most` customers changed. The later version is the snapshot's: naming it tells PostgreSQL to expect
    /// few rows.
    pub async fn changed_spending(
        &mut self,
        currency: &Currency,
        range: DayRange,
        since: i64,
        until: i64,
        most: i64,
    ) -> Result<Option<Vec<RankedCustomer>>> {
        let tenant = self.tenant();
        let rows = sqlx::query_file_as!(
            RankedCustomer,
            "src/db/sql/changed_spending.sql",
            tenant.uuid(),
            currency.code(),
            range.from(),
            range.to(),
            since,
            most.saturating_add(1),
            until
        )
        .fetch_all(self.connection())
        .await?;
        let few = i64::try_from(rows.len()).is_ok_and(|changed| changed <= most);
        Ok(few.then_some(rows))
    }

    /// The customers with the highest sales of all time.
    pub async fn top_customers(&mut self, limit: i64) -> Result<Vec<RankedCustomer>> {
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            RankedCustomer,
            "select value_id as \"customer: CustomerId\", total_sales as total_spent, orders \
             from sales_totals \
             where tenant_id = $1 and dimension = 'CUSTOMER' and (orders > 0 or total_sales > 0) \
             order by total_sales desc, value_id desc limit $2",
            tenant.uuid(),
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }
}

//! Who spent most, read from the rollups.

use super::transaction::Planning;
use super::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::ids::CustomerId;
use crate::domain::money::Currency;
use crate::domain::ranking::RankedCustomer;

impl TenantTx {
    /// Who spent most in a range: those who ordered in it, or whose orders grew in it.
    pub async fn top_customers_of_range(
        &mut self,
        currency: &Currency,
        range: DayRange,
        limit: i64,
    ) -> Result<Vec<RankedCustomer>> {
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            RankedCustomer,
            "select customer_id as \"customer!: CustomerId\", total_spent as \"total_spent!\", orders as \"orders!\" \
             from top_customers_of_range($1, $2, $3, $4, $5) order by total_spent desc, customer_id desc",
            tenant.uuid(),
            currency.code(),
            range.from(),
            range.to(),
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// What the customers of whom anything changed between two versions have come to in a range: each of them,
    /// with nothing where they have nothing in it. `None`: more than so many changed. The later version is the
    /// snapshot's; it is named so that PostgreSQL expects few rows.
    pub async fn changed_spending(
        &mut self,
        currency: &Currency,
        range: DayRange,
        since: i64,
        until: i64,
        most: i64,
    ) -> Result<Option<Vec<RankedCustomer>>> {
        self.plan(Planning::Once).await?;
        let tenant = self.tenant();
        let rows = sqlx::query_as!(
            RankedCustomer,
            "select t.customer_id as \"customer: CustomerId\", coalesce(sum(d.total_sales), 0) as \"total_spent!\", \
                    coalesce(sum(d.orders), 0)::bigint as \"orders!\" \
             from (select customer_id from customer_totals \
                   where tenant_id = $1 and version > $5 and version <= $7 limit $6) t \
             left join customer_days d on d.tenant_id = $1 and d.customer_id = t.customer_id \
                and d.currency = $2 and d.day between $3 and $4 \
             group by t.customer_id",
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

    /// Who spent most of all time.
    pub async fn top_customers(&mut self, limit: i64) -> Result<Vec<RankedCustomer>> {
        self.plan(Planning::ForValues).await?;
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            RankedCustomer,
            "select customer_id as \"customer: CustomerId\", total_spent, orders \
             from customer_totals where tenant_id = $1 and (orders > 0 or total_spent > 0) \
             order by total_spent desc, customer_id desc limit $2",
            tenant.uuid(),
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }
}

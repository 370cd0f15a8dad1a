//! Sales by hour: too many rows for a rollup, so they are summed from the ledger.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::metrics::SalesSummary;
use crate::domain::money::Currency;
use crate::domain::sales_figures::sales_figures;

/// The figures of an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hour {
    /// The day of the hour.
    pub date: NaiveDate,
    /// The instant at which the hour begins.
    pub start: DateTime<Utc>,
    /// The sales of the hour.
    pub figures: SalesSummary,
}

impl TenantTx {
    /// The figures of a range, cut into hours counted from the beginning of each day: 23 or 25 of them on the
    /// days on which the clocks change.
    pub async fn hourly_series(
        &mut self,
        currency: &Currency,
        time_zone: &str,
        range: DayRange,
    ) -> Result<Vec<Hour>> {
        let tenant = self.tenant();
        let rows = sqlx::query_file!(
            "src/db/sql/hourly_sales.sql",
            tenant.uuid(),
            currency.code(),
            range.from(),
            range.to(),
            time_zone
        )
        .fetch_all(self.connection())
        .await?;
        let hours = rows.into_iter().map(|row| Hour {
            date: row.date,
            start: row.start,
            figures: SalesSummary {
                currency: currency.clone(),
                customers: row.customers,
                new_customers: row.new_customers,
                returning_customers: row.returning_customers,
                sales: sales_figures!(row),
            },
        });
        Ok(hours.collect())
    }
}

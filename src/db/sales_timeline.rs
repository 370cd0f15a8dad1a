//! Reads a shop's sales timeline from the rollups: whole, or only the rows that changed since a version.

use chrono::NaiveDate;

use super::{DbError, Result, TenantTx};
use crate::domain::money::Currency;
use crate::domain::sales_figures::sales_figures;
use crate::domain::sales_timeline::TimelineChange;

impl TenantTx {
    /// Every row of the timeline in this currency. Costs what the shop holds.
    pub async fn sales_timeline(&mut self, currency: &Currency) -> Result<Vec<TimelineChange>> {
        // Versions begin at 0.
        self.timeline_changes_since(currency, -1).await
    }

    /// The rows of the timeline that changed after this data version. Costs what changed.
    pub async fn timeline_changes_since(
        &mut self,
        currency: &Currency,
        version: i64,
    ) -> Result<Vec<TimelineChange>> {
        let mut changes = self.changed_sales(version).await?;
        changes.extend(self.changed_customer_counts(currency, version).await?);
        Ok(changes)
    }

    async fn changed_sales(&mut self, version: i64) -> Result<Vec<TimelineChange>> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query_file!("src/db/sql/changed_sales.sql", tenant, version)
            .fetch_all(self.connection())
            .await?;
        let changes = rows.into_iter().map(|row| {
            let currency = Currency::parse(&row.currency)
                .map_err(|error| DbError::Corrupt(error.to_string()))?;
            Ok(TimelineChange::Sales {
                day: row.day,
                currency,
                figures: Box::new(sales_figures!(row)),
            })
        });
        changes.collect()
    }

    async fn changed_customer_counts(
        &mut self,
        currency: &Currency,
        version: i64,
    ) -> Result<Vec<TimelineChange>> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query_file_as!(
            CountRow,
            "src/db/sql/changed_customer_counts.sql",
            tenant,
            currency.code(),
            version
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(CountRow::change).collect()
    }
}

/// A row of one of the three tables of customer counts.
struct CountRow {
    kind: String,
    day: NaiveDate,
    /// Null: a second order that was never placed.
    other_day: Option<NaiveDate>,
    customers: i64,
}

impl CountRow {
    fn change(self) -> Result<TimelineChange> {
        let Self {
            kind,
            day,
            other_day,
            customers,
        } = self;
        match (kind.as_str(), other_day) {
            ("FIRST_ORDER", Some(first_order_day)) => Ok(TimelineChange::FirstOrders {
                day,
                first_order_day,
                customers,
            }),
            ("REPEAT_ORDER", Some(previous_day)) => Ok(TimelineChange::RepeatOrders {
                day,
                previous_day,
                customers,
            }),
            ("SECOND_ORDER", second_order_day) => Ok(TimelineChange::SecondOrders {
                day,
                second_order_day,
                customers,
            }),
            _ => Err(DbError::Corrupt(format!("a customer count of kind {kind}"))),
        }
    }
}

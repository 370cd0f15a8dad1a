//! Reads a shop's sales timeline from the rollups: whole, or only the rows that changed since a version.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Result, TenantTx};
use crate::domain::day_book::DayChange;
use crate::domain::metrics::SalesFigures;
use crate::domain::money::Currency;

impl TenantTx {
    /// Every row of the timeline in this currency. Costs what the shop holds.
    pub async fn sales_timeline(&mut self, currency: &Currency) -> Result<Vec<DayChange>> {
        // Versions begin at 0.
        self.timeline_changes_since(currency, -1).await
    }

    /// The rows of the timeline that changed after this data version. Costs what changed.
    pub async fn timeline_changes_since(
        &mut self,
        currency: &Currency,
        version: i64,
    ) -> Result<Vec<DayChange>> {
        let mut changes = self.changed_sales(currency, version).await?;
        changes.extend(self.changed_first_orders(currency, version).await?);
        changes.extend(self.changed_repeat_orders(currency, version).await?);
        Ok(changes)
    }

    async fn changed_sales(&mut self, currency: &Currency, version: i64) -> Result<Vec<DayChange>> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "select day, currency = $2 as \"own!\", orders, units_sold, gross_sales, discounts, returns, shipping, taxes, \
                    duties, fees, placed_sales \
             from daily_sales where tenant_id = $1 and version > $3",
            tenant,
            currency.code(),
            version
        )
        .fetch_all(self.connection())
        .await?;
        let mut changes = Vec::with_capacity(rows.len());
        let mut other_days = Vec::new();
        for row in rows {
            if !row.own {
                other_days.push(row.day);
                continue;
            }
            let figures = SalesFigures {
                currency: currency.clone(),
                orders: row.orders,
                units_sold: row.units_sold,
                gross_sales: row.gross_sales,
                discounts: row.discounts,
                returns: row.returns,
                shipping: row.shipping,
                taxes: row.taxes,
                duties: row.duties,
                fees: row.fees,
                placed_sales: row.placed_sales,
                customers: 0,
                new_customers: 0,
            };
            changes.push(DayChange::Sales(row.day, Box::new(figures)));
        }
        if !other_days.is_empty() {
            let others = self
                .orders_in_other_currencies(currency, other_days)
                .await?;
            let others = others.into_iter();
            changes.extend(others.map(|(day, orders)| DayChange::OtherCurrencies(day, orders)));
        }
        Ok(changes)
    }

    /// All orders of these days in other currencies: a day may have several, of which only one changed.
    async fn orders_in_other_currencies(
        &mut self,
        currency: &Currency,
        mut days: Vec<NaiveDate>,
    ) -> Result<BTreeMap<NaiveDate, i64>> {
        days.sort_unstable();
        days.dedup();
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "select day, sum(orders)::bigint as \"orders!\" from daily_sales \
             where tenant_id = $1 and currency <> $2 and day = any($3) group by day",
            tenant,
            currency.code(),
            &days
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows.into_iter().map(|row| (row.day, row.orders)).collect())
    }

    async fn changed_first_orders(
        &mut self,
        currency: &Currency,
        version: i64,
    ) -> Result<Vec<DayChange>> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "select day, first_order_day, customers from first_customers \
             where tenant_id = $1 and currency = $2 and version > $3",
            tenant,
            currency.code(),
            version
        )
        .fetch_all(self.connection())
        .await?;
        let changes = rows.into_iter().map(|row| DayChange::FirstCustomers {
            day: row.day,
            first_order_day: row.first_order_day,
            customers: row.customers,
        });
        Ok(changes.collect())
    }

    async fn changed_repeat_orders(
        &mut self,
        currency: &Currency,
        version: i64,
    ) -> Result<Vec<DayChange>> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "select day, previous_day, customers from returning_customers \
             where tenant_id = $1 and currency = $2 and version > $3",
            tenant,
            currency.code(),
            version
        )
        .fetch_all(self.connection())
        .await?;
        let changes = rows.into_iter().map(|row| DayChange::ReturningCustomers {
            day: row.day,
            previous_day: row.previous_day,
            customers: row.customers,
        });
        Ok(changes.collect())
    }
}

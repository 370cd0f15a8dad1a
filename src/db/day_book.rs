//! What a day book is made of: the rows of the rollups that changed since a version.

use chrono::{DateTime, NaiveDate, Utc};

use super::transaction::Planning;
use super::{DbError, Result, TenantTx};
use crate::domain::day_book::{DayBook, DayChange};
use crate::domain::metrics::SalesFigures;

/// What changed, by a row of [`with_changed_days`]: the rows of the three tables in one shape, so that they are
/// read with one statement.
macro_rules! day_change {
    ($row:ident, $currency:expr) => {{
        let wanted = || DbError::Corrupt("a figure without its day".to_owned());
        let day = $row.day.ok_or_else(wanted)?;
        let count = $row.count.unwrap_or_default();
        Ok(match $row.kind {
            Some(0) => DayChange::Sales(
                day,
                Box::new(SalesFigures {
                    currency: $currency.clone(),
                    orders: count,
                    units_sold: $row.units_sold.unwrap_or_default(),
                    gross_sales: $row.gross_sales.unwrap_or_default(),
                    discounts: $row.discounts.unwrap_or_default(),
                    returns: $row.returns.unwrap_or_default(),
                    shipping: $row.shipping.unwrap_or_default(),
                    taxes: $row.taxes.unwrap_or_default(),
                    duties: $row.duties.unwrap_or_default(),
                    fees: $row.fees.unwrap_or_default(),
                    placed_sales: $row.placed_sales.unwrap_or_default(),
                    customers: 0,
                    new_customers: 0,
                }),
            ),
            Some(1) => DayChange::OtherCurrencies(day, count),
            Some(2) => DayChange::FirstCustomers {
                day,
                first_order_day: $row.other_day.ok_or_else(wanted)?,
                customers: count,
            },
            _ => DayChange::ReturningCustomers {
                day,
                previous_day: $row.other_day.ok_or_else(wanted)?,
                customers: count,
            },
        })
    }};
}
pub(super) use day_change;

/// A statement with the rows that changed since version $3, as far as currency $2 goes, of the store $1. A day that
/// has orders in several other currencies is read whole when one of them changed; the days that did are found
/// first, or all days of the store would be looked through each time.
macro_rules! with_changed_days {
    ($before:literal, $after:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query!(
            $before
                + "select 0 as kind, day, null::date as other_day, orders as count, units_sold, gross_sales, discounts, \
                      returns, shipping, taxes, duties, fees, placed_sales, null::bigint as customer \
                   from daily_sales where tenant_id = $1 and version > $3 and currency = $2 \
                   union all \
                   select 1, changed.day, null, others.orders, null, null, null, null, null, null, null, null, null, null \
                   from (select distinct day from daily_sales \
                         where tenant_id = $1 and version > $3 and currency <> $2 offset 0) changed \
                   cross join lateral (select sum(d.orders)::bigint as orders from daily_sales d \
                         where d.tenant_id = $1 and d.currency <> $2 and d.day = changed.day) others \
                   union all \
                   select 2, day, first_order_day, customers, null, null, null, null, null, null, null, null, null, null \
                   from first_customers where tenant_id = $1 and version > $3 and currency = $2 \
                   union all \
                   select 3, day, previous_day, customers, null, null, null, null, null, null, null, null, null, null \
                   from returning_customers where tenant_id = $1 and version > $3 and currency = $2"
                + $after,
            $($argument),+
        )
    };
}
pub(super) use with_changed_days;

impl TenantTx {
    /// What changed since the version that a book is of, and is still so in this snapshot. Costs what the
    /// changes hold.
    pub async fn day_changes(&mut self, book: &DayBook) -> Result<Vec<DayChange>> {
        self.plan(Planning::Once).await?;
        let tenant = self.tenant();
        let currency = book.currency().clone();
        let rows = with_changed_days!(
            "select kind, day, other_day, count, units_sold, gross_sales, discounts, returns, shipping, taxes, duties, \
                fees, placed_sales from (",
            ") changes",
            tenant.uuid(),
            currency.code(),
            book.version()
        )
        .fetch_all(self.connection())
        .await?;
        let rows = rows.into_iter();
        rows.map(|row| day_change!(row, &currency)).collect()
    }

    /// The instants at which calendar days of a zone begin, in the order of the days.
    pub async fn day_starts(
        &mut self,
        days: &[NaiveDate],
        time_zone: &str,
    ) -> Result<Vec<DateTime<Utc>>> {
        Ok(sqlx::query_scalar!(
            "select day_start(day, $2) as \"start!\" from unnest($1::date[]) with ordinality d(day, place) \
             order by place",
            days,
            time_zone
        )
        .fetch_all(self.connection())
        .await?)
    }
}

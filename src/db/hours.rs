//! Figures hour by hour: too many to be kept beside the ledger, so they are summed from it.

use chrono::{DateTime, NaiveDate, Utc};

use super::transaction::Planning;
use super::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::metrics::SalesFigures;
use crate::domain::money::Currency;
use rust_decimal::Decimal;

/// The figures of an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hour {
    /// The day it is in.
    pub date: NaiveDate,
    /// The instant at which it begins.
    pub start: DateTime<Utc>,
    /// What happened in it.
    pub figures: SalesFigures,
}

struct HourRow {
    date: NaiveDate,
    start: DateTime<Utc>,
    orders: i64,
    units_sold: i64,
    gross_sales: Decimal,
    discounts: Decimal,
    returns: Decimal,
    shipping: Decimal,
    taxes: Decimal,
    duties: Decimal,
    fees: Decimal,
    placed_sales: Decimal,
    customers: i64,
    new_customers: i64,
}

impl HourRow {
    fn in_currency(self, currency: &Currency) -> Hour {
        Hour {
            date: self.date,
            start: self.start,
            figures: SalesFigures {
                currency: currency.clone(),
                orders: self.orders,
                units_sold: self.units_sold,
                gross_sales: self.gross_sales,
                discounts: self.discounts,
                returns: self.returns,
                shipping: self.shipping,
                taxes: self.taxes,
                duties: self.duties,
                fees: self.fees,
                placed_sales: self.placed_sales,
                customers: self.customers,
                new_customers: self.new_customers,
            },
        }
    }
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
        self.plan(Planning::ForValues).await?;
        let tenant = self.tenant();
        let rows = sqlx::query_as!(
            HourRow,
            "with points as ( \
                select day::date as date, start \
                from generate_series($3::date::timestamp, $4::date::timestamp, interval '1 day') day, \
                     generate_series(day_start(day::date, $5), \
                                     day_start(day::date + 1, $5) - interval '1 microsecond', interval '1 hour') start \
             ), figures as ( \
                select *, date_bin('1 hour', happened_at, day_start(day, $5)) as start \
                from order_instant_figures \
                where tenant_id = $1 and currency = $2 and day between $3 and $4 \
                  and happened_at >= day_start($3, $5) and happened_at < day_start($4 + 1, $5) \
             ), sums as ( \
                select start, sum(orders)::bigint as orders, sum(units_sold)::bigint as units_sold, \
                       sum(gross_sales) as gross_sales, sum(discounts) as discounts, sum(returns) as returns, \
                       sum(shipping) as shipping, sum(taxes) as taxes, sum(duties) as duties, sum(fees) as fees, \
                       sum(placed_sales) as placed_sales \
                from figures group by start \
             ), people as ( \
                select d.start, count(*) as customers, \
                       count(*) filter (where date_bin('1 hour', t.first_order_at, d.start) = d.start \
                                        and t.first_order_day = d.day) as new_customers \
                from (select distinct start, day, customer_id from figures \
                      where orders > 0 and customer_id is not null) d \
                left join customer_totals t on t.tenant_id = $1 and t.customer_id = d.customer_id \
                group by d.start \
             ) \
             select points.date as \"date!\", points.start as \"start!\", \
                    coalesce(orders, 0) as \"orders!\", coalesce(units_sold, 0) as \"units_sold!\", \
                    coalesce(gross_sales, 0) as \"gross_sales!\", coalesce(discounts, 0) as \"discounts!\", \
                    coalesce(returns, 0) as \"returns!\", coalesce(shipping, 0) as \"shipping!\", \
                    coalesce(taxes, 0) as \"taxes!\", coalesce(duties, 0) as \"duties!\", \
                    coalesce(fees, 0) as \"fees!\", coalesce(placed_sales, 0) as \"placed_sales!\", \
                    coalesce(customers, 0) as \"customers!\", coalesce(new_customers, 0) as \"new_customers!\" \
             from points left join sums on sums.start = points.start left join people on people.start = points.start \
             order by points.start",
            tenant.uuid(),
            currency.code(),
            range.from(),
            range.to(),
            time_zone
        )
        .fetch_all(self.connection())
        .await?;
        Ok(in_currency(rows, currency))
    }
}

fn in_currency(rows: Vec<HourRow>, currency: &Currency) -> Vec<Hour> {
    let rows = rows.into_iter();
    rows.map(|row| row.in_currency(currency)).collect()
}

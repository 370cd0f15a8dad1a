//! The figures of a range of days, read from the rollups; metrics.md says what each means.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::ids::CustomerId;
use crate::domain::metrics::SalesFigures;
use crate::domain::money::Currency;
use rust_decimal::Decimal;

/// A customer's place among those who spent most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedCustomer {
    /// Who.
    pub customer: CustomerId,
    /// What they spent.
    pub total_spent: Decimal,
    /// How many orders they placed.
    pub orders: i64,
}

impl TenantTx {
    /// The calendar day that an instant falls on in a zone.
    pub async fn shop_today(&mut self, time_zone: &str, now: DateTime<Utc>) -> Result<NaiveDate> {
        Ok(sqlx::query_scalar!(
            "select ($1::timestamptz at time zone $2)::date as \"today!\"",
            now,
            time_zone
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// The first day with an order or a sale in a currency.
    pub async fn first_sale_day(&mut self, currency: &Currency) -> Result<Option<NaiveDate>> {
        let tenant = self.tenant();
        Ok(sqlx::query_scalar!(
            "select min(day) from daily_sales where tenant_id = $1 and currency = $2 \
               and (orders, units_sold, gross_sales, discounts, returns, shipping, taxes, duties, fees) \
                   <> (0, 0, 0, 0, 0, 0, 0, 0, 0)",
            tenant.uuid(),
            currency.code()
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// The figures of a range. Whoever ordered on several of its days is one customer; counting them costs
    /// more than all the rest, so they are left at zero unless they are wanted.
    pub async fn sales_figures(
        &mut self,
        currency: &Currency,
        range: DayRange,
        with_customers: bool,
    ) -> Result<SalesFigures> {
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            SalesFigures,
            "select \
                $2 as \"currency!: Currency\", \
                coalesce(sum(orders), 0)::bigint as \"orders!\", \
                coalesce(sum(units_sold), 0)::bigint as \"units_sold!\", \
                coalesce(sum(gross_sales), 0) as \"gross_sales!\", \
                coalesce(sum(discounts), 0) as \"discounts!\", \
                coalesce(sum(returns), 0) as \"returns!\", \
                coalesce(sum(shipping), 0) as \"shipping!\", \
                coalesce(sum(taxes), 0) as \"taxes!\", \
                coalesce(sum(duties), 0) as \"duties!\", \
                coalesce(sum(fees), 0) as \"fees!\", \
                coalesce(sum(placed_sales), 0) as \"placed_sales!\", \
                max(people.customers) as \"customers!\", \
                max(people.new_customers) as \"new_customers!\" \
             from ( \
                select count(*) as customers, \
                       count(*) filter (where t.first_order_day between $3 and $4) as new_customers \
                from (select distinct customer_id from customer_days \
                      where tenant_id = $1 and currency = $2 and day between $3 and $4 and orders > 0 and $5) d \
                left join customer_totals t on t.tenant_id = $1 and t.customer_id = d.customer_id \
             ) people \
             left join daily_sales s on s.tenant_id = $1 and s.currency = $2 and s.day between $3 and $4",
            tenant.uuid(),
            currency.code(),
            range.from(),
            range.to(),
            with_customers
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// How many orders of a range are in another currency than this one, and so in no figure.
    pub async fn orders_in_other_currencies(
        &mut self,
        currency: &Currency,
        range: DayRange,
    ) -> Result<i64> {
        let tenant = self.tenant();
        Ok(sqlx::query_scalar!(
            "select coalesce(sum(orders), 0)::bigint as \"orders!\" from daily_sales \
             where tenant_id = $1 and currency <> $2 and day between $3 and $4",
            tenant.uuid(),
            currency.code(),
            range.from(),
            range.to()
        )
        .fetch_one(self.connection())
        .await?)
    }

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
            "select customer_id as \"customer: CustomerId\", sum(total_sales) as \"total_spent!\", \
                    sum(orders)::bigint as \"orders!\" \
             from customer_days where tenant_id = $1 and currency = $2 and day between $3 and $4 \
             group by customer_id having sum(orders) > 0 or sum(total_sales) > 0 \
             order by sum(total_sales) desc, customer_id desc limit $5",
            tenant.uuid(),
            currency.code(),
            range.from(),
            range.to(),
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Who spent most of all time.
    pub async fn top_customers(&mut self, limit: i64) -> Result<Vec<RankedCustomer>> {
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

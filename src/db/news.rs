//! A store together with what changed since a version of its data: what an operation needs to bring what is
//! remembered of the store up to date, in one exchange with the database.

use chrono::NaiveDate;

use super::day_book::{day_change, with_changed_days};
use super::shops::{Shop, ShopStatus, shop_of};
use super::transaction::Planning;
use super::{DbError, Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::day_book::DayChange;
use crate::domain::ids::CustomerId;
use crate::domain::metrics::SalesFigures;
use crate::domain::money::Currency;
use crate::domain::ranking::RankedCustomer;
use crate::domain::shop::ShopDomain;

/// When more customers changed, what they spent is not among the news. The statement says the number itself, so that
/// PostgreSQL knows it when it makes the plan.
const MOST_CHANGED: i64 = 200;
/// What a customer has come to in a range, among the kinds of rows.
const SPENDING: i32 = 4;

/// What is remembered of a store.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The version that it is of.
    pub version: i64,
    /// What its figures are counted in.
    pub currency: Currency,
    /// The ranges of which the customers are remembered who spent most.
    pub ranges: Vec<DayRange>,
}

/// What changed since.
#[derive(Debug)]
pub struct News {
    /// The days, and the counts of customers.
    pub days: Vec<DayChange>,
    /// What the customers of whom anything changed have come to in each of the ranges, in their order; `None`:
    /// these are too many.
    pub spending: Option<Vec<Vec<RankedCustomer>>>,
}

impl TenantTx {
    /// The store, if it is (still) there, and what changed since the version that is remembered of it. Costs what
    /// the changes hold.
    pub async fn shop_with_news(
        &mut self,
        remembered: &Remembered,
    ) -> Result<Option<(Shop, News)>> {
        self.plan(Planning::Once).await?;
        let tenant = self.tenant();
        let from: Vec<NaiveDate> = remembered.ranges.iter().map(|range| range.from()).collect();
        let to: Vec<NaiveDate> = remembered.ranges.iter().map(|range| range.to()).collect();
        // Looked up customer by customer: joined, all days of all customers would be read.
        let rows = with_changed_days!(
            "with changed as materialized ( \
                select customer_id from customer_totals where tenant_id = $1 and version > $3 limit 201), \
             counted as materialized (select count(*) as customers from changed) \
             select shop_gid, domain as \"domain: ShopDomain\", name, s.currency as \"currency: Currency\", time_zone, \
                    scopes, status, status_reason, order_history_days, last_synced_at, data_version, rebuilt_version, \
                    s.customers, counted.customers as \"changed!\", \
                    kind as \"kind?\", day as \"day?\", other_day as \"other_day?\", count as \"count?\", \
                    units_sold as \"units_sold?\", gross_sales as \"gross_sales?\", discounts as \"discounts?\", \
                    returns as \"returns?\", shipping as \"shipping?\", taxes as \"taxes?\", duties as \"duties?\", \
                    fees as \"fees?\", placed_sales as \"placed_sales?\", customer as \"customer?: CustomerId\" \
             from shops s cross join counted left join lateral (",
            " union all \
             select 4, null, null, d.orders, r.range, d.total_spent, null, null, null, null, null, null, null, t.customer_id \
             from changed t cross join unnest($4::date[], $5::date[]) with ordinality r(first, last, range) \
             cross join lateral ( \
                select coalesce(sum(d.total_sales), 0) as total_spent, coalesce(sum(d.orders), 0)::bigint as orders \
                from customer_days d where d.tenant_id = $1 and d.customer_id = t.customer_id and d.currency = $2 \
                   and d.day between r.first and r.last) d \
             where (select customers from counted) <= 200) c on true where s.tenant_id = $1",
            tenant.uuid(),
            remembered.currency.code(),
            remembered.version,
            &from,
            &to
        )
        .fetch_all(self.connection())
        .await?;
        let mut shop = None;
        let mut days = Vec::new();
        let mut spending = vec![Vec::new(); remembered.ranges.len()];
        let mut changed = 0;
        for row in rows {
            match row.kind {
                None => {}
                Some(SPENDING) => {
                    let place = row.units_sold.and_then(|place| usize::try_from(place).ok());
                    let list = place.and_then(|place| spending.get_mut(place.checked_sub(1)?));
                    if let (Some(list), Some(customer)) = (list, row.customer) {
                        list.push(RankedCustomer {
                            customer,
                            total_spent: row.gross_sales.unwrap_or_default(),
                            orders: row.count.unwrap_or_default(),
                        });
                    }
                }
                Some(_) => {
                    let change: Result<_> = day_change!(row, &remembered.currency);
                    days.push(change?);
                }
            }
            // The same in every row.
            changed = row.changed;
            shop = Some(shop_of!(row)?);
        }
        let news = News {
            days,
            spending: (changed <= MOST_CHANGED).then_some(spending),
        };
        Ok(shop.map(|shop| (shop, news)))
    }
}

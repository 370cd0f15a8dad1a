//! A store together with what changed since a version of its data: what an operation needs to bring what is
//! remembered of the store up to date, in one exchange with the database.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use sqlx::types::Json;

use super::customers::CustomerRow;
use super::day_book::{ChangeRow, with_changed_days};
use super::shops::{Shop, ShopStatus, shop_of};
use super::transaction::Planning;
use super::{DbError, Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::day_book::DayChange;
use crate::domain::ids::CustomerId;
use crate::domain::money::Currency;
use crate::domain::ranking::RankedCustomer;
use crate::domain::shop::ShopDomain;

/// When more customers changed, what they spent is not among the news. The statement says the number itself, so that
/// PostgreSQL knows it when it makes the plan.
const MOST_CHANGED: i64 = 200;

/// What is remembered of a store.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The version that it is of.
    pub version: i64,
    /// What its figures are counted in.
    pub currency: Currency,
    /// The ranges of which the customers are remembered who spent most.
    pub ranges: Vec<DayRange>,
    /// The customers who were asked for lately, and may be again.
    pub customers: Vec<CustomerId>,
}

/// What changed since.
#[derive(Debug)]
pub struct News {
    /// The days, and the counts of customers.
    pub days: Vec<DayChange>,
    /// What the customers of whom anything changed have come to in each of the ranges, in their order; `None`:
    /// these are too many.
    pub spending: Option<Vec<Vec<RankedCustomer>>>,
    /// The customers who were asked for, changed or not, and some of those who changed.
    pub customers: Vec<CustomerRow>,
}

struct NewsRow {
    shop_gid: String,
    domain: ShopDomain,
    name: String,
    currency: Currency,
    time_zone: String,
    scopes: Vec<String>,
    status: String,
    status_reason: Option<String>,
    order_history_days: Option<i32>,
    last_synced_at: Option<DateTime<Utc>>,
    data_version: i64,
    rebuilt_version: i64,
    customers: Option<i64>,
    changed: i64,
    days: Option<Json<Vec<ChangeRow>>>,
    spending: Option<Json<Vec<Spending>>>,
    people: Option<Json<Vec<CustomerRow>>>,
}

/// What a customer has come to in a range, by its place among the ranges, from 1.
#[derive(Debug, Deserialize)]
struct Spending {
    range: usize,
    customer: CustomerId,
    total_spent: Decimal,
    orders: i64,
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
        let people: Vec<i64> = remembered.customers.iter().map(|id| id.number()).collect();
        let row = with_changed_days!(
            NewsRow,
            "with changed as materialized ( \
                select customer_id from customer_totals where tenant_id = $1 and version > $3 limit 201), \
             spent as ( \
                select r.range, t.customer_id as customer, d.total_spent::text, d.orders \
                from changed t cross join unnest($4::date[], $5::date[]) with ordinality r(first, last, range) \
                cross join lateral ( \
                   select coalesce(sum(d.total_sales), 0) as total_spent, coalesce(sum(d.orders), 0)::bigint as orders \
                   from customer_days d where d.tenant_id = $1 and d.customer_id = t.customer_id and d.currency = $2 \
                      and d.day between r.first and r.last) d \
                where (select count(*) from changed) <= 200), \
             people as ( \
                select c.id, c.display_name, c.email, c.tags, c.created_at, coalesce(t.orders, 0) as orders, \
                   coalesce(t.total_spent, 0)::text as total_spent, t.first_order_at, t.last_order_at \
                from customers c left join customer_totals t on t.tenant_id = c.tenant_id and t.customer_id = c.id \
                where c.tenant_id = $1 and c.id = any($6::bigint[] || array(select customer_id from changed limit 10))) \
             select shop_gid, domain as \"domain: ShopDomain\", name, currency as \"currency: Currency\", time_zone, \
                    scopes, status, status_reason, order_history_days, last_synced_at, data_version, rebuilt_version, customers, \
                    (select count(*) from changed) as \"changed!\", \
                    (select json_agg(spent) from spent) as \"spending: Json<Vec<Spending>>\", \
                    (select json_agg(people) from people) as \"people: Json<Vec<CustomerRow>>\", \
                    (select json_agg(days) from (",
            ") days) as \"days: Json<Vec<ChangeRow>>\" from shops where tenant_id = $1",
            tenant.uuid(),
            remembered.currency.code(),
            remembered.version,
            &from,
            &to,
            &people
        )
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let days = row.days.map(|days| days.0).unwrap_or_default();
        let days = days.into_iter().map(|day| day.change(&remembered.currency));
        let spending = row.spending.map(|spending| spending.0).unwrap_or_default();
        let news = News {
            days: days.collect::<Result<_>>()?,
            spending: (row.changed <= MOST_CHANGED)
                .then(|| by_range(spending, remembered.ranges.len())),
            customers: row.people.map(|people| people.0).unwrap_or_default(),
        };
        Ok(Some((shop_of!(row)?, news)))
    }
}

fn by_range(spending: Vec<Spending>, ranges: usize) -> Vec<Vec<RankedCustomer>> {
    let mut lists = vec![Vec::new(); ranges];
    for spent in spending {
        if let Some(list) = spent
            .range
            .checked_sub(1)
            .and_then(|place| lists.get_mut(place))
        {
            list.push(RankedCustomer {
                customer: spent.customer,
                total_spent: spent.total_spent,
                orders: spent.orders,
            });
        }
    }
    lists
}

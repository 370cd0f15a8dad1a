//! A store together with what changed since a version of its data, and what is as a rule asked for next: all that
//! most operations read, in one exchange with the database.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sqlx::PgExecutor;

use super::customers::CustomerRow;
use super::orders::OrderRow;
use super::shops::{Shop, ShopStatus};
use super::{Database, DbError, Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::day_book::DayChange;
use crate::domain::ids::{CustomerId, OrderId, TenantId};
use crate::domain::metrics::SalesFigures;
use crate::domain::money::Currency;
use crate::domain::ranking::RankedCustomer;
use crate::domain::shop::ShopDomain;

/// When more customers changed, what they spent is not among the news; the function says the same number.
const MAX_CHANGED: i64 = 200;

/// What is remembered of a store.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The version that it is of.
    pub version: i64,
    /// What its figures are counted in.
    pub currency: Currency,
    /// The ranges of which the customers are remembered who spent most.
    pub ranges: Vec<DayRange>,
    /// The customers who were asked for lately.
    pub customers: Vec<CustomerId>,
    /// How many of the newest orders were asked for lately.
    pub newest_orders: i64,
}

impl Remembered {
    /// Days alone.
    pub(super) const fn days(version: i64, currency: Currency) -> Self {
        Self {
            version,
            currency,
            ranges: Vec::new(),
            customers: Vec::new(),
            newest_orders: 0,
        }
    }
}

/// What changed since, and what was asked for lately as it is now.
#[derive(Debug)]
pub struct News {
    /// The days, and the counts of customers.
    pub days: Vec<DayChange>,
    /// What the customers of whom anything changed have come to in each of the ranges, in their order; `None`:
    /// these are too many.
    pub spending: Option<Vec<Vec<RankedCustomer>>>,
    /// The customers who were asked for lately, some of those who changed, and those of the newest orders.
    pub customers: Vec<CustomerRow>,
    /// So many of the newest orders as were asked for lately, if there are so many.
    pub newest_orders: Vec<OrderRow>,
}

impl Database {
    /// The store, if it is (still) there, and its news, all of one moment, without a transaction: the statement enters
    /// the store itself.
    pub async fn store_news(
        &self,
        tenant: TenantId,
        remembered: &Remembered,
    ) -> Result<Option<(Shop, News)>> {
        read_news(&self.pool, tenant, remembered).await
    }
}

impl TenantTx {
    /// The same in the snapshot of a transaction. Costs what the changes hold.
    pub async fn store_news(&mut self, remembered: &Remembered) -> Result<Option<(Shop, News)>> {
        let tenant = self.tenant();
        read_news(self.connection(), tenant, remembered).await
    }
}

async fn read_news(
    database: impl PgExecutor<'_>,
    tenant: TenantId,
    remembered: &Remembered,
) -> Result<Option<(Shop, News)>> {
    let from: Vec<NaiveDate> = remembered.ranges.iter().map(|range| range.from()).collect();
    let to: Vec<NaiveDate> = remembered.ranges.iter().map(|range| range.to()).collect();
    let customers = remembered.customers.iter().map(|id| id.number());
    let customers: Vec<_> = customers.collect();
    let lines = sqlx::query_as!(
        Line,
        "select kind as \"kind!\", id, other_id, day_1, day_2, number_1, number_2, number_3, number_4, number_5, \
                amount_1, amount_2, amount_3, amount_4, amount_5, amount_6, amount_7, amount_8, text_1, text_2, text_3, \
                text_4, text_5, text_6, text_7, list_1, list_2, at_1, at_2, at_3, flag \
         from store_news($1, $2, $3, $4, $5, $6, $7)",
        tenant.uuid(),
        remembered.currency.code(),
        remembered.version,
        &from,
        &to,
        &customers,
        remembered.newest_orders
    )
    .fetch_all(database)
    .await?;
    let mut shop = None;
    let mut news = News {
        days: Vec::new(),
        spending: Some(vec![Vec::new(); remembered.ranges.len()]),
        customers: Vec::new(),
        newest_orders: Vec::new(),
    };
    for line in lines {
        match line.kind {
            STORE => {
                if line.number_5.is_none_or(|changed| changed > MAX_CHANGED) {
                    news.spending = None;
                }
                shop = Some(line.shop()?);
            }
            SPENDING => {
                let place = line.number_2.and_then(|place| usize::try_from(place).ok());
                let lists = news.spending.as_mut();
                let list = lists.and_then(|lists| lists.get_mut(place?.checked_sub(1)?));
                if let Some(list) = list {
                    list.push(line.spending()?);
                }
            }
            CUSTOMER => news.customers.push(line.customer()?),
            ORDER => news.newest_orders.push(line.order()?),
            _ => news.days.push(line.day_change(&remembered.currency)?),
        }
    }
    news.newest_orders
        .sort_unstable_by_key(|order| std::cmp::Reverse((order.processed_at, order.id)));
    Ok(shop.map(|shop| (shop, news)))
}

/// The kinds of lines, as the function numbers them.
const SALES: i32 = 0;
const OTHER_CURRENCIES: i32 = 1;
const FIRST_CUSTOMERS: i32 = 2;
const RETURNING_CUSTOMERS: i32 = 3;
const SPENDING: i32 = 4;
const CUSTOMER: i32 = 5;
const ORDER: i32 = 6;
const STORE: i32 = 7;

/// A line of any kind.
struct Line {
    kind: i32,
    id: Option<i64>,
    other_id: Option<i64>,
    day_1: Option<NaiveDate>,
    day_2: Option<NaiveDate>,
    number_1: Option<i64>,
    number_2: Option<i64>,
    number_3: Option<i64>,
    number_4: Option<i64>,
    number_5: Option<i64>,
    amount_1: Option<Decimal>,
    amount_2: Option<Decimal>,
    amount_3: Option<Decimal>,
    amount_4: Option<Decimal>,
    amount_5: Option<Decimal>,
    amount_6: Option<Decimal>,
    amount_7: Option<Decimal>,
    amount_8: Option<Decimal>,
    text_1: Option<String>,
    text_2: Option<String>,
    text_3: Option<String>,
    text_4: Option<String>,
    text_5: Option<String>,
    text_6: Option<String>,
    text_7: Option<String>,
    list_1: Option<Vec<String>>,
    list_2: Option<Vec<String>>,
    at_1: Option<DateTime<Utc>>,
    at_2: Option<DateTime<Utc>>,
    at_3: Option<DateTime<Utc>>,
    flag: Option<bool>,
}

/// What every line of a kind has.
fn given<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| DbError::Corrupt("the news lack a value".to_owned()))
}

fn currency(code: Option<String>) -> Result<Currency> {
    Currency::parse(&given(code)?).map_err(|error| DbError::Corrupt(error.to_string()))
}

impl Line {
    fn day_change(self, currency: &Currency) -> Result<DayChange> {
        let day = given(self.day_1)?;
        let count = self.number_1.unwrap_or_default();
        Ok(match self.kind {
            SALES => DayChange::Sales(
                day,
                Box::new(SalesFigures {
                    currency: currency.clone(),
                    orders: count,
                    units_sold: given(self.number_2)?,
                    gross_sales: given(self.amount_1)?,
                    discounts: given(self.amount_2)?,
                    returns: given(self.amount_3)?,
                    shipping: given(self.amount_4)?,
                    taxes: given(self.amount_5)?,
                    duties: given(self.amount_6)?,
                    fees: given(self.amount_7)?,
                    placed_sales: given(self.amount_8)?,
                    customers: 0,
                    new_customers: 0,
                }),
            ),
            OTHER_CURRENCIES => DayChange::OtherCurrencies(day, count),
            FIRST_CUSTOMERS => DayChange::FirstCustomers {
                day,
                first_order_day: given(self.day_2)?,
                customers: count,
            },
            RETURNING_CUSTOMERS => DayChange::ReturningCustomers {
                day,
                previous_day: given(self.day_2)?,
                customers: count,
            },
            kind => return Err(DbError::Corrupt(format!("news of the kind {kind}"))),
        })
    }

    fn spending(self) -> Result<RankedCustomer> {
        Ok(RankedCustomer {
            customer: CustomerId::new(given(self.id)?),
            total_spent: given(self.amount_1)?,
            orders: given(self.number_1)?,
        })
    }

    fn customer(self) -> Result<CustomerRow> {
        Ok(CustomerRow {
            id: CustomerId::new(given(self.id)?),
            display_name: given(self.text_1)?,
            email: self.text_2,
            tags: given(self.list_1)?,
            created_at: self.at_1,
            orders: given(self.number_1)?,
            total_spent: given(self.amount_1)?,
            first_order_at: self.at_2,
            last_order_at: self.at_3,
        })
    }

    fn order(self) -> Result<OrderRow> {
        Ok(OrderRow {
            id: OrderId::new(given(self.id)?),
            name: given(self.text_1)?,
            customer_id: self.other_id.map(CustomerId::new),
            processed_at: given(self.at_1)?,
            cancelled_at: self.at_2,
            financial_status: self.text_2,
            fulfillment_status: self.text_3,
            source_name: self.text_4,
            discount_codes: given(self.list_1)?,
            tags: given(self.list_2)?,
            test: given(self.flag)?,
            currency: currency(self.text_5)?,
            total_price: given(self.amount_1)?,
            net_payment: given(self.amount_2)?,
        })
    }

    fn shop(self) -> Result<Shop> {
        let history = self.number_1.map(i32::try_from).transpose();
        Ok(Shop {
            gid: given(self.text_1)?,
            domain: ShopDomain::parse(&given(self.text_2)?)
                .map_err(|error| DbError::Corrupt(error.to_string()))?,
            name: given(self.text_3)?,
            currency: currency(self.text_4)?,
            time_zone: given(self.text_5)?,
            scopes: given(self.list_1)?,
            status: ShopStatus::from_code(&given(self.text_6)?)?,
            status_reason: self.text_7,
            order_history_days: history
                .map_err(|_| DbError::Corrupt("too long a history".to_owned()))?,
            last_synced_at: self.at_1,
            data_version: given(self.number_2)?,
            rebuilt_version: given(self.number_3)?,
            customers: self.number_4,
        })
    }
}

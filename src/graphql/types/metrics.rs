//! The figures as the API shows them. What each means is said here for API users; the sums are made in SQL.

use async_graphql::{Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::customer::Customer;
use super::money::Money;
use crate::domain::calendar::DayRange;
use crate::domain::metrics::SalesFigures;
use crate::graphql::error::ApiError;
use crate::graphql::numbers::int;
use crate::graphql::scalars::{Day, Instant};
use crate::graphql::settled::Settled;

/// The sales of a stretch of days, as the store's own reports count them: every event on the day on which it
/// happened, in the shop's time zone. A refund lowers the day it was processed on, never the day of its order.
/// Amounts are in the shop's current currency; orders in another one are left out. Pending, unpaid and
/// cancelled orders count; test orders, deleted orders, gift cards and tips do not.
#[derive(Clone, Debug)]
pub struct SalesMetrics {
    orders: i32,
    units_sold: i32,
    customers: i32,
    new_customers: i32,
    returning_customers: i32,
    figures: SalesFigures,
}

impl TryFrom<SalesFigures> for SalesMetrics {
    type Error = ApiError;

    fn try_from(figures: SalesFigures) -> Result<Self, ApiError> {
        Ok(Self {
            orders: int(figures.orders)?,
            units_sold: int(figures.units_sold)?,
            customers: int(figures.customers)?,
            new_customers: int(figures.new_customers)?,
            returning_customers: int(figures.returning_customers())?,
            figures,
        })
    }
}

impl SalesMetrics {
    fn amount(&self, amount: Decimal) -> Settled<Money> {
        Settled(self.figures.money(amount).into())
    }
}

/// The sales of a stretch of days, as the store's own reports count them: every event on the day on which it
/// happened, in the shop's time zone. A refund lowers the day it was processed on, never the day of its order.
/// Amounts are in the shop's current currency; orders in another one are left out. Pending, unpaid and
/// cancelled orders count; test orders, deleted orders, gift cards and tips do not.
#[Object]
impl SalesMetrics {
    /// Orders placed that hold at least one product. Each counts once, on the day it was placed: later edits
    /// and returns change nothing about it.
    async fn orders(&self) -> i32 {
        self.orders
    }

    /// Units of products sold, additions by later edits included. Returned units are not taken off.
    async fn units_sold(&self) -> i32 {
        self.units_sold
    }

    /// What products sold for before discounts, taxes and returns.
    async fn gross_sales(&self) -> Settled<Money> {
        self.amount(self.figures.gross_sales)
    }

    /// What discounts took off the gross sales, as a positive amount, before taxes.
    async fn discounts(&self) -> Settled<Money> {
        self.amount(self.figures.discounts)
    }

    /// What returns, and edits that removed something, took back, without taxes, as a positive amount.
    async fn returns(&self) -> Settled<Money> {
        self.amount(self.figures.returns)
    }

    /// Gross sales less discounts and returns. Negative where more came back than was sold.
    async fn net_sales(&self) -> Settled<Money> {
        self.amount(self.figures.net_sales())
    }

    /// Shipping charged less shipping given back, without taxes.
    async fn shipping(&self) -> Settled<Money> {
        self.amount(self.figures.shipping)
    }

    /// Taxes on everything that counts here, less those given back.
    async fn taxes(&self) -> Settled<Money> {
        self.amount(self.figures.taxes)
    }

    /// Import duties charged less those given back, without taxes.
    async fn duties(&self) -> Settled<Money> {
        self.amount(self.figures.duties)
    }

    /// Further fees charged less those given back, without taxes.
    async fn fees(&self) -> Settled<Money> {
        self.amount(self.figures.fees)
    }

    /// Net sales with shipping, taxes, duties and fees.
    async fn total_sales(&self) -> Settled<Money> {
        self.amount(self.figures.total_sales())
    }

    /// Gross sales less discounts of the orders as they were placed, divided by the number of orders and
    /// rounded to the currency's smallest unit. Later edits and returns do not enter. Zero without orders.
    async fn average_order_value(&self) -> Settled<Money> {
        Settled(self.figures.average_order_value().into())
    }

    /// Distinct customers who placed an order that counts. Guests have no customer and count for nobody.
    async fn customers(&self) -> i32 {
        self.customers
    }

    /// Those of the customers whose first order ever falls into these days.
    async fn new_customers(&self) -> i32 {
        self.new_customers
    }

    /// Those of the customers who had ordered before these days.
    async fn returning_customers(&self) -> i32 {
        self.returning_customers
    }

    /// The share of the customers who had ordered before, from 0 to 1. Null without customers.
    async fn returning_customer_rate(&self) -> Option<f64> {
        self.figures.returning_customer_rate()
    }
}

/// A range of days of the shop's calendar. Both ends are in it.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct DateRange {
    /// The first day.
    from: Day,
    /// The last day.
    to: Day,
}

impl From<DayRange> for DateRange {
    fn from(range: DayRange) -> Self {
        Self {
            from: Day(range.from()),
            to: Day(range.to()),
        }
    }
}

/// One interval of a series.
#[derive(Clone, Debug, SimpleObject)]
pub struct OrdersByDatePoint {
    /// The first day of the calendar interval, which for the first point may lie before the range; of an
    /// hour, the day that it is in.
    date: Day,
    /// The instant at which the interval begins in the shop's time zone.
    start: Instant,
    /// What happened in the interval. Days outside the range asked for are not in it.
    metrics: Settled<SalesMetrics>,
}

impl OrdersByDatePoint {
    pub(in crate::graphql) fn new(
        date: NaiveDate,
        start: DateTime<Utc>,
        figures: SalesFigures,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            date: Day(date),
            start: Instant(start),
            metrics: Settled(figures.try_into()?),
        })
    }
}

/// A customer's place among those who spent most.
#[derive(Clone, Debug, SimpleObject)]
pub struct TopCustomer {
    /// The place, from 1.
    pub(in crate::graphql) rank: i32,
    /// The customer. Their own totals are those of all time.
    pub(in crate::graphql) customer: Customer,
    /// What they spent in the range: net sales with shipping, taxes, duties and fees, after the returns of the
    /// range. In the shop's currency.
    pub(in crate::graphql) total_spent: Money,
    /// How many orders they placed in the range.
    pub(in crate::graphql) orders: i32,
}

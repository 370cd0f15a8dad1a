//! The figures as the API shows them. What each means is said here for API users; the sums are made in SQL.

use async_graphql::SimpleObject;
use chrono::{DateTime, NaiveDate, Utc};

use super::customer::Customer;
use super::money::Money;
use crate::domain::calendar::DayRange;
use crate::domain::metrics::SalesFigures;
use crate::graphql::error::ApiError;
use crate::graphql::numbers::int;
use crate::graphql::scalars::{Day, Instant};

/// The sales of a stretch of days, as the store's own reports count them: every event on the day on which it
/// happened, in the shop's time zone. A refund lowers the day it was processed on, never the day of its order.
/// Amounts are in the shop's current currency; orders in another one are left out. Pending, unpaid and
/// cancelled orders count; test orders, deleted orders, gift cards and tips do not.
#[derive(Clone, Debug, SimpleObject)]
pub struct SalesMetrics {
    /// Orders placed that hold at least one product. Each counts once, on the day it was placed: later edits
    /// and returns change nothing about it.
    orders: i32,
    /// Units of products sold, additions by later edits included. Returned units are not taken off.
    units_sold: i32,
    /// What products sold for before discounts, taxes and returns.
    gross_sales: Money,
    /// What discounts took off the gross sales, as a positive amount, before taxes.
    discounts: Money,
    /// What returns, and edits that removed something, took back, without taxes, as a positive amount.
    returns: Money,
    /// Gross sales less discounts and returns. Negative where more came back than was sold.
    net_sales: Money,
    /// Shipping charged less shipping given back, without taxes.
    shipping: Money,
    /// Taxes on everything that counts here, less those given back.
    taxes: Money,
    /// Import duties charged less those given back, without taxes.
    duties: Money,
    /// Further fees charged less those given back, without taxes.
    fees: Money,
    /// Net sales with shipping, taxes, duties and fees.
    total_sales: Money,
    /// Gross sales less discounts of the orders as they were placed, divided by the number of orders and
    /// rounded to the currency's smallest unit. Later edits and returns do not enter. Zero without orders.
    average_order_value: Money,
    /// Distinct customers who placed an order that counts. Guests have no customer and count for nobody.
    customers: i32,
    /// Those of the customers whose first order ever falls into these days.
    new_customers: i32,
    /// Those of the customers who had ordered before these days.
    returning_customers: i32,
    /// The share of the customers who had ordered before, from 0 to 1. Null without customers.
    returning_customer_rate: Option<f64>,
}

impl TryFrom<&SalesFigures> for SalesMetrics {
    type Error = ApiError;

    fn try_from(figures: &SalesFigures) -> Result<Self, ApiError> {
        let money = |amount| figures.money(amount).into();
        Ok(Self {
            orders: int(figures.orders)?,
            units_sold: int(figures.units_sold)?,
            gross_sales: money(figures.gross_sales),
            discounts: money(figures.discounts),
            returns: money(figures.returns),
            net_sales: money(figures.net_sales()),
            shipping: money(figures.shipping),
            taxes: money(figures.taxes),
            duties: money(figures.duties),
            fees: money(figures.fees),
            total_sales: money(figures.total_sales()),
            average_order_value: figures.average_order_value().into(),
            customers: int(figures.customers)?,
            new_customers: int(figures.new_customers)?,
            returning_customers: int(figures.returning_customers())?,
            returning_customer_rate: figures.returning_customer_rate(),
        })
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
    metrics: SalesMetrics,
}

impl OrdersByDatePoint {
    pub(in crate::graphql) fn new(
        date: NaiveDate,
        start: DateTime<Utc>,
        figures: &SalesFigures,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            date: Day(date),
            start: Instant(start),
            metrics: figures.try_into()?,
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

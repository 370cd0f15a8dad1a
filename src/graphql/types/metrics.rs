//! The figures as the API shows them. The doc comments of the fields are the descriptions that API users read.

use async_graphql::{Lookahead, Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::customer::Customer;
use super::money::Money;
use crate::domain::calendar::DayRange;
use crate::domain::metrics::SalesSummary;
use crate::graphql::error::ApiError;
use crate::graphql::numbers::to_graphql_int;
use crate::graphql::scalars::{Day, Instant, Long};

/// The sales figures of a range of days, counted as in Shopify's own reports. Each event counts on
/// the day it happened, in the shop's time zone. A refund reduces the figures of the day it was
/// processed, never of the day of its order. Amounts are in the shop's current currency; orders in
/// other currencies do not count. Pending, unpaid and cancelled orders count. Test orders, deleted
/// orders, gift cards and tips do not.
#[derive(Clone, Debug)]
pub struct SalesMetrics {
    orders: i32,
    customers: i32,
    new_customers: i32,
    returning_customers: i32,
    figures: SalesSummary,
}

impl TryFrom<SalesSummary> for SalesMetrics {
    type Error = ApiError;

    fn try_from(figures: SalesSummary) -> Result<Self, ApiError> {
        Ok(Self {
            orders: to_graphql_int(figures.sales.orders)?,
            customers: to_graphql_int(figures.customers)?,
            new_customers: to_graphql_int(figures.new_customers)?,
            returning_customers: to_graphql_int(figures.returning_customers)?,
            figures,
        })
    }
}

/// The fields of [`SalesMetrics`] that customers have to be counted for.
const OF_CUSTOMERS: [&str; 4] = [
    "customers",
    "newCustomers",
    "returningCustomers",
    "returningCustomerRate",
];

/// Whether any of these is asked for.
pub fn asks_for_customers(metrics: &Lookahead<'_>) -> bool {
    let mut fields = OF_CUSTOMERS.iter();
    fields.any(|field| metrics.field(field).exists())
}

impl SalesMetrics {
    fn amount(&self, amount: Decimal) -> Money {
        self.figures.money(amount).into()
    }

    fn average(&self) -> Money {
        self.figures.average_order_value().into()
    }
}

/// The sales figures of a range of days, counted as in Shopify's own reports. Each event counts on
/// the day it happened, in the shop's time zone. A refund reduces the figures of the day it was
/// processed, never of the day of its order. Amounts are in the shop's current currency; orders in
/// other currencies do not count. Pending, unpaid and cancelled orders count. Test orders, deleted
/// orders, gift cards and tips do not.
#[Object]
impl SalesMetrics {
    /// The number of orders placed with at least one product. Each order counts once, on the day it
    /// was placed. Later edits and returns do not change the count.
    async fn orders(&self) -> i32 {
        self.orders
    }

    /// The number of product units sold, including units added by later edits. Returned units are
    /// not subtracted.
    async fn units_sold(&self) -> Long {
        Long(self.figures.sales.units_sold)
    }

    /// Product sales before discounts, taxes and returns.
    async fn gross_sales(&self) -> Money {
        self.amount(self.figures.sales.gross_sales)
    }

    /// Discounts on the gross sales, before taxes, as a positive amount.
    async fn discounts(&self) -> Money {
        self.amount(self.figures.sales.discounts)
    }

    /// The value of returned and removed items, without taxes, as a positive amount.
    async fn returns(&self) -> Money {
        self.amount(self.figures.sales.returns)
    }

    /// Gross sales minus discounts and returns. Negative if returns exceed sales.
    async fn net_sales(&self) -> Money {
        self.amount(self.figures.sales.net_sales())
    }

    /// Shipping charged minus shipping refunded, without taxes.
    async fn shipping(&self) -> Money {
        self.amount(self.figures.sales.shipping)
    }

    /// Taxes charged minus taxes refunded, on everything that counts in these figures.
    async fn taxes(&self) -> Money {
        self.amount(self.figures.sales.taxes)
    }

    /// Import duties charged minus duties refunded, without taxes.
    async fn duties(&self) -> Money {
        self.amount(self.figures.sales.duties)
    }

    /// Other fees charged minus fees refunded, without taxes.
    async fn fees(&self) -> Money {
        self.amount(self.figures.sales.fees)
    }

    /// Net sales plus shipping, taxes, duties and fees.
    async fn total_sales(&self) -> Money {
        self.amount(self.figures.sales.total_sales())
    }

    /// Gross sales minus discounts of the orders as placed, divided by the number of orders.
    /// Rounded to the currency's smallest unit. Later edits and returns do not count. Zero without
    /// orders.
    async fn average_order_value(&self) -> Money {
        self.average()
    }

    /// The number of distinct customers who placed an order that counts. Guest orders have no
    /// customer.
    async fn customers(&self) -> i32 {
        self.customers
    }

    /// The number of customers whose first order ever was placed in the range.
    async fn new_customers(&self) -> i32 {
        self.new_customers
    }

    /// The number of customers who placed an order in the range that is not their first ever. A
    /// customer whose first and second order are both in the range is new and returning.
    async fn returning_customers(&self) -> i32 {
        self.returning_customers
    }

    /// Returning customers divided by customers, from 0 to 1. Null without customers.
    async fn returning_customer_rate(&self) -> Option<f64> {
        self.figures.returning_customer_rate()
    }
}

/// A range of calendar days in the shop's time zone. Both ends are included.
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
    /// The first day of the calendar interval. For the first point, it may be before the range. For
    /// an hour, the day that contains the hour.
    date: Day,
    /// The time the interval starts in the shop's time zone.
    start: Instant,
    /// The figures of the interval. Days outside the requested range do not count.
    metrics: SalesMetrics,
    /// The point at the same position of the comparison range. Null without `compareTo`, or when the
    /// comparison range has fewer points.
    previous: Option<Box<Self>>,
}

impl OrdersByDatePoint {
    pub(in crate::graphql) fn new(
        date: NaiveDate,
        start: DateTime<Utc>,
        figures: SalesSummary,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            date: Day(date),
            start: Instant(start),
            metrics: figures.try_into()?,
            previous: None,
        })
    }

    pub(in crate::graphql) fn compared_with(self, previous: Option<Self>) -> Self {
        Self {
            previous: previous.map(Box::new),
            ..self
        }
    }
}

/// A customer's rank by total sales.
#[derive(Clone, Debug, SimpleObject)]
pub struct TopCustomer {
    /// The rank, starting from 1.
    pub(in crate::graphql) rank: i32,
    /// The customer. The totals of this object are of all time.
    pub(in crate::graphql) customer: Customer,
    /// The customer's total sales in the range: net sales plus shipping, taxes, duties and fees,
    /// after returns in the range. In the shop's currency.
    pub(in crate::graphql) total_spent: Money,
    /// The number of orders that the customer placed in the range.
    pub(in crate::graphql) orders: i32,
}

//! The figures as the API shows them. What each means is said here for API users; the sums are made in SQL.
//! Whoever adds a field to an object that [`Writes`] its fields adds it there too: until then, what asks for it is
//! resolved, at several times the cost.

use std::borrow::Cow;

use async_graphql::parser::types::{Field, SelectionSet};
use async_graphql::{Lookahead, Object, OutputType as _, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::customer::Customer;
use super::money::Money;
use crate::domain::calendar::DayRange;
use crate::domain::metrics::SalesFigures;
use crate::graphql::error::ApiError;
use crate::graphql::json::{write_plain, write_text};
use crate::graphql::numbers::int;
use crate::graphql::scalars::{Day, Instant};
use crate::graphql::settled::{Settled, Write, Writer, Writes};

/// The sales figures of a range of days, counted as in Shopify's own reports. Each event counts on
/// the day it happened, in the shop's time zone. A refund reduces the figures of the day it was
/// processed, never of the day of its order. Amounts are in the shop's current currency; orders in
/// other currencies do not count. Pending, unpaid and cancelled orders count. Test orders, deleted
/// orders, gift cards and tips do not.
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
    fn amount(&self, amount: Decimal) -> Settled<Money> {
        Settled(self.figures.money(amount).into())
    }

    fn average(&self) -> Settled<Money> {
        Settled(self.figures.average_order_value().into())
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
    async fn units_sold(&self) -> i32 {
        self.units_sold
    }

    /// Product sales before discounts, taxes and returns.
    async fn gross_sales(&self) -> Settled<Money> {
        self.amount(self.figures.gross_sales)
    }

    /// Discounts on the gross sales, before taxes, as a positive amount.
    async fn discounts(&self) -> Settled<Money> {
        self.amount(self.figures.discounts)
    }

    /// The value of returned and removed items, without taxes, as a positive amount.
    async fn returns(&self) -> Settled<Money> {
        self.amount(self.figures.returns)
    }

    /// Gross sales minus discounts and returns. Negative if returns exceed sales.
    async fn net_sales(&self) -> Settled<Money> {
        self.amount(self.figures.net_sales())
    }

    /// Shipping charged minus shipping refunded, without taxes.
    async fn shipping(&self) -> Settled<Money> {
        self.amount(self.figures.shipping)
    }

    /// Taxes charged minus taxes refunded, on everything that counts in these figures.
    async fn taxes(&self) -> Settled<Money> {
        self.amount(self.figures.taxes)
    }

    /// Import duties charged minus duties refunded, without taxes.
    async fn duties(&self) -> Settled<Money> {
        self.amount(self.figures.duties)
    }

    /// Other fees charged minus fees refunded, without taxes.
    async fn fees(&self) -> Settled<Money> {
        self.amount(self.figures.fees)
    }

    /// Net sales plus shipping, taxes, duties and fees.
    async fn total_sales(&self) -> Settled<Money> {
        self.amount(self.figures.total_sales())
    }

    /// Gross sales minus discounts of the orders as placed, divided by the number of orders.
    /// Rounded to the currency's smallest unit. Later edits and returns do not count. Zero without
    /// orders.
    async fn average_order_value(&self) -> Settled<Money> {
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

    /// The number of customers in the range who had ordered before the range.
    async fn returning_customers(&self) -> i32 {
        self.returning_customers
    }

    /// Returning customers divided by customers, from 0 to 1. Null without customers.
    async fn returning_customer_rate(&self) -> Option<f64> {
        self.figures.returning_customer_rate()
    }
}

impl Writes for SalesMetrics {
    fn object_type() -> Cow<'static, str> {
        Self::type_name()
    }

    fn write(field: &Field) -> Option<Write<Self>> {
        let set = &field.selection_set.node;
        match field.name.node.as_str() {
            "orders" => count(|metrics| metrics.orders),
            "unitsSold" => count(|metrics| metrics.units_sold),
            "grossSales" => money(set, |metrics| metrics.amount(metrics.figures.gross_sales)),
            "discounts" => money(set, |metrics| metrics.amount(metrics.figures.discounts)),
            "returns" => money(set, |metrics| metrics.amount(metrics.figures.returns)),
            "netSales" => money(set, |metrics| metrics.amount(metrics.figures.net_sales())),
            "shipping" => money(set, |metrics| metrics.amount(metrics.figures.shipping)),
            "taxes" => money(set, |metrics| metrics.amount(metrics.figures.taxes)),
            "duties" => money(set, |metrics| metrics.amount(metrics.figures.duties)),
            "fees" => money(set, |metrics| metrics.amount(metrics.figures.fees)),
            "totalSales" => money(set, |metrics| metrics.amount(metrics.figures.total_sales())),
            "averageOrderValue" => money(set, Self::average),
            "customers" => count(|metrics| metrics.customers),
            "newCustomers" => count(|metrics| metrics.new_customers),
            "returningCustomers" => count(|metrics| metrics.returning_customers),
            "returningCustomerRate" => Some(Box::new(|metrics, json| {
                write_plain(&metrics.figures.returning_customer_rate(), json);
            })),
            _ => None,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the others are")]
fn count(number: fn(&SalesMetrics) -> i32) -> Option<Write<SalesMetrics>> {
    Some(Box::new(move |metrics, json| {
        write_plain(&number(metrics), json);
    }))
}

fn money(
    set: &SelectionSet,
    money: fn(&SalesMetrics) -> Settled<Money>,
) -> Option<Write<SalesMetrics>> {
    let writer = Writer::<Money>::of(set)?;
    Some(Box::new(move |metrics, json| {
        writer.write(&money(metrics).0, json);
    }))
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

impl Writes for OrdersByDatePoint {
    fn object_type() -> Cow<'static, str> {
        Self::type_name()
    }

    fn write(field: &Field) -> Option<Write<Self>> {
        Some(match field.name.node.as_str() {
            "date" => Box::new(|point, json| write_text(&point.date.text(), json)),
            "start" => Box::new(|point, json| write_text(&point.start.text(), json)),
            "metrics" => {
                let writer = Writer::<SalesMetrics>::of(&field.selection_set.node)?;
                Box::new(move |point, json| writer.write(&point.metrics.0, json))
            }
            _ => return None,
        })
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

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::{DocumentOperations, Selection};

    use super::*;

    /// Whether a field can be written, with all of what it is made of.
    fn is_written<T: Writes>(field: &str) -> bool {
        let document = parse_query(format!("{{ {field} }}")).unwrap();
        let DocumentOperations::Single(operation) = &document.operations else {
            panic!("several operations");
        };
        let Some(Selection::Field(field)) = operation
            .node
            .selection_set
            .node
            .items
            .first()
            .map(|item| &item.node)
        else {
            panic!("no field");
        };
        T::write(&field.node).is_some()
    }

    /// The fields that the schema's text gives a type, each with the fields of money where it is some.
    fn fields(type_name: &str) -> Vec<String> {
        let schema = include_str!("../../../schema.graphql");
        let (_, body) = schema
            .split_once(&format!("\ntype {type_name} {{\n"))
            .unwrap();
        let (body, _) = body.split_once("\n}\n").unwrap();
        let fields = body.lines().filter_map(|line| line.trim().split_once(": "));
        fields
            .filter(|(name, _)| name.chars().all(char::is_alphanumeric))
            .map(|(name, of)| match of.trim_end_matches('!') {
                "Money" => format!("{name} {{ amount currencyCode }}"),
                "SalesMetrics" => format!("{name} {{ orders }}"),
                _ => name.to_owned(),
            })
            .collect()
    }

    #[test]
    fn every_field_of_a_series_can_be_written() {
        let (metrics, point) = (fields("SalesMetrics"), fields("OrdersByDatePoint"));
        assert_eq!((metrics.len(), point.len()), (16, 3));
        for field in metrics {
            assert!(is_written::<SalesMetrics>(&field), "{field}");
        }
        for field in point {
            assert!(is_written::<OrdersByDatePoint>(&field), "{field}");
        }
        assert!(!is_written::<SalesMetrics>("somethingElse"));
        assert!(!is_written::<SalesMetrics>(
            "taxes { ... on Money { amount } }"
        ));
    }
}

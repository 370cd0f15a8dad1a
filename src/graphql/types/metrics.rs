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
        self.average()
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

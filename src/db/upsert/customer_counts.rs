//! The three tables of counts that give the distinct customers of any range of days (decision 9): how the order days of
//! customers become counts. Pure: a change counts its customers before and after, and applies the difference.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use crate::domain::ids::CustomerId;
use crate::domain::money::Currency;

/// A day on which a customer placed orders in a currency.
#[derive(Clone, Debug)]
pub(super) struct CustomerOrderDay {
    pub(super) customer: CustomerId,
    pub(super) currency: Currency,
    pub(super) day: NaiveDate,
    pub(super) orders: i64,
    /// Whether the first order ever of the customer is in this currency.
    pub(super) is_first_currency: bool,
}

/// One of the three tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum CountKind {
    /// `first_order_counts`: by the day of the first order in the currency and that of the first order in any.
    #[serde(rename = "FIRST_ORDER")]
    First,
    /// `repeat_order_counts`: by each further order day and the order day before.
    #[serde(rename = "REPEAT_ORDER")]
    Repeat,
    /// `second_order_counts`: by the day of the first order ever and that of the next order in its currency.
    #[serde(rename = "SECOND_ORDER")]
    Second,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct CountKey {
    kind: CountKind,
    currency: Currency,
    day: NaiveDate,
    /// `None`: a second order that was never placed.
    other_day: Option<NaiveDate>,
}

/// A row of the delta, as the statement that applies it reads it.
#[derive(Debug, Serialize)]
pub(super) struct CountRow<'a> {
    #[serde(flatten)]
    key: &'a CountKey,
    customers: i64,
}

/// Numbers of customers, or a difference of two such numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CustomerCounts(BTreeMap<CountKey, i64>);

impl CustomerCounts {
    /// The counts of customers who placed orders on these days: all order days of each customer, in any order.
    pub(super) fn of(mut days: Vec<CustomerOrderDay>) -> Self {
        days.sort_by(|a, b| {
            (a.customer, &a.currency, a.day).cmp(&(b.customer, &b.currency, b.day))
        });
        let mut counts = Self::default();
        for customer in days.chunk_by(|a, b| a.customer == b.customer) {
            let Some(first_day) = customer.iter().map(|day| day.day).min() else {
                continue;
            };
            for days in customer.chunk_by(|a, b| a.currency == b.currency) {
                counts.add(days, first_day);
            }
        }
        counts
    }

    /// Adds one customer: the order days in one currency, and the first order day in any currency.
    fn add(&mut self, days: &[CustomerOrderDay], first_day: NaiveDate) {
        let mut previous_day = None;
        for day in days {
            match previous_day {
                None => self.add_one(CountKind::First, day, Some(first_day)),
                Some(_) => self.add_one(CountKind::Repeat, day, previous_day),
            }
            previous_day = Some(day.day);
        }
        if let [first, rest @ ..] = days
            && first.is_first_currency
        {
            let second_day = if first.orders > 1 {
                Some(first.day)
            } else {
                rest.first().map(|next| next.day)
            };
            self.add_one(CountKind::Second, first, second_day);
        }
    }

    fn add_one(&mut self, kind: CountKind, day: &CustomerOrderDay, other_day: Option<NaiveDate>) {
        let key = CountKey {
            kind,
            currency: day.currency.clone(),
            day: day.day,
            other_day,
        };
        *self.0.entry(key).or_default() += 1;
    }

    /// These counts less others, without what comes to zero.
    pub(super) fn minus(mut self, old: Self) -> Self {
        for (key, customers) in old.0 {
            *self.0.entry(key).or_default() -= customers;
        }
        self.0.retain(|_, customers| *customers != 0);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn rows(&self) -> Vec<CountRow<'_>> {
        let rows = self.0.iter();
        rows.map(|(key, customers)| CountRow {
            key,
            customers: *customers,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, number).unwrap()
    }

    fn order_day(customer: i64, currency: &str, number: u32, orders: i64) -> CustomerOrderDay {
        CustomerOrderDay {
            customer: CustomerId::new(customer),
            currency: Currency::parse(currency).unwrap(),
            day: day(number),
            orders,
            is_first_currency: currency == "EUR",
        }
    }

    fn rows(counts: &CustomerCounts) -> Vec<String> {
        let rows = counts.rows().into_iter();
        rows.map(|row| {
            let other = row.key.other_day.map(|day| day.to_string());
            format!(
                "{:?} {} {} {} {}",
                row.key.kind,
                row.key.currency.code(),
                row.key.day,
                other.as_deref().unwrap_or("never"),
                row.customers
            )
        })
        .collect()
    }

    /// The worked example of decision 9.
    #[test]
    fn the_worked_example_has_the_documented_counts() {
        let before = CustomerCounts::of(vec![
            order_day(1, "EUR", 9, 1),
            order_day(1, "EUR", 3, 1),
            order_day(2, "EUR", 3, 1),
        ]);
        assert_eq!(
            rows(&before),
            [
                "First EUR 2026-03-03 2026-03-03 2",
                "Repeat EUR 2026-03-09 2026-03-03 1",
                "Second EUR 2026-03-03 never 1",
                "Second EUR 2026-03-03 2026-03-09 1",
            ]
        );
        // Customer 1 places another order on the 5th.
        let after = CustomerCounts::of(vec![
            order_day(1, "EUR", 9, 1),
            order_day(1, "EUR", 3, 1),
            order_day(1, "EUR", 5, 1),
            order_day(2, "EUR", 3, 1),
        ]);
        assert_eq!(
            rows(&after.minus(before)),
            [
                "Repeat EUR 2026-03-05 2026-03-03 1",
                "Repeat EUR 2026-03-09 2026-03-03 -1",
                "Repeat EUR 2026-03-09 2026-03-05 1",
                "Second EUR 2026-03-03 2026-03-05 1",
                "Second EUR 2026-03-03 2026-03-09 -1",
            ]
        );
    }

    #[test]
    fn two_orders_on_the_first_day_are_a_first_and_a_second_order() {
        let counts = CustomerCounts::of(vec![order_day(1, "EUR", 3, 2)]);
        assert_eq!(
            rows(&counts),
            [
                "First EUR 2026-03-03 2026-03-03 1",
                "Second EUR 2026-03-03 2026-03-03 1",
            ]
        );
    }

    #[test]
    fn a_second_order_in_another_currency_is_no_order_of_the_first_currency() {
        let counts = CustomerCounts::of(vec![order_day(1, "EUR", 3, 1), order_day(1, "USD", 4, 1)]);
        assert_eq!(
            rows(&counts),
            [
                "First EUR 2026-03-03 2026-03-03 1",
                "First USD 2026-03-04 2026-03-03 1",
                "Second EUR 2026-03-03 never 1",
            ]
        );
    }
}

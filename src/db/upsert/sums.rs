//! The rollups of a whole store, summed in memory while the figures of its orders are read in the order of their
//! customers. What is held at a time are the sums of days and products, the counts of presence, and the customers of
//! whom more orders may come.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::figures::OrderFigures;
use crate::db::staging::binary::BinaryRows;
use crate::db::staging::rows::Row as _;
use crate::domain::amounts::Amounts;
use crate::domain::ids::{CustomerId, ProductId};
use crate::domain::money::Currency;

/// The sums of what has been read.
#[derive(Debug)]
pub(super) struct Sums {
    /// The shop's.
    currency: Currency,
    /// Orders and amounts.
    pub(super) days: BTreeMap<(Currency, NaiveDate), (i64, Amounts)>,
    /// Units sold and net sales.
    pub(super) products: BTreeMap<(Currency, ProductId), (i64, Decimal)>,
    customers: BTreeMap<CustomerId, CustomerSums>,
    presence: Presence,
}

/// The counts of presence go out when there are so many of them, some 10 MB.
const MAX_COUNTS: usize = 100_000;

/// How many customers there are of each currency, day and other day.
pub(super) type Counts = BTreeMap<(Currency, NaiveDate, NaiveDate), i64>;

/// Rows of `first_customers` (by first day in the currency, first day in any) and of `returning_customers` (by day,
/// and the one before it).
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) firsts: Counts,
    pub(super) returns: Counts,
}

/// What one customer comes to.
#[derive(Debug, Default)]
struct CustomerSums {
    first_order_at: Option<DateTime<Utc>>,
    last_order_at: Option<DateTime<Utc>>,
    /// Orders and total sales.
    days: BTreeMap<(Currency, NaiveDate), (i64, Decimal)>,
}

/// What customers come to who are complete.
#[derive(Debug, Default)]
pub(super) struct Complete {
    /// Rows of `loaded_customer_days`.
    pub(super) days: BinaryRows,
    pub(super) totals: CustomerTotals,
    /// The counts, when they have become many.
    pub(super) presence: Presence,
}

/// Rows of `customer_totals`, column by column.
#[derive(Debug, Default)]
pub(super) struct CustomerTotals {
    pub(super) customers: Vec<i64>,
    pub(super) orders: Vec<i64>,
    pub(super) total_spent: Vec<Decimal>,
    pub(super) first_order_at: Vec<Option<DateTime<Utc>>>,
    pub(super) first_order_day: Vec<Option<NaiveDate>>,
    pub(super) last_order_at: Vec<Option<DateTime<Utc>>>,
}

impl Sums {
    pub(super) const fn new(currency: Currency) -> Self {
        Self {
            currency,
            days: BTreeMap::new(),
            products: BTreeMap::new(),
            customers: BTreeMap::new(),
            presence: Presence {
                firsts: Counts::new(),
                returns: Counts::new(),
            },
        }
    }

    pub(super) fn add(&mut self, order: OrderFigures) {
        let mut customer = order
            .customer
            .map(|customer| self.customers.entry(customer).or_default());
        for day in order.days {
            let orders = i64::from(day.placed_at.is_some());
            if let Some(customer) = &mut customer {
                customer.first_order_at = earliest(customer.first_order_at, day.placed_at);
                customer.last_order_at = customer.last_order_at.max(day.placed_at);
                let spent = customer
                    .days
                    .entry((day.currency.clone(), day.day))
                    .or_default();
                spent.0 += orders;
                spent.1 += day.amounts.total_sales();
            }
            let sums = self.days.entry((day.currency, day.day)).or_default();
            sums.0 += orders;
            sums.1 += day.amounts;
        }
        for sold in order.products {
            let sums = self
                .products
                .entry((sold.currency, sold.product))
                .or_default();
            sums.0 += sold.units_sold;
            sums.1 += sold.net_sales;
        }
    }

    /// Takes out the customers before this one, of whom no orders are to come; without one, all of them.
    pub(super) fn take_complete(&mut self, before: Option<CustomerId>) -> Complete {
        let rest = before.map_or_else(BTreeMap::new, |first| self.customers.split_off(&first));
        let customers = std::mem::replace(&mut self.customers, rest);
        let mut complete = Complete::default();
        for (id, customer) in customers {
            self.presence.count(customer.present(), 1);
            complete.totals.add(id, &customer, &self.currency);
            complete.add_days(id, customer);
        }
        if self.presence.counts() >= MAX_COUNTS {
            complete.presence = self.take_presence();
        }
        complete
    }

    pub(super) fn take_presence(&mut self) -> Presence {
        std::mem::take(&mut self.presence)
    }
}

impl CustomerSums {
    /// The days of all currencies on which the customer has an order that counts.
    fn present(&self) -> impl Iterator<Item = &(Currency, NaiveDate)> + Clone {
        let counting = self.days.iter().filter(|(_, (orders, _))| *orders > 0);
        counting.map(|(day, _)| day)
    }
}

impl Presence {
    fn counts(&self) -> usize {
        self.firsts.len() + self.returns.len()
    }

    /// Counts one customer, present on these days, so many times.
    pub(super) fn count<'a>(
        &mut self,
        present: impl Iterator<Item = &'a (Currency, NaiveDate)> + Clone,
        times: i64,
    ) {
        let Some(first_order_day) = first_day(present.clone()) else {
            return;
        };
        let mut before: Option<&(Currency, NaiveDate)> = None;
        for day in present {
            let (currency, day_of_currency) = day;
            let counts = match before.filter(|(of, _)| of == currency) {
                Some((_, previous)) => {
                    self.returns
                        .entry((currency.clone(), *day_of_currency, *previous))
                }
                None => self
                    .firsts
                    .entry((currency.clone(), *day_of_currency, first_order_day)),
            };
            *counts.or_default() += times;
            before = Some(day);
        }
    }
}

fn first_day<'a>(present: impl Iterator<Item = &'a (Currency, NaiveDate)>) -> Option<NaiveDate> {
    present.map(|(_, day)| *day).min()
}

impl Complete {
    fn add_days(&mut self, id: CustomerId, customer: CustomerSums) {
        for ((currency, day), (orders, total_sales)) in customer.days {
            if orders != 0 || !total_sales.is_zero() {
                self.days.add(|row| {
                    row.text(currency.code());
                    row.value(day);
                    row.value(id);
                    row.value(orders);
                    row.value(total_sales);
                });
            }
        }
    }
}

impl CustomerTotals {
    /// Sums are those in the shop's currency, instants those of all.
    fn add(&mut self, id: CustomerId, customer: &CustomerSums, currency: &Currency) {
        let own = || {
            let days = customer.days.iter();
            days.filter(|((of, _), _)| of == currency)
                .map(|(_, sums)| sums)
        };
        self.customers.push(id.number());
        self.orders.push(own().map(|(orders, _)| orders).sum());
        self.total_spent.push(own().map(|(_, total)| total).sum());
        self.first_order_at.push(customer.first_order_at);
        self.first_order_day.push(first_day(customer.present()));
        self.last_order_at.push(customer.last_order_at);
    }
}

fn earliest(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    [one, other].into_iter().flatten().min()
}

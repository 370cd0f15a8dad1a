//! A reader who keeps a store's figures in memory and asks only for what changed since the version it knows,
//! and the customers of every range of days, counted from the tables of counts and from the model.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::Connection as _;
use sqlx::PgConnection;
use xboard::domain::ids::TenantId;
use xboard::domain::sale::SaleLineType;

use super::{Model, berlin_day};
use crate::support::enter_tenant;

/// Counts by currency, day and the other day.
type Counts = BTreeMap<(String, NaiveDate, NaiveDate), i64>;
/// What is kept of a customer: their totals, and their days.
type Customer = (String, Vec<(String, NaiveDate, i64, Decimal)>);

/// What a reader remembers of a store.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Memory {
    version: i64,
    daily: BTreeMap<(String, NaiveDate), String>,
    first: Counts,
    returning: Counts,
    customers: BTreeMap<i64, Customer>,
}

impl Memory {
    /// All there is.
    pub(super) async fn whole(connection: &mut PgConnection, tenant: TenantId) -> Self {
        let mut memory = Self {
            version: -1,
            ..Self::default()
        };
        memory.catch_up(connection, tenant).await;
        memory
    }

    /// Reads what has changed since.
    pub(super) async fn catch_up(&mut self, connection: &mut PgConnection, tenant: TenantId) {
        let mut transaction = connection.begin().await.unwrap();
        enter_tenant(&mut transaction, tenant.uuid()).await;
        let (version, rebuilt): (i64, i64) =
            sqlx::query_as("select data_version, rebuilt_version from shops where tenant_id = $1")
                .bind(tenant.uuid())
                .fetch_one(&mut *transaction)
                .await
                .unwrap();
        if rebuilt > self.version {
            *self = Self {
                version: -1,
                ..Self::default()
            };
        }
        let days: Vec<(String, NaiveDate, String)> = sqlx::query_as(
            "select currency, day, row(orders, units_sold, gross_sales, discounts, returns, shipping, taxes, duties, fees, \
             placed_sales)::text from daily_sales where tenant_id = $1 and version > $2",
        )
        .bind(tenant.uuid())
        .bind(self.version)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        for (currency, day, figures) in days {
            self.daily.insert((currency, day), figures);
        }
        for (counts, sql) in [
            (
                &mut self.first,
                "select currency, day, first_order_day, customers from first_customers where tenant_id = $1 and version > $2",
            ),
            (
                &mut self.returning,
                "select currency, day, previous_day, customers from returning_customers where tenant_id = $1 and version > $2",
            ),
        ] {
            let rows: Vec<(String, NaiveDate, NaiveDate, i64)> = sqlx::query_as(sql)
                .bind(tenant.uuid())
                .bind(self.version)
                .fetch_all(&mut *transaction)
                .await
                .unwrap();
            for (currency, day, other, customers) in rows {
                counts.insert((currency, day, other), customers);
            }
        }
        let totals: Vec<(i64, String)> = sqlx::query_as(
            "select customer_id, row(orders, trim_scale(total_spent), first_order_at, first_order_day, last_order_at)::text \
             from customer_totals where tenant_id = $1 and version > $2",
        )
        .bind(tenant.uuid())
        .bind(self.version)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        for (customer, totals) in totals {
            let days = sqlx::query_as(
                "select currency, day, orders, total_sales from customer_days where tenant_id = $1 and customer_id = $2 \
                 order by currency, day",
            )
            .bind(tenant.uuid())
            .bind(customer)
            .fetch_all(&mut *transaction)
            .await
            .unwrap();
            self.customers.insert(customer, (totals, days));
        }
        self.version = version;
    }

    /// Customers and new customers of a range, from the counts alone.
    fn customers(&self, currency: &str, from: NaiveDate, to: NaiveDate) -> (i64, i64) {
        let within = |counts: &Counts, holds: &dyn Fn(NaiveDate, NaiveDate) -> bool| -> i64 {
            counts
                .iter()
                .filter(|((of, day, other), _)| of == currency && holds(*day, *other))
                .map(|(_, customers)| customers)
                .sum()
        };
        let in_range = |day: NaiveDate| day >= from && day <= to;
        let first = within(&self.first, &|day, _| in_range(day));
        let returning = within(&self.returning, &|day, previous| {
            in_range(day) && previous < from
        });
        let new = within(&self.first, &|day, first_order| {
            day <= to && first_order >= from
        });
        (first + returning, new)
    }

    /// Compares the customers of every range with those of the model.
    pub(super) fn assert_customers(&self, model: &Model) {
        let present = model.present();
        let days: BTreeSet<NaiveDate> = present.iter().map(|(_, _, day)| *day).collect();
        for currency in ["EUR", "USD"] {
            for &from in &days {
                for &to in days.range(from..) {
                    let customers: BTreeSet<i64> = present
                        .iter()
                        .filter(|(of, _, day)| of == currency && *day >= from && *day <= to)
                        .map(|(_, customer, _)| *customer)
                        .collect();
                    let new = customers
                        .iter()
                        .filter(|customer| {
                            let of_customer = present.iter().filter(|(_, who, _)| who == *customer);
                            of_customer
                                .map(|(_, _, day)| *day)
                                .min()
                                .is_some_and(|day| day >= from)
                        })
                        .count();
                    assert_eq!(
                        self.customers(currency, from, to),
                        (
                            i64::try_from(customers.len()).unwrap(),
                            i64::try_from(new).unwrap()
                        ),
                        "customers and new customers of {from} to {to} in {currency}"
                    );
                }
            }
        }
    }
}

impl Model {
    /// Which customer ordered in which currency on which day.
    fn present(&self) -> BTreeSet<(String, i64, NaiveDate)> {
        let versions = self
            .orders
            .iter()
            .filter(|(order, _)| !self.deleted.contains(order))
            .filter_map(|(_, versions)| versions.last());
        versions
            .filter(|version| !version.header.test)
            .filter(|version| {
                let mut sales = version.agreements.iter().flat_map(|(_, sales)| sales);
                sales.any(|sale| sale.line_type == SaleLineType::Product)
            })
            .filter_map(|version| {
                let header = &version.header;
                let customer = header.customer?.number();
                let day = berlin_day(header.processed_at);
                Some((header.currency.code().to_owned(), customer, day))
            })
            .collect()
    }
}

//! A reader who keeps a store's figures in memory and asks only for what changed since the version it knows,
//! and the customers of every range of days, counted from the tables of counts and from the model.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Connection as _;
use sqlx::PgConnection;
use xboard::domain::ids::TenantId;
use xboard::domain::sale::SaleLineType;

use super::{Model, berlin_day};
use crate::support::enter_tenant;

/// Counts by kind, currency, day and the other day.
type Counts = BTreeMap<(String, String, NaiveDate, Option<NaiveDate>), i64>;
/// The totals of a customer, and the customer's days.
type Customer = (String, Vec<(String, NaiveDate, String)>);

/// The cached figures of a shop.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Memory {
    version: i64,
    daily: BTreeMap<(String, NaiveDate), String>,
    counts: Counts,
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
            "select currency, day, (to_jsonb(r) - 'version')::text from sales_rollups r \
             where tenant_id = $1 and dimension = 'SHOP' and version > $2",
        )
        .bind(tenant.uuid())
        .bind(self.version)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        for (currency, day, figures) in days {
            self.daily.insert((currency, day), figures);
        }
        let counts: Vec<(String, String, NaiveDate, Option<NaiveDate>, i64)> = sqlx::query_as(
            "select kind, currency, day, nullif(other_day, 'infinity'), customers from customer_counts \
             where tenant_id = $1 and version > $2",
        )
        .bind(tenant.uuid())
        .bind(self.version)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        for (kind, currency, day, other, customers) in counts {
            self.counts.insert((kind, currency, day, other), customers);
        }
        let totals: Vec<(i64, String)> = sqlx::query_as(
            "select value_id, (to_jsonb(t) - 'version')::text from sales_totals t \
             where tenant_id = $1 and dimension = 'CUSTOMER' and version > $2",
        )
        .bind(tenant.uuid())
        .bind(self.version)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        for (customer, totals) in totals {
            let days = sqlx::query_as(
                "select currency, day, (to_jsonb(r) - 'version')::text from sales_rollups r \
                 where tenant_id = $1 and dimension = 'CUSTOMER' and value_id = $2 and currency = 'EUR' order by day",
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

    /// Customers, new and returning customers of a range, from the counts alone.
    fn customers(&self, currency: &str, from: NaiveDate, to: NaiveDate) -> [i64; 3] {
        let within = |kind: &str, holds: &dyn Fn(NaiveDate, Option<NaiveDate>) -> bool| -> i64 {
            self.counts
                .iter()
                .filter(|((of, in_currency, day, other), _)| {
                    of == kind && in_currency == currency && holds(*day, *other)
                })
                .map(|(_, customers)| customers)
                .sum()
        };
        let in_range = |day: NaiveDate| day >= from && day <= to;
        let first = within("FIRST_ORDER", &|day, _| in_range(day));
        let repeat = within("REPEAT_ORDER", &|day, previous| {
            in_range(day) && previous.is_some_and(|previous| previous < from)
        });
        let new = within("FIRST_ORDER", &|day, first_order| {
            day <= to && first_order.is_some_and(|first_order| first_order >= from)
        });
        let only_first = within("SECOND_ORDER", &|day, second_order| {
            in_range(day) && second_order.is_none_or(|second_order| second_order > to)
        });
        [first + repeat, new, first + repeat - only_first]
    }

    /// Compares the customers of every range with those of the model.
    pub(super) fn assert_customers(&self, model: &Model) {
        let placed = model.placed();
        let days: BTreeSet<NaiveDate> = placed.iter().map(|order| order.day).collect();
        for currency in ["EUR", "USD"] {
            for &from in &days {
                for &to in days.range(from..) {
                    let expected = expected_customers(&placed, currency, from, to);
                    assert_eq!(
                        self.customers(currency, from, to),
                        expected,
                        "customers, new and returning customers of {from} to {to} in {currency}"
                    );
                }
            }
        }
    }
}

/// Customers, new and returning customers of a range, from the definitions.
fn expected_customers(
    placed: &[PlacedOrder],
    currency: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> [i64; 3] {
    let in_range =
        |order: &&PlacedOrder| order.currency == currency && order.day >= from && order.day <= to;
    let of_range: Vec<_> = placed.iter().filter(in_range).collect();
    let customers: BTreeSet<i64> = of_range.iter().map(|order| order.customer).collect();
    let orders_of = |customer: i64| {
        placed
            .iter()
            .filter(move |order| order.customer == customer)
    };
    let is_new = |customer: &i64| {
        let first_day = orders_of(*customer).map(|order| order.day).min();
        first_day.is_some_and(|day| day >= from)
    };
    let is_returning = |customer: &i64| {
        let first = orders_of(*customer).min_by_key(|order| (order.day, order.at, order.id));
        of_range
            .iter()
            .filter(|order| order.customer == *customer)
            .any(|order| first.is_some_and(|first| first.id != order.id))
    };
    [
        customers.len(),
        customers.iter().filter(|customer| is_new(customer)).count(),
        customers
            .iter()
            .filter(|customer| is_returning(customer))
            .count(),
    ]
    .map(|count| i64::try_from(count).unwrap())
}

/// An order that counts, of a customer.
struct PlacedOrder {
    id: i64,
    currency: String,
    customer: i64,
    day: NaiveDate,
    at: DateTime<Utc>,
}

impl Model {
    fn placed(&self) -> Vec<PlacedOrder> {
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
                Some(PlacedOrder {
                    id: header.id.number(),
                    currency: header.currency.code().to_owned(),
                    customer: header.customer?.number(),
                    day: berlin_day(header.processed_at),
                    at: header.processed_at,
                })
            })
            .collect()
    }
}

//! A listener who keeps a store's figures in memory, and brings them from version to version by what is told of the
//! changes alone, as long as each is told.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use xboard::db::TenantTx;
use xboard::db::changes::StoreChange;
use xboard::db::customers::CustomerRow;
use xboard::db::live::{Heard, Listener, News};
use xboard::db::orders::OrderRow;
use xboard::domain::calendar::DayRange;
use xboard::domain::day_book::DayBook;
use xboard::domain::ids::{CustomerId, OrderId, TenantId};

use crate::support::TestDatabase;

/// What is known of a store.
#[derive(Debug, PartialEq)]
struct Known {
    version: i64,
    total_customers: Option<i64>,
    book: Vec<u8>,
    /// What each came to in some range, and their orders.
    spending: BTreeMap<CustomerId, (Decimal, i64)>,
    customers: BTreeMap<CustomerId, CustomerRow>,
    orders: BTreeMap<OrderId, OrderRow>,
}

pub(super) struct Listening {
    listener: Listener,
    tenant: TenantId,
    range: DayRange,
    known: Option<(Known, DayBook)>,
    /// How many changes were told.
    pub(super) told: usize,
}

impl Listening {
    pub(super) async fn to(
        database: &TestDatabase,
        tenant: TenantId,
        first_day: NaiveDate,
    ) -> Self {
        let last_day = first_day + chrono::TimeDelta::days(20);
        Self {
            listener: database.db().listen().await.unwrap(),
            tenant,
            range: DayRange::new(first_day, last_day).unwrap(),
            known: None,
            told: 0,
        }
    }

    /// Hears what was said of the store, and compares what it made of it with what there is.
    pub(super) async fn catch_up(&mut self, database: &TestDatabase) {
        let mut snapshot = database.db().tenant_snapshot(self.tenant).await.unwrap();
        let version = snapshot.shop().await.unwrap().unwrap().data_version;
        let mut heard = self
            .known
            .as_ref()
            .map_or(version, |(known, _)| known.version);
        while heard < version {
            let next = tokio::time::timeout(Duration::from_secs(30), self.listener.next());
            let Ok(news) = next.await else {
                panic!("a change was not told");
            };
            if let Heard::News(tenant, News::Store { version, .. }, change) = news.unwrap()
                && tenant == self.tenant
                && version > heard
            {
                assert_eq!(version, heard + 1);
                heard = version;
                match change {
                    Some(change) if self.known.is_some() => self.change(&change),
                    _ => self.known = None,
                }
            }
        }
        let (now, book) = self.read(&mut snapshot).await;
        if let Some((known, _)) = &self.known {
            assert_eq!(*known, now, "what was told is not what there is");
        }
        self.known = Some((now, book));
    }

    fn change(&mut self, change: &StoreChange) {
        self.told += 1;
        let Some((known, book)) = &mut self.known else {
            return;
        };
        known.version += 1;
        known.total_customers = change.total_customers();
        let currency = book.currency().clone();
        book.change(known.version, change.days(&currency));
        known.book = book.to_bytes();
        for spent in change.spending_in(self.range) {
            let spending = (spent.total_spent.normalize(), spent.orders);
            known.spending.insert(spent.customer, spending);
        }
        known
            .spending
            .retain(|_, (total, orders)| *orders > 0 || *total > Decimal::ZERO);
        known
            .customers
            .extend(change.customers().map(|row| (row.id, row)));
        known
            .orders
            .extend(change.orders().map(|row| (row.id, row)));
    }

    async fn read(&self, snapshot: &mut TenantTx) -> (Known, DayBook) {
        let shop = snapshot.shop().await.unwrap().unwrap();
        let mut book = DayBook::new(shop.currency.clone());
        let reading = snapshot.read_day_book(&mut book, shop.data_version);
        reading.await.unwrap();
        let spending = snapshot.top_customers_of_range(&shop.currency, self.range, 1_000);
        let spending = spending.await.unwrap().into_iter();
        let spending = spending.map(|spent| {
            (
                spent.customer,
                (spent.total_spent.normalize(), spent.orders),
            )
        });
        let customers: Vec<_> = (0..100).map(CustomerId::new).collect();
        let customers = snapshot.customers_by_id(&customers).await.unwrap();
        let orders: Vec<_> = (1_000..1_100).map(OrderId::new).collect();
        let orders = snapshot.orders_by_id(&orders).await.unwrap();
        let known = Known {
            version: shop.data_version,
            total_customers: shop.customers,
            book: book.to_bytes(),
            spending: spending.collect(),
            customers: customers.into_iter().map(|row| (row.id, row)).collect(),
            orders: orders.into_iter().map(|row| (row.id, row)).collect(),
        };
        (known, book)
    }
}

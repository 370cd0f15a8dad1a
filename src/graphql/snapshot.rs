//! The one moment that all fields of an operation are read at: a single REPEATABLE READ transaction, opened when the
//! first resolver asks and shared by the others. It is the only connection that an operation holds, so operations
//! cannot wait for each other's second one.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::error::ApiError;
use super::memory::{Edition, Known, Memory};
use crate::db::shops::Shop;
use crate::db::{Database, SystemTx, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::clock::Clock;
use crate::domain::day_book::DayBook;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::money::{Currency, Money};
use crate::domain::principal::Role;
use crate::domain::ranking::RankedCustomer;

/// What figures of a store depend on, read once per operation.
#[derive(Debug)]
pub struct ShopContext {
    /// What its figures are counted in.
    pub currency: Currency,
    /// The IANA zone of its days.
    pub time_zone: String,
    /// The present day there.
    pub today: NaiveDate,
    /// Everything else that is known of the store.
    pub row: Shop,
}

impl ShopContext {
    /// An amount in the store's currency.
    #[must_use]
    pub fn money(&self, amount: rust_decimal::Decimal) -> Money {
        Money::new(amount, self.currency.clone())
    }
}

#[derive(Debug)]
struct Open {
    transaction: TenantTx,
    shop: Arc<ShopContext>,
    edition: Edition,
    memory: Memory,
}

/// What is known of a user outside any store.
#[derive(Debug)]
pub struct Account {
    /// The email address to sign in with.
    pub email: String,
    /// The stores, with the role in each, the longest-standing first.
    pub memberships: Vec<(TenantId, Role)>,
}

async fn read_account(system: &mut SystemTx, user: UserId) -> Result<Option<Account>, ApiError> {
    let Some(email) = system.user_email(user).await? else {
        return Ok(None);
    };
    let memberships = system.memberships_of(user).await?;
    Ok(Some(Account { email, memberships }))
}

/// The snapshot of an operation, open or not. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    database: Database,
    clock: Clock,
    memory: Memory,
    open: Arc<Mutex<Option<Open>>>,
    seen: Arc<OnceLock<Known>>,
}

/// A turn at the snapshot.
#[derive(Debug)]
pub struct Reading {
    open: OwnedMappedMutexGuard<Option<Open>, Open>,
}

impl Reading {
    /// The transaction, to read from.
    pub fn transaction(&mut self) -> &mut TenantTx {
        &mut self.open.transaction
    }

    /// Asks the store's figures by day.
    pub(super) async fn ask_book<T>(
        &mut self,
        question: impl FnOnce(&DayBook) -> T,
    ) -> Result<T, ApiError> {
        let open = &mut *self.open;
        let asked = open
            .memory
            .ask_book(&mut open.transaction, &open.edition, question);
        Ok(asked.await?)
    }

    /// The instants at which days begin in the store's time zone, in the order of the days.
    pub(super) async fn day_starts(
        &mut self,
        days: &[NaiveDate],
    ) -> Result<Vec<DateTime<Utc>>, ApiError> {
        let open = &mut *self.open;
        let (memory, zone) = (&open.memory, &open.shop.time_zone);
        let starts = memory.day_starts(&mut open.transaction, &open.edition, zone, days);
        Ok(starts.await?)
    }

    /// The first of those who spent most in a range.
    pub(super) async fn top_customers(
        &mut self,
        range: DayRange,
        count: usize,
    ) -> Result<Vec<RankedCustomer>, ApiError> {
        let open = &mut *self.open;
        let memory = &open.memory;
        let first = memory.top_customers(&mut open.transaction, &open.edition, range, count);
        Ok(first.await?)
    }

    /// The store that is being read.
    #[must_use]
    pub fn shop(&self) -> Arc<ShopContext> {
        Arc::clone(&self.open.shop)
    }
}

impl Snapshot {
    pub(super) fn new(database: Database, clock: Clock, memory: Memory) -> Self {
        Self {
            database,
            clock,
            memory,
            open: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// What the store was found to be when the snapshot was first opened, once it was.
    pub(super) fn seen(&self) -> Arc<OnceLock<Known>> {
        Arc::clone(&self.seen)
    }

    pub(super) async fn enter(&self, tenant: TenantId) -> Result<Reading, ApiError> {
        let mut open = Arc::clone(&self.open).lock_owned().await;
        let there = open
            .as_ref()
            .is_some_and(|open| open.transaction.tenant() == tenant);
        if !there {
            // Before the snapshot is taken: a change that comes after it is heard of.
            let lesson = self.memory.lesson(tenant);
            let transaction = match open.take() {
                Some(open) => {
                    let system = open.transaction.into_system().await?;
                    system.into_tenant(tenant).await?
                }
                None => self.database.operation_snapshot(tenant).await?,
            };
            let (found, known) = self.look_around(transaction).await?;
            if let Some(lesson) = lesson {
                self.memory.learn(lesson, known.clone());
            }
            self.seen.get_or_init(|| known);
            *open = Some(found);
        }
        OwnedMutexGuard::try_map(open, Option::as_mut)
            .map(|open| Reading { open })
            .map_err(|_| ApiError::internal(&"the snapshot is gone"))
    }

    async fn look_around(&self, mut transaction: TenantTx) -> Result<(Open, Known), ApiError> {
        let row = transaction.shop().await?.ok_or(ApiError::NotFound)?;
        let day = self
            .memory
            .present_day(&mut transaction, &row.time_zone, self.clock.now())
            .await?;
        let known = Known {
            version: row.data_version,
            today: day.today,
            day: day.starts..day.ends,
        };
        let edition = Edition::of(&row);
        let shop = Arc::new(ShopContext {
            currency: row.currency.clone(),
            time_zone: row.time_zone.clone(),
            today: day.today,
            row,
        });
        let open = Open {
            transaction,
            shop,
            edition,
            memory: self.memory.clone(),
        };
        Ok((open, known))
    }

    pub(super) async fn account(&self, user: UserId) -> Result<Option<Account>, ApiError> {
        self.over_accounts(async |system| read_account(system, user).await)
            .await
    }

    /// Reads what lies outside of any store: in the snapshot where one is open, so that an operation never
    /// holds two connections.
    pub(super) async fn over_accounts<T>(
        &self,
        read: impl AsyncFnOnce(&mut SystemTx) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut open = self.open.lock().await;
        let Some(there) = open.take() else {
            return read(&mut self.database.system().await?).await;
        };
        let tenant = there.transaction.tenant();
        let mut system = there.transaction.into_system().await?;
        let found = read(&mut system).await?;
        let transaction = system.into_tenant(tenant).await?;
        *open = Some(Open {
            transaction,
            ..there
        });
        Ok(found)
    }

    pub(super) async fn close(&self) {
        self.open.lock().await.take();
    }
}

//! The one moment that all fields of an operation are read at. A query about figures as a rule asks for what the
//! process remembers of the store as it is now, or else for what its news hold, which are read in one exchange with the
//! database. Everything else is read in a single
//! REPEATABLE READ transaction, opened when the first resolver asks and shared by the others. It is the only
//! connection that an operation holds, so operations cannot wait for each other's second one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::error::ApiError;
use super::memory::{Edition, Known, Memory, Rows};
use crate::db::customers::CustomerRow;
use crate::db::news::{News, Remembered};
use crate::db::operation::{Foresight, OperationTx};
use crate::db::orders::OrderRow;
use crate::db::shops::{PresentDay, Shop};
use crate::db::{Database, SystemTx, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::clock::Clock;
use crate::domain::day_book::DayBook;
use crate::domain::ids::{CustomerId, TenantId, UserId};
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
    operation: OperationTx,
    shop: Arc<ShopContext>,
    edition: Edition,
    memory: Memory,
    /// What was read of it, or remembered, before anything was asked.
    rows: Arc<Rows>,
    /// The customers that were read since.
    customers: HashMap<CustomerId, CustomerRow>,
}

impl Open {
    fn customer(&self, id: CustomerId) -> Option<&CustomerRow> {
        self.rows.customer(id).or_else(|| self.customers.get(&id))
    }
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
    /// Whether to begin with the news, without a transaction.
    foresees: Arc<AtomicBool>,
    foresight: Arc<Foresight>,
}

/// A turn at the snapshot.
#[derive(Debug)]
pub struct Reading {
    open: OwnedMappedMutexGuard<Option<Open>, Open>,
}

impl Reading {
    /// The transaction, to read from.
    pub async fn transaction(&mut self) -> Result<&mut TenantTx, ApiError> {
        Ok(self.open.operation.transaction().await?)
    }

    /// Asks the store's figures by day.
    pub(super) async fn ask_book<T>(
        &mut self,
        question: impl FnOnce(&DayBook) -> T,
    ) -> Result<T, ApiError> {
        let open = &mut *self.open;
        let asked = open
            .memory
            .ask_book(&mut open.operation, &open.edition, question);
        Ok(asked.await?)
    }

    /// The instants at which days begin in the store's time zone, in the order of the days.
    pub(super) async fn day_starts(
        &mut self,
        days: &[NaiveDate],
    ) -> Result<Vec<DateTime<Utc>>, ApiError> {
        let open = &mut *self.open;
        let (memory, zone) = (&open.memory, &open.shop.time_zone);
        let starts = memory.day_starts(&mut open.operation, &open.edition, zone, days);
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
        let first = memory.top_customers(&mut open.operation, &open.edition, range, count);
        Ok(first.await?)
    }

    /// Customers by id, deleted ones included; those that never were are left out. The next operation as a rule asks for
    /// the same: they will be among the news.
    pub(super) async fn customers(
        &mut self,
        ids: &[CustomerId],
    ) -> Result<Vec<CustomerRow>, ApiError> {
        let open = &mut *self.open;
        let tenant = open.operation.tenant();
        open.memory.note_customers(tenant, &open.edition, ids);
        let mut missing = ids.to_vec();
        missing.retain(|id| open.customer(*id).is_none());
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let transaction = open.operation.transaction().await?;
            let rows = transaction.customers_by_id(&missing).await?;
            let rows = rows.into_iter().map(|row| (row.id, row));
            open.customers.extend(rows);
        }
        let rows = ids.iter().filter_map(|id| open.customer(*id));
        Ok(rows.cloned().collect())
    }

    /// So many of the newest orders, where they were among the news. They will be next time.
    pub(super) fn newest_orders(&self, count: i64) -> Option<Vec<OrderRow>> {
        let open = &*self.open;
        let tenant = open.operation.tenant();
        open.memory.note_newest_orders(tenant, &open.edition, count);
        let wanted = usize::try_from(count).ok()?;
        open.rows.newest_orders(wanted).map(<[_]>::to_vec)
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
            foresees: Arc::default(),
            foresight: Arc::default(),
        }
    }

    /// Has the snapshot begin with the news.
    pub(super) fn foresee(&self) {
        self.foresees.store(true, Ordering::Relaxed);
    }

    /// How far that went.
    pub(super) fn foresight(&self) -> Arc<Foresight> {
        Arc::clone(&self.foresight)
    }

    /// What the store was found to be when the snapshot was first opened, once it was.
    pub(super) fn seen(&self) -> Arc<OnceLock<Known>> {
        Arc::clone(&self.seen)
    }

    pub(super) async fn enter(&self, tenant: TenantId) -> Result<Reading, ApiError> {
        let mut open = Arc::clone(&self.open).lock_owned().await;
        let there = open
            .as_ref()
            .is_some_and(|open| open.operation.tenant() == tenant);
        if !there {
            // Before the snapshot is taken: a change that comes after it is heard of.
            let lesson = self.memory.lesson(tenant);
            let (found, known) = match open.take() {
                Some(open) => {
                    let system = open.operation.into_system().await?;
                    self.look_around(system.into_tenant(tenant).await?).await?
                }
                None => {
                    if let Some(found) = self.look_ahead(tenant).await? {
                        found
                    } else {
                        let transaction = self.database.operation_snapshot(tenant).await?;
                        self.look_around(transaction).await?
                    }
                }
            };
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

    /// Begins with what is at hand of the store, or else with its news, where something of it is remembered.
    async fn look_ahead(&self, tenant: TenantId) -> Result<Option<(Open, Known)>, ApiError> {
        if !self.foresees.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let rows = if let Some(rows) = self.memory.at_hand(tenant).await {
            rows
        } else {
            let Some(remembered) = self.memory.remembered(tenant) else {
                return Ok(None);
            };
            let news = self.database.store_news(tenant, &remembered).await?;
            let (shop, news) = news.ok_or(ApiError::NotFound)?;
            self.learn(tenant, shop, &remembered, news).await
        };
        let Some(day) = self
            .memory
            .known_day(&rows.shop.time_zone, self.clock.now())
        else {
            return Ok(None);
        };
        let database = self.database.clone();
        let operation = OperationTx::foreseen(database, tenant, rows.version(), self.foresight());
        Ok(Some(self.found(operation, rows, day)))
    }

    /// Remembers what was read.
    async fn learn(
        &self,
        tenant: TenantId,
        shop: Shop,
        remembered: &Remembered,
        mut news: News,
    ) -> Arc<Rows> {
        let rows = Arc::new(Rows::of_news(shop, remembered, &mut news));
        let edition = Edition::of(&rows.shop);
        self.memory
            .learn_news(tenant, &edition, remembered, news)
            .await;
        self.memory.keep_rows(tenant, Arc::clone(&rows));
        rows
    }

    /// Begins in a transaction.
    async fn look_around(&self, mut transaction: TenantTx) -> Result<(Open, Known), ApiError> {
        let tenant = transaction.tenant();
        let rows = if let Some(remembered) = self.memory.remembered(tenant) {
            let news = transaction.store_news(&remembered).await?;
            let (shop, news) = news.ok_or(ApiError::NotFound)?;
            self.learn(tenant, shop, &remembered, news).await
        } else {
            let shop = transaction.shop().await?.ok_or(ApiError::NotFound)?;
            Arc::new(Rows::of_store(shop))
        };
        let day = self
            .memory
            .present_day(&mut transaction, &rows.shop.time_zone, self.clock.now())
            .await?;
        let operation = OperationTx::open(self.database.clone(), transaction);
        Ok(self.found(operation, rows, day))
    }

    fn found(&self, operation: OperationTx, rows: Arc<Rows>, day: PresentDay) -> (Open, Known) {
        let known = Known {
            version: rows.version(),
            today: day.today,
            day: day.starts..day.ends,
        };
        let shop = Arc::new(ShopContext {
            currency: rows.shop.currency.clone(),
            time_zone: rows.shop.time_zone.clone(),
            today: day.today,
            row: rows.shop.clone(),
        });
        let open = Open {
            operation,
            shop,
            edition: Edition::of(&rows.shop),
            memory: self.memory.clone(),
            rows,
            customers: HashMap::new(),
        };
        (open, known)
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
        // What holds no transaction stays as it is.
        let Some(there) = open.take_if(|open| open.operation.is_open()) else {
            return read(&mut self.database.system().await?).await;
        };
        let tenant = there.operation.tenant();
        let mut system = there.operation.into_system().await?;
        let found = read(&mut system).await?;
        let transaction = system.into_tenant(tenant).await?;
        *open = Some(Open {
            operation: OperationTx::open(self.database.clone(), transaction),
            ..there
        });
        Ok(found)
    }

    pub(super) async fn close(&self) {
        self.open.lock().await.take();
    }
}

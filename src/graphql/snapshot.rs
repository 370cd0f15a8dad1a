//! The one moment that all fields of an operation are read at: a single REPEATABLE READ transaction, opened when the
//! first resolver asks and shared by the others. It is the only connection that an operation holds, so operations
//! cannot wait for each other's second one.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::error::ApiError;
use super::memory::{Edition, Known, Memory};
use crate::db::accounts::Account;
use crate::db::shops::Shop;
use crate::db::{Database, SystemTx, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::clock::Clock;
use crate::domain::day_book::DayBook;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::money::{Currency, Money};
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

/// The tenant that an operation is reading.
#[derive(Debug)]
struct OpenTenant {
    transaction: TenantTx,
    shop: Arc<ShopContext>,
    edition: Edition,
    memory: Memory,
}

/// The one transaction of an operation. It changes its role only when the next statement needs another one.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Closed,
    System(SystemTx),
    Tenant(OpenTenant),
}

impl Open {
    const fn tenant(&mut self) -> Option<&mut OpenTenant> {
        match self {
            Self::Tenant(open) => Some(open),
            Self::Closed | Self::System(_) => None,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    open: Open,
    /// The user's account, once it was read.
    account: Option<(UserId, Option<Arc<Account>>)>,
}

/// The snapshot of an operation, open or not. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    database: Database,
    clock: Clock,
    memory: Memory,
    state: Arc<Mutex<State>>,
    seen: Arc<OnceLock<Known>>,
}

/// A turn at the snapshot.
#[derive(Debug)]
pub struct Reading {
    open: OwnedMappedMutexGuard<State, OpenTenant>,
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
            state: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// What the store was found to be when the snapshot was first opened, once it was.
    pub(super) fn seen(&self) -> Arc<OnceLock<Known>> {
        Arc::clone(&self.seen)
    }

    pub(super) async fn enter(&self, tenant: TenantId) -> Result<Reading, ApiError> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let is_open = state
            .open
            .tenant()
            .is_some_and(|open| open.transaction.tenant() == tenant);
        if !is_open {
            let found = match std::mem::take(&mut state.open) {
                Open::Closed => {
                    // Before the snapshot begins, so that a later change invalidates what is cached here.
                    let lesson = self.memory.lesson(tenant);
                    let transaction = self.database.operation_snapshot(tenant).await?;
                    let (found, known) = self.look_around(transaction).await?;
                    if let Some(lesson) = lesson {
                        self.memory.learn(lesson, known.clone());
                    }
                    self.seen.get_or_init(|| known);
                    found
                }
                Open::System(system) => {
                    self.look_around(system.into_tenant(tenant).await?).await?.0
                }
                Open::Tenant(open) => {
                    let system = open.transaction.into_system().await?;
                    self.look_around(system.into_tenant(tenant).await?).await?.0
                }
            };
            state.open = Open::Tenant(found);
        }
        OwnedMutexGuard::try_map(state, |state| state.open.tenant())
            .map(|open| Reading { open })
            .map_err(|_| ApiError::internal(&"the read snapshot was closed"))
    }

    async fn look_around(
        &self,
        mut transaction: TenantTx,
    ) -> Result<(OpenTenant, Known), ApiError> {
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
        let open = OpenTenant {
            transaction,
            shop,
            edition,
            memory: self.memory.clone(),
        };
        Ok((open, known))
    }

    pub(super) async fn account(&self, user: UserId) -> Result<Option<Arc<Account>>, ApiError> {
        let mut state = self.state.lock().await;
        if let Some((_, account)) = state.account.as_ref().filter(|(of, _)| *of == user) {
            return Ok(account.clone());
        }
        let account = self
            .as_system(&mut state, async |system| Ok(system.account(user).await?))
            .await?
            .map(Arc::new);
        state.account = Some((user, account.clone()));
        Ok(account)
    }

    /// Reads accounts and the directory of shops, in the operation's one transaction.
    pub(super) async fn over_accounts<T>(
        &self,
        read: impl AsyncFnOnce(&mut SystemTx) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.as_system(&mut *self.state.lock().await, read).await
    }

    async fn as_system<T>(
        &self,
        state: &mut State,
        read: impl AsyncFnOnce(&mut SystemTx) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut system = match std::mem::take(&mut state.open) {
            Open::Closed => self.database.system_snapshot().await?,
            Open::System(system) => system,
            Open::Tenant(open) => open.transaction.into_system().await?,
        };
        let found = read(&mut system).await?;
        state.open = Open::System(system);
        Ok(found)
    }

    pub(super) async fn close(&self) {
        *self.state.lock().await = State::default();
    }
}

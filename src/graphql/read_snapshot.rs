//! The snapshot that all fields of an operation read: one REPEATABLE READ, read-only transaction. The first resolver
//! that needs it opens it. An operation uses no other connection, so operations never wait for each other's second
//! connection. A resolver that needs the account switches the transaction to the system role and back. A snapshot
//! never changes its tenant.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::error::ApiError;
use crate::cache::{Caches, DataVersion, ShopState};
use crate::db::accounts::Account;
use crate::db::shops::Shop;
use crate::db::{Database, SystemTx, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::clock::Clock;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::money::{Currency, Money};
use crate::domain::ranking::RankedCustomer;
use crate::domain::sales_timeline::SalesTimeline;

/// The shop of a snapshot, with the currency, time zone and day that its figures depend on.
#[derive(Debug)]
pub struct ShopContext {
    /// The currency of the figures.
    pub currency: Currency,
    /// The IANA time zone of the shop's days.
    pub time_zone: String,
    /// The present day in the time zone.
    pub today: NaiveDate,
    /// The shop's record.
    pub row: Shop,
}

impl ShopContext {
    /// An amount in the shop's currency.
    #[must_use]
    pub fn money(&self, amount: rust_decimal::Decimal) -> Money {
        Money::new(amount, self.currency.clone())
    }
}

/// The values that were read when the snapshot of a tenant was opened.
#[derive(Clone, Debug)]
struct OpenedTenant {
    tenant: TenantId,
    shop: Arc<ShopContext>,
    version: DataVersion,
    state: ShopState,
}

#[derive(Debug)]
struct OpenTenant {
    transaction: TenantTx,
    opened: OpenedTenant,
    caches: Caches,
}

/// The transaction of an operation.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Tenant(Box<OpenTenant>),
    /// The transaction in the system role, and the tenant that it showed before.
    System(Box<SystemTx>, Option<OpenedTenant>),
}

#[derive(Debug, Default)]
struct State {
    open: Open,
    /// The account of the operation's user, read once.
    account: Option<(UserId, Option<Arc<Account>>)>,
}

/// The read snapshot of one operation. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct ReadSession {
    database: Database,
    clock: Clock,
    caches: Caches,
    state: Arc<Mutex<State>>,
    shop_state: Arc<OnceLock<ShopState>>,
}

/// Exclusive access to the snapshot of a tenant. Other resolvers of the operation wait until it is dropped.
#[derive(Debug)]
pub struct ReadSnapshot {
    open: OwnedMappedMutexGuard<State, OpenTenant>,
}

impl ReadSnapshot {
    /// The transaction.
    pub fn transaction(&mut self) -> &mut TenantTx {
        &mut self.open.transaction
    }

    /// The shop in this snapshot.
    #[must_use]
    pub fn shop(&self) -> Arc<ShopContext> {
        Arc::clone(&self.open.opened.shop)
    }

    /// Queries the shop's sales timeline.
    pub(super) async fn query_timeline<T>(
        &mut self,
        query: impl FnOnce(&SalesTimeline) -> T,
    ) -> Result<T, ApiError> {
        let open = &mut *self.open;
        let version = &open.opened.version;
        let caches = &open.caches;
        let queried = caches.query_timeline(&mut open.transaction, version, query);
        Ok(queried.await?)
    }

    /// The instants at which days begin in the shop's time zone, in the order of the days.
    pub(super) async fn day_starts(
        &mut self,
        days: &[NaiveDate],
    ) -> Result<Vec<DateTime<Utc>>, ApiError> {
        let open = &mut *self.open;
        let OpenedTenant { version, shop, .. } = &open.opened;
        let caches = &open.caches;
        let starts = caches.day_starts(&mut open.transaction, version, &shop.time_zone, days);
        Ok(starts.await?)
    }

    /// The customers with the highest sales in a range.
    pub(super) async fn top_customers(
        &mut self,
        range: DayRange,
        count: usize,
    ) -> Result<Vec<RankedCustomer>, ApiError> {
        let open = &mut *self.open;
        let version = &open.opened.version;
        let caches = &open.caches;
        let first = caches.top_customers(&mut open.transaction, version, range, count);
        Ok(first.await?)
    }
}

impl ReadSession {
    pub(super) fn new(database: Database, clock: Clock, caches: Caches) -> Self {
        Self {
            database,
            clock,
            caches,
            state: Arc::default(),
            shop_state: Arc::default(),
        }
    }

    /// The data version and local day of the first snapshot. Empty until the snapshot is open.
    pub(super) fn shop_state(&self) -> Arc<OnceLock<ShopState>> {
        Arc::clone(&self.shop_state)
    }

    /// The snapshot of a tenant.
    pub(super) async fn for_tenant(&self, tenant: TenantId) -> Result<ReadSnapshot, ApiError> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let open = match std::mem::take(&mut state.open) {
            Open::Tenant(open) if open.opened.tenant == tenant => open,
            Open::System(system, Some(opened)) if opened.tenant == tenant => Box::new(OpenTenant {
                transaction: system.into_tenant(tenant).await?,
                opened,
                caches: self.caches.clone(),
            }),
            Open::System(system, None) => {
                // This transaction may have begun before an event that the caches missed. Its results are therefore
                // not stored in the caches.
                Box::new(self.read_shop(system.into_tenant(tenant).await?).await?)
            }
            // The snapshot of another tenant ends first, because an operation holds only one connection.
            Open::Nothing | Open::Tenant(_) | Open::System(_, Some(_)) => {
                // The fill begins before the snapshot is taken, so that a later event discards it.
                let fill = self.caches.begin_fill(tenant);
                let transaction = self.database.tenant_snapshot(tenant).await?;
                let open = self.read_shop(transaction).await?;
                if let Some(fill) = fill {
                    self.caches.populate(fill, open.opened.state.clone());
                }
                Box::new(open)
            }
        };
        self.shop_state.get_or_init(|| open.opened.state.clone());
        state.open = Open::Tenant(open);
        OwnedMutexGuard::try_map(state, |state| match &mut state.open {
            Open::Tenant(open) => Some(&mut **open),
            Open::Nothing | Open::System(..) => None,
        })
        .map(|open| ReadSnapshot { open })
        .map_err(|_| ApiError::internal(&"the read snapshot was closed"))
    }

    async fn read_shop(&self, mut transaction: TenantTx) -> Result<OpenTenant, ApiError> {
        let row = transaction.shop().await?.ok_or(ApiError::NotFound)?;
        let local_day = self
            .caches
            .local_day(&mut transaction, &row.time_zone, self.clock.now())
            .await?;
        let opened = OpenedTenant {
            tenant: transaction.tenant(),
            version: DataVersion::of(&row),
            state: ShopState {
                version: row.data_version,
                local_day,
            },
            shop: Arc::new(ShopContext {
                currency: row.currency.clone(),
                time_zone: row.time_zone.clone(),
                today: local_day.day,
                row,
            }),
        };
        Ok(OpenTenant {
            transaction,
            opened,
            caches: self.caches.clone(),
        })
    }

    /// A user's account. Read once per operation.
    pub(super) async fn account(&self, user: UserId) -> Result<Option<Arc<Account>>, ApiError> {
        let mut state = self.state.lock().await;
        if let Some((of, account)) = &state.account
            && *of == user
        {
            return Ok(account.clone());
        }
        let system = self.system(&mut state).await?;
        let account = system.account(user).await?.map(Arc::new);
        state.account = Some((user, account.clone()));
        Ok(account)
    }

    /// Reads data that belongs to no tenant, in the same transaction.
    pub(super) async fn in_system<T>(
        &self,
        read: impl AsyncFnOnce(&mut SystemTx) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut state = self.state.lock().await;
        read(self.system(&mut state).await?).await
    }

    async fn system<'a>(&self, state: &'a mut State) -> Result<&'a mut SystemTx, ApiError> {
        state.open = match std::mem::take(&mut state.open) {
            Open::Nothing => Open::System(Box::new(self.database.system_snapshot().await?), None),
            Open::Tenant(open) => {
                let system = open.transaction.into_system().await?;
                Open::System(Box::new(system), Some(open.opened))
            }
            system @ Open::System(..) => system,
        };
        match &mut state.open {
            Open::System(system, _) => Ok(system),
            Open::Nothing | Open::Tenant(_) => {
                Err(ApiError::internal(&"the read snapshot was closed"))
            }
        }
    }

    /// Ends the snapshot. The next read opens a new one.
    pub(super) async fn close(&self) {
        *self.state.lock().await = State::default();
    }
}

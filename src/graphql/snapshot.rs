//! The one moment that all fields of an operation are read at: a single REPEATABLE READ transaction, opened
//! when the first resolver asks and shared by the others. It is the only connection that an operation holds,
//! so operations cannot wait for each other's second one.

use std::sync::Arc;

use chrono::NaiveDate;
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::error::ApiError;
use crate::db::shops::Shop;
use crate::db::{Database, SystemTx, TenantTx};
use crate::domain::clock::Clock;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::money::{Currency, Money};
use crate::domain::principal::Role;

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
}

/// What is known of a user outside any store.
#[derive(Debug)]
pub struct Account {
    /// The address to sign in with.
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
    open: Arc<Mutex<Option<Open>>>,
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

    /// The store that is being read.
    #[must_use]
    pub fn shop(&self) -> Arc<ShopContext> {
        Arc::clone(&self.open.shop)
    }
}

impl Snapshot {
    pub(super) fn new(database: Database, clock: Clock) -> Self {
        Self {
            database,
            clock,
            open: Arc::default(),
        }
    }

    pub(super) async fn enter(&self, tenant: TenantId) -> Result<Reading, ApiError> {
        let mut open = Arc::clone(&self.open).lock_owned().await;
        let there = open
            .as_ref()
            .is_some_and(|open| open.transaction.tenant() == tenant);
        if !there {
            let transaction = match open.take() {
                Some(open) => {
                    let system = open.transaction.into_system().await?;
                    system.into_tenant(tenant).await?
                }
                None => self.database.tenant_snapshot(tenant).await?,
            };
            *open = Some(self.look_around(transaction).await?);
        }
        OwnedMutexGuard::try_map(open, Option::as_mut)
            .map(|open| Reading { open })
            .map_err(|_| ApiError::internal(&"the snapshot is gone"))
    }

    async fn look_around(&self, mut transaction: TenantTx) -> Result<Open, ApiError> {
        let row = transaction.shop().await?.ok_or(ApiError::NotFound)?;
        let today = transaction
            .shop_today(&row.time_zone, self.clock.now())
            .await?;
        let shop = Arc::new(ShopContext {
            currency: row.currency.clone(),
            time_zone: row.time_zone.clone(),
            today,
            row,
        });
        Ok(Open { transaction, shop })
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
        let Some(Open { transaction, shop }) = open.take() else {
            return read(&mut self.database.system().await?).await;
        };
        let tenant = transaction.tenant();
        let mut system = transaction.into_system().await?;
        let found = read(&mut system).await?;
        let transaction = system.into_tenant(tenant).await?;
        *open = Some(Open { transaction, shop });
        Ok(found)
    }

    pub(super) async fn close(&self) {
        self.open.lock().await.take();
    }
}

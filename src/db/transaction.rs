//! The two kinds of transactions. A statement without a condition on the tenant still sees only one tenant's rows: row
//! security limits the role of the transaction to them.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;
use crate::domain::ids::TenantId;

#[expect(clippy::disallowed_types, reason = "db opens transactions")]
pub(super) type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// A transaction of one tenant. Dropped without [`commit`](Self::commit), it is rolled back.
#[derive(Debug)]
pub struct TenantTx {
    transaction: Transaction,
    tenant: TenantId,
    changed_days: BTreeSet<NaiveDate>,
}

impl TenantTx {
    pub(super) async fn enter(mut transaction: Transaction, tenant: TenantId) -> Result<Self> {
        sqlx::query!("select enter_tenant($1)::text as entered", tenant.uuid())
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Self {
            transaction,
            tenant,
            changed_days: BTreeSet::new(),
        })
    }

    /// The tenant of this transaction.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Adds the days of changed orders, for the event of this transaction.
    pub(super) fn note_changed_days(&mut self, days: impl IntoIterator<Item = NaiveDate>) {
        self.changed_days.extend(days);
    }

    /// Removes and returns the added days, in order.
    pub(super) fn take_changed_days(&mut self) -> Vec<NaiveDate> {
        std::mem::take(&mut self.changed_days).into_iter().collect()
    }

    /// Leaves the tenant and switches to the system role, in the same transaction.
    pub async fn into_system(self) -> Result<SystemTx> {
        SystemTx::enter(self.transaction).await
    }

    /// Commits the changes.
    pub async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}

/// A transaction over accounts, the directory of shops and the jobs. It cannot read the data of shops.
#[derive(Debug)]
pub struct SystemTx {
    transaction: Transaction,
}

impl SystemTx {
    pub(super) async fn enter(mut transaction: Transaction) -> Result<Self> {
        sqlx::query!("select enter_system()::text as entered")
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Self::entered(transaction))
    }

    /// Wraps a transaction that already has the system role.
    pub(super) const fn entered(transaction: Transaction) -> Self {
        Self { transaction }
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Commits the changes.
    pub async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }

    /// Switches to one tenant in the same transaction: both parts commit together.
    pub async fn into_tenant(self, tenant: TenantId) -> Result<TenantTx> {
        TenantTx::enter(self.transaction, tenant).await
    }
}

//! The two kinds of transactions. A statement that forgets its tenant still sees only one tenant's rows:
//! the role it runs as is held to them by row security.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;
use crate::domain::ids::TenantId;

#[expect(clippy::disallowed_types, reason = "db opens transactions")]
pub(super) type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// What begins a transaction that only reads, all of it at one moment.
pub(super) const BEGIN_SNAPSHOT: &str = "begin isolation level repeatable read read only";

/// How an operation's next statement is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planning {
    /// Once on each connection, for all values. Right for what reads little, by keys, and often: left to itself
    /// PostgreSQL takes such a plan to be dearer and makes another one each time, which takes several times as
    /// long as reading. A plan that was made while a table was small must not read all of it later, so none does.
    Once,
    /// Each time, for the values at hand. Right where they decide which plan is good, as a list's filter and
    /// length do.
    ForValues,
}

impl Planning {
    pub(super) const fn settings(self) -> &'static str {
        match self {
            Self::Once => {
                "set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off"
            }
            Self::ForValues => "set local plan_cache_mode = auto; set local enable_seqscan = on",
        }
    }
}

/// A transaction inside one store. Dropped without [`commit`](Self::commit), it is rolled back.
#[derive(Debug)]
pub struct TenantTx {
    transaction: Transaction,
    tenant: TenantId,
    changed_days: BTreeSet<NaiveDate>,
    planning: Option<Planning>,
}

impl TenantTx {
    pub(super) async fn enter(mut transaction: Transaction, tenant: TenantId) -> Result<Self> {
        sqlx::query!("select enter_tenant($1)::text as entered", tenant.uuid())
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Self::entered(transaction, tenant))
    }

    /// In a transaction that has entered the store already.
    pub(super) const fn entered(transaction: Transaction, tenant: TenantId) -> Self {
        Self {
            transaction,
            tenant,
            changed_days: BTreeSet::new(),
            planning: None,
        }
    }

    /// In one that began with the settings of a planning, which may change from here on.
    pub(super) const fn planned(mut self, planning: Planning) -> Self {
        self.planning = Some(planning);
        self
    }

    /// Has the next statements planned so. Where no operation of the API is carried out, PostgreSQL decides.
    pub(super) async fn plan(&mut self, planning: Planning) -> Result<()> {
        if self.planning.is_some_and(|present| present != planning) {
            sqlx::raw_sql(planning.settings())
                .execute(self.connection())
                .await?;
            self.planning = Some(planning);
        }
        Ok(())
    }

    /// The store this transaction is in.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Notes that the figures of these days change with this transaction.
    pub(super) fn note_changed_days(&mut self, days: impl IntoIterator<Item = NaiveDate>) {
        self.changed_days.extend(days);
    }

    /// The days that were noted, in order.
    pub(super) fn take_changed_days(&mut self) -> Vec<NaiveDate> {
        std::mem::take(&mut self.changed_days).into_iter().collect()
    }

    /// Steps out of the store and goes on over accounts, in the same transaction and, where it is one, the
    /// same snapshot.
    pub async fn into_system(self) -> Result<SystemTx> {
        SystemTx::enter(self.transaction).await
    }

    /// Makes the changes last.
    pub async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}

/// A transaction over accounts, the directory of stores and the jobs; a store's data is out of its reach.
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

    /// In a transaction that has entered already.
    pub(super) const fn entered(transaction: Transaction) -> Self {
        Self { transaction }
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Makes the changes last.
    pub async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }

    /// Goes on inside one store, in the same transaction: what was done on both sides lasts together.
    pub async fn into_tenant(self, tenant: TenantId) -> Result<TenantTx> {
        TenantTx::enter(self.transaction, tenant).await
    }
}

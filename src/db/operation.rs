//! What an operation of the API reads from. As a rule the news of the store hold all that it asks for, and it needs
//! no transaction; one that asks for more begins one, which shows the same as long as nobody changed the store in
//! between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Database, DbError, Result, SystemTx, TenantTx};
use crate::domain::ids::TenantId;

/// How far what was foreseen of an operation went.
#[derive(Debug, Default)]
pub struct Foresight {
    missed: AtomicBool,
    moved: AtomicBool,
}

impl Foresight {
    /// Whether the operation asked for more than was foreseen.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.missed.load(Ordering::Relaxed)
    }

    /// Whether the store had changed by then: what the operation gives is not of one moment, and it has to be carried
    /// out again.
    #[must_use]
    pub fn moved(&self) -> bool {
        self.moved.load(Ordering::Relaxed)
    }
}

/// A snapshot of a store for one operation, with a transaction or without one so far.
#[derive(Debug)]
pub struct OperationTx {
    database: Database,
    tenant: TenantId,
    transaction: Option<TenantTx>,
    /// The version that was read before, without a transaction.
    foreseen: Option<(i64, Arc<Foresight>)>,
}

impl OperationTx {
    /// In a transaction that shows the store at one moment.
    #[must_use]
    pub const fn open(database: Database, transaction: TenantTx) -> Self {
        Self {
            database,
            tenant: transaction.tenant(),
            transaction: Some(transaction),
            foreseen: None,
        }
    }

    /// Without one so far, after this version of the store's data was read.
    #[must_use]
    pub const fn foreseen(
        database: Database,
        tenant: TenantId,
        version: i64,
        foresight: Arc<Foresight>,
    ) -> Self {
        Self {
            database,
            tenant,
            transaction: None,
            foreseen: Some((version, foresight)),
        }
    }

    /// The store.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Whether it holds a transaction, and with it a connection.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.transaction.is_some()
    }

    /// The transaction, begun by now. [`DbError::Moved`]: it does not show what was read before.
    pub async fn transaction(&mut self) -> Result<&mut TenantTx> {
        match &mut self.transaction {
            Some(transaction) => Ok(transaction),
            none => {
                let mut transaction = self.database.operation_snapshot(self.tenant).await?;
                if let Some((version, foresight)) = &self.foreseen {
                    foresight.missed.store(true, Ordering::Relaxed);
                    if transaction.data_version().await? != Some(*version) {
                        foresight.moved.store(true, Ordering::Relaxed);
                        return Err(DbError::Moved);
                    }
                }
                Ok(none.insert(transaction))
            }
        }
    }

    /// Steps out of the store, in the same transaction where there is one.
    pub async fn into_system(self) -> Result<SystemTx> {
        match self.transaction {
            Some(transaction) => transaction.into_system().await,
            None => self.database.system().await,
        }
    }
}

//! A worker's sign of life, and what it hears while it gives it: that work was queued, or that a bulk operation
//! has ended, whichever process was told so.

use sqlx::PgConnection;
use sqlx::postgres::{PgListener, PgPoolOptions};
use uuid::Uuid;

use super::live::notify;
use super::{Database, Result, SystemTx};

/// Where workers are told.
pub(super) const CHANNEL: &str = "xboard_work";

/// What workers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// There is a job.
    Queued,
    /// A bulk operation of some store has ended.
    BulkFinished,
}

impl Heard {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::BulkFinished => "bulk_finished",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::Queued, Self::BulkFinished]
            .into_iter()
            .find(|heard| heard.text() == text)
    }
}

/// Tells every worker, once the transaction is committed.
pub(super) async fn announce(connection: &mut PgConnection, what: Heard) -> Result<()> {
    notify(connection, CHANNEL, what.text()).await
}

/// A worker's sign of life: a connection of its own that holds an advisory lock of the worker's id. However
/// the process ends, the server sees the connection end, and the lock is free.
#[derive(Debug)]
pub struct Presence {
    listener: PgListener,
}

impl Database {
    /// Says that a worker is there, for as long as the result is kept.
    pub async fn presence(&self, worker: Uuid) -> Result<Presence> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        // Another connection would not hold the lock.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        // Only one who claims a job may hold it meanwhile, for as long as the claim takes.
        sqlx::query!(
            "select pg_advisory_lock(hashtextextended($1::uuid::text, 0))::text as locked",
            worker
        )
        .fetch_one(&mut listener)
        .await?;
        Ok(Presence { listener })
    }
}

impl Presence {
    /// What is told next. `None`: the connection is gone, and the lock with it.
    pub async fn hear(&mut self) -> Result<Option<Heard>> {
        while let Some(told) = self.listener.try_recv().await? {
            // What another version of the program says is not for us.
            if let Some(heard) = Heard::of(told.payload()) {
                return Ok(Some(heard));
            }
        }
        Ok(None)
    }

    /// Fails when the connection is gone, and the lock with it.
    pub async fn confirm(&mut self) -> Result<()> {
        sqlx::query!("select 1 as \"alive!\"")
            .fetch_one(&mut self.listener)
            .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Tells every worker that a bulk operation has ended.
    pub async fn announce_bulk_finished(&mut self) -> Result<()> {
        announce(self.connection(), Heard::BulkFinished).await
    }
}

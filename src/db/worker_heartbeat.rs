//! The heartbeat of a worker: a connection that holds an advisory lock and listens for work. Other processes see that
//! a worker is dead when its lock is free.

use sqlx::PgConnection;
use sqlx::postgres::{PgListener, PgPoolOptions};
use uuid::Uuid;

use super::events::notify;
use super::{Database, Result, SystemTx};

/// The NOTIFY channel of the workers.
const CHANNEL: &str = "xboard_work";

/// A notification to all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerEvent {
    /// A job was queued.
    JobQueued,
    /// Shopify finished a bulk operation of some shop.
    BulkOperationFinished,
}

impl WorkerEvent {
    const fn payload(self) -> &'static str {
        match self {
            Self::JobQueued => "queued",
            Self::BulkOperationFinished => "bulk_finished",
        }
    }

    fn from_payload(payload: &str) -> Option<Self> {
        [Self::JobQueued, Self::BulkOperationFinished]
            .into_iter()
            .find(|event| event.payload() == payload)
    }
}

/// Notifies every worker when the transaction commits.
pub(super) async fn notify_workers(
    connection: &mut PgConnection,
    event: WorkerEvent,
) -> Result<()> {
    notify(connection, CHANNEL, event.payload()).await
}

/// The heartbeat of one worker. The server frees the advisory lock when the connection ends, however the process ends.
#[derive(Debug)]
pub struct WorkerHeartbeat {
    listener: PgListener,
}

impl Database {
    /// Starts the heartbeat of a worker. It lasts until the returned value is dropped or its connection is lost.
    pub async fn worker_heartbeat(&self, worker: Uuid) -> Result<WorkerHeartbeat> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        // A new connection would not hold the lock.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        // `expire_jobs_of_dead_workers` may hold the lock for the length of one transaction.
        sqlx::query!(
            "select pg_advisory_lock(hashtextextended($1::uuid::text, 0))::text as locked",
            worker
        )
        .fetch_one(&mut listener)
        .await?;
        Ok(WorkerHeartbeat { listener })
    }
}

impl WorkerHeartbeat {
    /// The next event. `None`: the connection is lost, and the lock with it.
    pub async fn next_event(&mut self) -> Result<Option<WorkerEvent>> {
        while let Some(notification) = self.listener.try_recv().await? {
            // Another version of the program may send payloads that this one does not read.
            if let Some(event) = WorkerEvent::from_payload(notification.payload()) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Fails when the connection is lost, and the lock with it.
    pub async fn check(&mut self) -> Result<()> {
        sqlx::query!("select 1 as \"alive!\"")
            .fetch_one(&mut self.listener)
            .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Notifies every worker that Shopify finished a bulk operation.
    pub async fn notify_bulk_operation_finished(&mut self) -> Result<()> {
        notify_workers(self.connection(), WorkerEvent::BulkOperationFinished).await
    }
}

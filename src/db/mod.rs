//! Every SQL statement, and the only owner of the connection pools. Statements about the data of a shop go through
//! [`TenantTx`], statements that precede the choice of a tenant through [`SystemTx`]. Each runs as a database role that
//! can do nothing else. The statements are methods on these two types, one file per aggregate.

pub mod accounts;
pub mod audit;
pub mod customers;
pub mod events;
pub mod hours;
pub mod installs;
pub mod invitations;
pub mod jobs;
pub mod keyset;
pub mod line_items;
pub mod maintenance;
pub mod members;
mod migrate;
pub mod orders;
pub mod password_resets;
pub mod privacy;
pub mod products;
pub mod rankings;
pub mod refunds;
mod rls_check;
pub mod sales_timeline;
pub mod schedule;
pub mod sessions;
pub mod shops;
pub mod staging;
pub mod sync_history;
pub mod sync_runs;
pub(crate) mod tasks;
mod timeouts;
mod transaction;
mod upsert;
pub mod verify;
pub mod webhooks;
pub mod worker_heartbeat;

pub use migrate::MIGRATOR;
pub use rls_check::{DIRECTORY, findings};
pub use timeouts::Timeouts;
use transaction::Transaction;
pub use transaction::{SystemTx, TenantTx};
pub use upsert::Upserted;

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::domain::ids::TenantId;

/// An error of the database or of the connection to it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database refused, failed or could not be reached.
    #[error("database: {0}")]
    Sqlx(#[from] sqlx::Error),
    /// The migrations could not be applied.
    #[error("migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Another version of the program created the database. Nothing was changed in it.
    #[error(
        "an incompatible version of XBoard created this database (migration {version} differs); nothing was changed. \
         Use an empty database (DATABASE_URL) or a new data directory (XBOARD_DATA_DIR)"
    )]
    Incompatible {
        /// The first migration that this program does not share with the database.
        version: i64,
    },
    /// The setup of the database would let one tenant read another tenant's rows.
    #[error("unsafe database: {0}")]
    Unsafe(String),
    /// The connection of an event listener has ended.
    #[error("the connection of the event listener was lost")]
    ListenerLost,
    /// A row holds a value that this version of the program cannot read.
    #[error("unreadable row: {0}")]
    Corrupt(String),
}

impl DbError {
    /// Whether a unique constraint was violated. The caller's statement determines which constraint it can be.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sqlx(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Whether a time limit was exceeded: a statement was cancelled, or waited too long for a lock.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.sqlstate()
            .is_some_and(|code| ["57014", "55P03"].contains(&code.as_str()))
    }

    /// Whether the statement refused the value of a parameter.
    fn is_invalid_parameter(&self) -> bool {
        self.sqlstate().is_some_and(|code| code == "22023")
    }

    /// Whether the database is temporarily unavailable: no connection is free, the server is down or shutting down, or
    /// its disk is full. A retry may succeed.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Sqlx(
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::BeginFailed,
            ) => true,
            // Connection exceptions, insufficient resources (a full disk among them), operator intervention, an idle
            // transaction that was ended, and a standby server that is read-only until its promotion.
            _ => self.sqlstate().is_some_and(|code| {
                code.starts_with("08")
                    || code.starts_with("53")
                    || ["57P01", "57P02", "57P03", "25P03", "25006"].contains(&code.as_str())
            }),
        }
    }

    fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Sqlx(sqlx::Error::Database(error)) => {
                error.code().map(std::borrow::Cow::into_owned)
            }
            _ => None,
        }
    }
}

/// The result of every statement.
pub type Result<T, E = DbError> = std::result::Result<T, E>;

/// The only planner setting. A statement of a request takes a fraction of the time that compiling it would take, whatever
/// PostgreSQL estimates.
const PLANNER_SETTINGS: [(&str, &str); 1] = [("jit", "off")];
const BEGIN: &str = "begin";
const BEGIN_SNAPSHOT: &str = "begin isolation level repeatable read read only";
/// A system transaction has no tenant, so its role is set together with its beginning.
const BEGIN_SYSTEM: &str = "begin; select set_config('role', 'xboard_system', true)";
const BEGIN_SYSTEM_SNAPSHOT: &str = "begin isolation level repeatable read read only; \
     select set_config('role', 'xboard_system', true)";
/// How long a request waits for a free connection. Shorter than the wait for a lock: requests are refused before the
/// queue for a connection is as long as the queue for a lock.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// The most connections for jobs.
const MAX_BACKGROUND_CONNECTIONS: u32 = 8;
/// The most connections for the short statements of webhooks.
const MAX_WEBHOOK_CONNECTIONS: u32 = 2;
/// How long a connection may have been idle before it is tested.
const MAX_UNTESTED_IDLE: Duration = Duration::from_millis(500);

/// The database: hands out transactions.
#[derive(Clone)]
#[expect(clippy::disallowed_types, reason = "the one holder of the pool")]
pub struct Database {
    pool: sqlx::PgPool,
    /// For jobs.
    background_pool: sqlx::PgPool,
    /// For the short statement that stores each webhook delivery.
    webhook_pool: sqlx::PgPool,
    options: PgConnectOptions,
}

impl std::fmt::Debug for Database {
    // The options hold the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("connections", &self.pool.size())
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Opens a pool of at most `connections` connections for requests. Nothing is migrated or checked yet.
    pub async fn connect(url: &str, connections: u32) -> Result<Self> {
        Self::connect_with(url, connections, Timeouts::default()).await
    }

    /// Opens a pool with these time-outs for requests.
    pub async fn connect_with(url: &str, connections: u32, timeouts: Timeouts) -> Result<Self> {
        let options: PgConnectOptions = url.parse()?;
        let with = |timeouts: Timeouts| timeouts.apply(&options).options(PLANNER_SETTINGS);
        let pool = |connections| {
            without_ping(PgPoolOptions::new())
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
        };
        let background_pool = pool(connections.min(MAX_BACKGROUND_CONNECTIONS))
            .connect_lazy_with(with(Timeouts::of_jobs()));
        let webhook_pool =
            pool(connections.min(MAX_WEBHOOK_CONNECTIONS)).connect_lazy_with(with(timeouts));
        let pool = pool(connections).connect_with(with(timeouts)).await?;
        Ok(Self {
            pool,
            background_pool,
            webhook_pool,
            options,
        })
    }

    /// The same database through the pool for jobs, so that jobs and requests never wait for each other's connections.
    #[must_use]
    pub fn background(&self) -> Self {
        Self {
            pool: self.background_pool.clone(),
            ..self.clone()
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        sqlx::query_scalar!("select 1 as \"one!\"")
            .fetch_one(&mut *connection)
            .await?;
        Ok(())
    }

    /// A read-only snapshot of one tenant: every statement reads the same moment.
    pub async fn tenant_snapshot(&self, tenant: TenantId) -> Result<TenantTx> {
        TenantTx::enter(begin(&self.pool, BEGIN_SNAPSHOT).await?, tenant).await
    }

    /// A read-only snapshot of accounts and the directory of shops.
    pub async fn system_snapshot(&self) -> Result<SystemTx> {
        Ok(SystemTx::entered(
            begin(&self.pool, BEGIN_SYSTEM_SNAPSHOT).await?,
        ))
    }

    /// A transaction that changes the data of one tenant.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantTx> {
        TenantTx::enter(begin(&self.pool, BEGIN).await?, tenant).await
    }

    /// A transaction of a job, which may take longer than a request.
    pub async fn work(&self, tenant: TenantId) -> Result<TenantTx> {
        TenantTx::enter(begin(&self.background_pool, BEGIN).await?, tenant).await
    }

    /// A transaction over accounts, the directory of shops and the jobs.
    pub async fn system(&self) -> Result<SystemTx> {
        Ok(SystemTx::entered(begin(&self.pool, BEGIN_SYSTEM).await?))
    }

    /// Closes the pools after the statements under way.
    pub async fn close(&self) {
        self.background_pool.close().await;
        self.webhook_pool.close().await;
        self.pool.close().await;
    }
}

/// A pool that tests a connection only after some idle time: a connection that was used a moment ago is alive, or the
/// next statement reports that it is not.
fn without_ping(options: PgPoolOptions) -> PgPoolOptions {
    options
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > MAX_UNTESTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Begins a transaction. Runs to its end even if the caller is cancelled: a cancelled `begin` would leave the connection
/// inside a transaction, and the pool would reuse it.
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the task ends soon; its transaction is rolled back if the caller is gone"
)]
async fn begin(pool: &sqlx::PgPool, statement: &'static str) -> Result<Transaction> {
    let pool = pool.clone();
    let beginning = tokio::spawn(async move { pool.begin_with(statement).await });
    Ok(beginning.await.map_err(|_| sqlx::Error::WorkerCrashed)??)
}

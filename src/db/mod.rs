//! Every SQL statement, and the only holder of the connection pool. What is asked of a store goes through
//! [`TenantTx`], what is asked before a store is known through [`SystemTx`]; each runs as a database role
//! that can do nothing else. The statements are methods on these two, filed by noun.

pub mod accounts;
pub mod audit;
pub mod customers;
pub mod hours;
pub mod installs;
pub mod invitations;
pub mod jobs;
pub mod keyset;
pub mod line_items;
pub mod live;
pub mod maintenance;
pub mod members;
mod migrate;
pub mod orders;
pub mod password_resets;
mod patience;
pub mod privacy;
pub mod products;
pub mod rankings;
pub mod refunds;
mod safety;
pub mod sales_timeline;
pub mod schedule;
pub mod sessions;
pub mod shops;
pub mod staging;
pub mod sync_history;
pub mod sync_runs;
pub(crate) mod tasks;
mod transaction;
mod upsert;
pub mod verify;
pub mod webhooks;
pub mod worker_heartbeat;

pub use migrate::MIGRATOR;
pub use patience::Patience;
use safety::{APP, SYSTEM};
pub use safety::{DIRECTORY, findings};
use transaction::{BEGIN_SNAPSHOT, Planning, Transaction};
pub use transaction::{SystemTx, TenantTx};
pub use upsert::Upserted;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::domain::ids::TenantId;

/// What can go wrong between the program and its database.
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
    /// A setup in which one store's rows could be seen by another.
    #[error("unsafe database: {0}")]
    Unsafe(String),
    /// A row holds what this version of the program cannot read.
    #[error("unreadable row: {0}")]
    Corrupt(String),
}

impl DbError {
    /// Whether a unique key was in the way: which one, the statement that met it knows.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sqlx(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Whether there was an answer coming, but not in time: a statement was cut off, or waited too long for a
    /// lock.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.sqlstate()
            .is_some_and(|code| ["57014", "55P03"].contains(&code.as_str()))
    }

    /// Whether a value is none that the statement could use.
    fn is_invalid_parameter(&self) -> bool {
        self.sqlstate().is_some_and(|code| code == "22023")
    }

    /// Whether the database cannot be used for now: there is no free connection, it is not there or going, or
    /// it has no room left. It is worth asking again.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Sqlx(
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::BeginFailed,
            ) => true,
            // Connection exceptions, too few resources (a full disk among them), an operator's intervention,
            // a transaction that was cut off, and a server that only reads because it is about to take over.
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

/// Shorthand for what every statement returns.
pub type Result<T, E = DbError> = std::result::Result<T, E>;

/// Statements of requests take a fraction of what compiling them would, whatever PostgreSQL expects of them.
const NO_JIT: [(&str, &str); 1] = [("jit", "off")];
/// How long a request waits for a free connection. Less than a lock may be waited for, so that a row of waiters
/// is told to come again before it is as long as the queue of locks.
const ACQUIRE: Duration = Duration::from_secs(3);
/// The most connections for what is worked on behind the requests.
const BEHIND: u32 = 8;
/// The most for the short statements of webhooks. They take turns, and each brings its own memory with it.
const SHORT: u32 = 2;
/// How long a connection may have been idle before it is tested.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);

/// The database: hands out transactions.
#[derive(Clone)]
#[expect(clippy::disallowed_types, reason = "the one holder of the pool")]
pub struct Database {
    pool: sqlx::PgPool,
    /// For what is worked on behind the requests.
    behind: sqlx::PgPool,
    /// For what is done by one short statement for each webhook.
    short: sqlx::PgPool,
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
        Self::connect_with(url, connections, Patience::default()).await
    }

    /// The same for transactions that may take as long as they are given.
    pub async fn connect_with(url: &str, connections: u32, patience: Patience) -> Result<Self> {
        let options: PgConnectOptions = url.parse()?;
        let of_requests = patience.of(&options).options(NO_JIT);
        let pool = |connections| {
            trusting(PgPoolOptions::new())
                .max_connections(connections)
                .acquire_timeout(ACQUIRE)
        };
        let lazy = |most| pool(connections.min(most)).connect_lazy_with(of_requests.clone());
        let (behind, short) = (lazy(BEHIND), lazy(SHORT));
        let pool = pool(connections).connect_with(of_requests).await?;
        Ok(Self {
            pool,
            behind,
            short,
            options,
        })
    }

    /// The same database through the connections that are kept for what is worked on behind the requests: webhooks
    /// and jobs take none of the requests' connections, nor the other way round. They are few, so that one is used
    /// again soon, while it still has its plans and the processor its memory.
    #[must_use]
    pub fn behind_requests(&self) -> Self {
        Self {
            pool: self.behind.clone(),
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

    /// A snapshot of one store: everything read through it is of one moment. Nothing can be written.
    pub async fn tenant_snapshot(&self, tenant: TenantId) -> Result<TenantTx> {
        let transaction = begin(&self.pool, BEGIN_SNAPSHOT, &enter_tenant(tenant)).await?;
        Ok(TenantTx::entered(transaction, tenant))
    }

    /// The same over accounts and the directory of shops. A tenant that is entered from there shows the same moment.
    pub async fn system_snapshot(&self) -> Result<SystemTx> {
        let transaction = begin(&self.pool, BEGIN_SNAPSHOT, &enter_system()).await?;
        Ok(SystemTx::entered(transaction))
    }

    /// The same for an operation of the API, which reads little, by keys, and often.
    pub async fn operation_snapshot(&self, tenant: TenantId) -> Result<TenantTx> {
        let planning = Planning::Once;
        let snapshot = format!("{BEGIN_SNAPSHOT}; {}", planning.settings());
        let transaction = begin(&self.pool, &snapshot, &enter_tenant(tenant)).await?;
        Ok(TenantTx::entered(transaction, tenant).planned(planning))
    }

    /// A transaction that changes one store.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantTx> {
        let transaction = begin(&self.pool, "begin", &enter_tenant(tenant)).await?;
        Ok(TenantTx::entered(transaction, tenant))
    }

    /// The same for a worker, which may take longer over it than a request.
    pub async fn work(&self, tenant: TenantId) -> Result<TenantTx> {
        let transaction = begin(&self.pool, patience::BEGIN_WORK, &enter_tenant(tenant)).await?;
        Ok(TenantTx::entered(transaction, tenant))
    }

    /// A transaction over accounts, the directory of stores and the jobs.
    pub async fn system(&self) -> Result<SystemTx> {
        let transaction = begin(&self.pool, "begin", &enter_system()).await?;
        Ok(SystemTx::entered(transaction))
    }

    /// Closes the pools, waiting for what is under way.
    pub async fn close(&self) {
        self.behind.close().await;
        self.short.close().await;
        self.pool.close().await;
    }
}

/// A pool that tests a connection only when it has not been used for a while: one that was used a moment ago is
/// alive, or the next statement says that it is not.
fn trusting(options: PgPoolOptions) -> PgPoolOptions {
    options
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Begins a transaction and enters what it is about, in one exchange with the database. A caller who gives up in
/// the middle of it would leave the connection inside a transaction that the pool knows nothing of, so it is
/// brought to its end in any case.
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "ends by itself, with the transaction rolled back if nobody waits for it"
)]
async fn begin(pool: &sqlx::PgPool, begin: &str, enter: &str) -> Result<Transaction> {
    let statements = AssertSqlSafe(format!("{begin}; {enter}"));
    let pool = pool.clone();
    let beginning = tokio::spawn(async move { pool.begin_with(statements).await });
    Ok(beginning.await.map_err(|_| sqlx::Error::WorkerCrashed)??)
}

/// What `enter_tenant` of the database does, without its being called. A UUID is safe in a statement as it is.
fn enter_tenant(tenant: TenantId) -> String {
    let tenant = tenant.uuid().hyphenated();
    format!("set local app.tenant_id = '{tenant}'; set local role {APP}")
}

/// The same as `enter_system`.
fn enter_system() -> String {
    format!("set local app.tenant_id = ''; set local role {SYSTEM}")
}

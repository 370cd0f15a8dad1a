//! Every SQL statement, and the only holder of the connection pool. What is asked of a store goes through
//! [`TenantTx`], what is asked before a store is known through [`SystemTx`]; each runs as a database role
//! that can do nothing else. The statements are methods on these two, filed by noun.

pub mod accounts;
pub mod customers;
pub mod embedded;
pub mod jobs;
pub mod keyset;
pub mod line_items;
pub mod live;
mod merge;
pub mod metrics;
pub mod orders;
pub mod presence;
pub mod privacy;
pub mod products;
pub mod refunds;
pub mod series;
pub mod shops;
pub mod staging;
pub mod sync_history;
pub mod sync_runs;
mod transaction;
pub mod upkeep;
pub mod verify;
pub mod webhooks;

pub use merge::Merged;
pub use transaction::{SystemTx, TenantTx};

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

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
    /// A setup in which one store's rows could be seen by another.
    #[error("unsafe database: {0}")]
    Unsafe(String),
    /// The connection that held the staged rows is gone, and they with it: the load starts again.
    #[error("the staged rows were lost with their connection")]
    StagingLost,
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

    /// Whether there was an answer coming, but not in time: no free connection, or a statement cut off.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Sqlx(sqlx::Error::PoolTimedOut) => true,
            Self::Sqlx(sqlx::Error::Database(error)) => error.code().as_deref() == Some("57014"),
            _ => false,
        }
    }
}

/// Shorthand for what every statement returns.
pub type Result<T, E = DbError> = std::result::Result<T, E>;

/// The migrations, embedded.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The database: hands out transactions.
#[derive(Clone, Debug)]
#[expect(clippy::disallowed_types, reason = "the one holder of the pool")]
pub struct Database {
    pool: sqlx::PgPool,
    options: PgConnectOptions,
    idle_loaders: staging::IdleLoaders,
}

impl Database {
    /// Opens a pool of at most `connections` connections. Nothing is migrated or checked yet.
    pub async fn connect(url: &str, connections: u32) -> Result<Self> {
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options.clone())
            .await?;
        Ok(Self {
            pool,
            options,
            idle_loaders: staging::IdleLoaders::default(),
        })
    }

    /// Applies the migrations that are missing, under a lock, so that several processes may start at once.
    pub async fn migrate(&self) -> Result<()> {
        MIGRATOR.run(&self.pool).await?;
        Ok(())
    }

    /// Refuses a setup in which row security does not hold: a role that bypasses it, or a table of a store's
    /// data without a forced policy.
    pub async fn check_row_security(&self) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        let roles = sqlx::query_scalar!(
            "select rolname::text as \"name!\" from pg_roles \
             where rolname in ('xboard_app', 'xboard_system') and (rolsuper or rolbypassrls)"
        )
        .fetch_all(&mut *connection)
        .await?;
        if !roles.is_empty() {
            return Err(DbError::Unsafe(format!(
                "these roles bypass row security: {}",
                roles.join(", ")
            )));
        }
        let tables = sqlx::query_scalar!(
            "select c.relname::text as \"name!\" from pg_class c \
             join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped \
             where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace \
               and not (c.relrowsecurity and c.relforcerowsecurity \
                        and exists (select from pg_policy p where p.polrelid = c.oid))"
        )
        .fetch_all(&mut *connection)
        .await?;
        if !tables.is_empty() {
            return Err(DbError::Unsafe(format!(
                "these tables lack forced row security: {}",
                tables.join(", ")
            )));
        }
        Ok(())
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
        let transaction = self
            .pool
            .begin_with("begin isolation level repeatable read read only")
            .await?;
        TenantTx::enter(transaction, tenant).await
    }

    /// A transaction that changes one store.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantTx> {
        TenantTx::enter(self.pool.begin().await?, tenant).await
    }

    /// A transaction over accounts, the directory of stores and the jobs.
    pub async fn system(&self) -> Result<SystemTx> {
        SystemTx::enter(self.pool.begin().await?).await
    }

    /// Closes the pool, waiting for what is under way.
    pub async fn close(&self) {
        self.idle_loaders.close().await;
        self.pool.close().await;
    }
}

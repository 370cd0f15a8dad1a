//! Applies the migrations, and refuses a database that this program cannot migrate.

use std::time::Duration;

use sqlx::migrate::{AppliedMigration, Migrate as _, MigrateError, Migrator};
use sqlx::{Connection as _, PgConnection};

use super::{Database, DbError, Result, Timeouts};

/// The embedded migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// How long a migration waits for its locks in total.
const MAX_LOCK_WAIT: Duration = Duration::from_mins(10);
/// The pause before the next attempt.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Database {
    /// Applies the missing migrations under a lock, so that several processes can start at once. Migrations of a
    /// newer program are ignored: during a rolling upgrade, a process of this version may restart.
    ///
    /// A database of an incompatible version is refused before anything is changed.
    pub async fn migrate(&self) -> Result<()> {
        let mut migrator = Migrator {
            migrations: MIGRATOR.migrations.clone(),
            ..Migrator::DEFAULT
        };
        migrator.set_ignore_missing(true);
        self.migrate_by(&migrator).await
    }

    /// Applies the missing ones of these migrations. A migration that does not get its locks soon is cancelled
    /// and retried later, so that requests do not queue behind it.
    pub async fn migrate_by(&self, migrator: &Migrator) -> Result<()> {
        let options = Timeouts::of_migrations().apply(&self.options);
        let mut connection = PgConnection::connect_with(&options).await?;
        let mut waited = Duration::ZERO;
        loop {
            let error = match migrate(migrator, &mut connection).await {
                Ok(()) => break,
                Err(error) => error,
            };
            // A failed migration does not release the lock of the migrator.
            connection.close().await.ok();
            if !is_lock_timeout(&error) || waited >= MAX_LOCK_WAIT {
                return Err(error);
            }
            tracing::warn!(error.cause = %error, "a migration could not get its locks and will be retried");
            tokio::time::sleep(RETRY_PAUSE).await;
            waited += RETRY_PAUSE + Timeouts::of_migrations().lock;
            connection = PgConnection::connect_with(&options).await?;
        }
        Ok(connection.close().await?)
    }
}

async fn migrate(migrator: &Migrator, connection: &mut PgConnection) -> Result<()> {
    let applied = applied_migrations(migrator, connection).await?;
    // The migrator finds a changed migration only when it reaches it, after it has applied the missing ones before.
    if let Some(version) = incompatible_version(migrator, &applied) {
        return Err(DbError::Incompatible { version });
    }
    Ok(migrator.run_direct(None, connection, false).await?)
}

async fn applied_migrations(
    migrator: &Migrator,
    connection: &mut PgConnection,
) -> Result<Vec<AppliedMigration>> {
    let applied = connection
        .list_applied_migrations(&migrator.table_name)
        .await;
    match applied {
        Err(error) if has_sqlstate(&error, UNDEFINED_TABLE) => Ok(Vec::new()),
        applied => Ok(applied?),
    }
}

/// The first applied migration that does not belong to this program's history: one whose contents differ, or one
/// that this program lacks although it has a later one.
fn incompatible_version(migrator: &Migrator, applied: &[AppliedMigration]) -> Option<i64> {
    let newest = migrator.iter().map(|migration| migration.version).max();
    applied
        .iter()
        .find(|applied| {
            let own = migrator
                .iter()
                .find(|migration| migration.version == applied.version);
            match own {
                Some(own) => own.checksum != applied.checksum,
                None => Some(applied.version) < newest,
            }
        })
        .map(|applied| applied.version)
}

const UNDEFINED_TABLE: &str = "42P01";
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Whether a migration did not get a lock: of a table, or the one that migrators share.
fn is_lock_timeout(error: &DbError) -> bool {
    matches!(error, DbError::Migrate(error) if has_sqlstate(error, LOCK_NOT_AVAILABLE))
}

fn has_sqlstate(error: &MigrateError, code: &str) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else {
        return false;
    };
    matches!(cause, sqlx::Error::Database(error) if error.code().as_deref() == Some(code))
}

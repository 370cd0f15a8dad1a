//! How long the database may take, by purpose. The server enforces the limits: it cancels a statement whose caller
//! is gone, a wait for a lock, and a transaction that was left open.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// The time-outs of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The longest time for one statement.
    pub statement: Duration,
    /// The longest wait for a lock.
    pub lock: Duration,
    /// The longest pause of a transaction between two statements.
    pub idle: Duration,
}

impl Timeouts {
    /// For requests, of which each may take this long.
    #[must_use]
    pub fn of_requests(longest: Duration) -> Self {
        Self {
            statement: longest.max(Duration::from_secs(1)),
            lock: longest.clamp(Duration::from_secs(1), Duration::from_secs(5)),
            idle: longest.max(Duration::from_secs(1)).saturating_mul(2),
        }
    }

    /// For jobs: syncs, upserts, verification.
    #[must_use]
    pub const fn of_jobs() -> Self {
        Self {
            statement: Duration::from_mins(10),
            lock: Duration::from_mins(1),
            idle: Duration::from_mins(5),
        }
    }

    /// For migrations. A statement may take as long as the table is large. While it waits for a lock, everybody else
    /// waits behind it, so it gives up soon and tries again.
    #[must_use]
    pub const fn of_migrations() -> Self {
        Self {
            statement: Duration::ZERO,
            lock: Duration::from_secs(2),
            idle: Duration::from_mins(5),
        }
    }

    /// The options with these time-outs.
    pub(super) fn apply(self, options: &PgConnectOptions) -> PgConnectOptions {
        let millis = |duration: Duration| duration.as_millis().to_string();
        options.clone().options([
            ("statement_timeout", millis(self.statement)),
            ("lock_timeout", millis(self.lock)),
            ("idle_in_transaction_session_timeout", millis(self.idle)),
        ])
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::of_requests(Duration::from_secs(15))
    }
}

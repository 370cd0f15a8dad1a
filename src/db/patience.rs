//! How long the database may take over a transaction, by what it is for. The server itself gives up: a
//! statement that nobody waits for any more, a lock that does not come, a transaction that was forgotten open.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

/// The time-outs of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The longest that one statement may take.
    pub statement: Duration,
    /// The longest that a statement may wait for a lock.
    pub lock: Duration,
    /// The longest that a transaction may do nothing between two statements.
    pub idle: Duration,
}

/// Begins a transaction of a worker on a connection that is shared with requests.
pub(super) const BEGIN_WORK: &str = "begin; set local statement_timeout = '10min'; \
     set local lock_timeout = '1min'; set local idle_in_transaction_session_timeout = '5min'";

impl Patience {
    /// For requests, of which each may take so long in all.
    #[must_use]
    pub fn of_requests(longest: Duration) -> Self {
        Self {
            statement: longest.max(Duration::from_secs(1)),
            lock: longest.clamp(Duration::from_secs(1), Duration::from_secs(5)),
            idle: longest.max(Duration::from_secs(1)).saturating_mul(2),
        }
    }

    /// For what is worked on behind the requests: syncs, merges, verification.
    #[must_use]
    pub const fn of_work() -> Self {
        Self {
            statement: Duration::from_mins(10),
            lock: Duration::from_mins(1),
            idle: Duration::from_mins(5),
        }
    }

    /// For migrations: a statement may take as long as the table is large, but while it waits for a lock
    /// everybody else waits behind it, so it soon lets them go first and comes again.
    #[must_use]
    pub const fn of_migrations() -> Self {
        Self {
            statement: Duration::ZERO,
            lock: Duration::from_secs(2),
            idle: Duration::from_mins(5),
        }
    }

    /// The options with these time-outs.
    pub(super) fn of(self, options: &PgConnectOptions) -> PgConnectOptions {
        let millis = |duration: Duration| duration.as_millis().to_string();
        options.clone().options([
            ("statement_timeout", millis(self.statement)),
            ("lock_timeout", millis(self.lock)),
            ("idle_in_transaction_session_timeout", millis(self.idle)),
        ])
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::of_requests(Duration::from_secs(15))
    }
}

//! Tasks that others wait for.

use tokio::task::JoinError;

/// What a task gave; where it panicked, so does whoever waits for it.
pub(crate) fn finished<T>(outcome: Result<T, JoinError>) -> T {
    outcome.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

//! Joining tasks.

use tokio::task::JoinError;

/// The result of a task. Resumes the panic of a task that panicked.
pub(crate) fn finished<T>(outcome: Result<T, JoinError>) -> T {
    outcome.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

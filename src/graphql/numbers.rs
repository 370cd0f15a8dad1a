//! Numbers on their way out: counts that fit GraphQL's 32 bits.

use super::error::ApiError;

/// A count as GraphQL's `Int`.
pub(super) fn int(count: i64) -> Result<i32, ApiError> {
    i32::try_from(count).map_err(|_| ApiError::internal(&"a count is beyond 32 bits"))
}

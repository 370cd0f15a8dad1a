//! Conversion of counts to GraphQL's 32-bit `Int`.

use super::error::ApiError;

/// A count as GraphQL's `Int`.
pub(super) fn to_graphql_int(count: i64) -> Result<i32, ApiError> {
    i32::try_from(count).map_err(|_| ApiError::internal(&"a count exceeds 32 bits"))
}

//! Queries.

mod accounts;
mod analytics;
mod audit;
mod lists;
mod members;
mod nodes;
mod privacy;

use async_graphql::MergedObject;

/// All operations that read data. The access token selects the shop; the shop is never an argument.
/// All fields of one operation are read from the same snapshot.
///
/// Errors carry a code in `extensions.code`:
///
/// - `UNAUTHENTICATED`: no valid access token was sent.
/// - `FORBIDDEN`: the user's role does not allow the request.
/// - `BAD_USER_INPUT`: an argument is invalid. `extensions.field` names the argument.
/// - `NOT_FOUND`: the object does not exist.
/// - `LIMIT_EXCEEDED`: the operation is too large. `extensions.limit` names the limit,
///   `extensions.maximum` its value.
/// - `THROTTLED`: the rate limit is exhausted. Retry after `extensions.retryAfterSeconds`.
/// - `TIMEOUT`: the operation took too long.
/// - `UNAVAILABLE`: the service is temporarily unavailable, and nothing was changed. Retry after
///   `extensions.retryAfterSeconds`.
/// - `INTERNAL`: an unexpected error. `extensions.requestId` identifies the request in the log.
///
/// `extensions.cost` contains the cost of the operation.
#[derive(MergedObject, Default)]
pub struct Query(
    accounts::AccountQueries,
    analytics::AnalyticsQueries,
    lists::ListQueries,
    nodes::NodeQueries,
    privacy::PrivacyQueries,
    members::MemberQueries,
    audit::AuditQueries,
);

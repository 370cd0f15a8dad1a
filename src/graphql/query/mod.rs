//! What can be asked.

mod accounts;
mod analytics;
mod audit;
mod lists;
mod members;
mod nodes;
mod privacy;

use async_graphql::MergedObject;

/// Everything that can be read. The store is the one that the token speaks for; it is never an argument. All
/// fields of one operation are read at one and the same moment.
///
/// What fails says why in `extensions.code`: `UNAUTHENTICATED` (no token that holds), `FORBIDDEN` (the role does
/// not allow it), `BAD_USER_INPUT` (`extensions.field` names the argument), `NOT_FOUND`, `LIMIT_EXCEEDED` (one
/// operation asks for too much: `extensions.limit` and `extensions.maximum` say of what), `THROTTLED` (too much
/// in too short a time: wait for `extensions.retryAfterSeconds`), `TIMEOUT`, `UNAVAILABLE` (not for
/// now, and nothing was changed: wait for `extensions.retryAfterSeconds`), and `INTERNAL` (`extensions.requestId` finds it in the log). What an operation cost and what is left is in `extensions.cost`.
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

//! What a shop was asked, for tests and curious people.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts since the shop was made or the counts were last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// All requests to the GraphQL address.
    pub requests: u64,
    /// Requests by the name of their operation.
    pub by_operation: BTreeMap<String, u64>,
    /// Answers by HTTP status.
    pub by_status: BTreeMap<u16, u64>,
    /// Points that executed queries cost.
    pub points: u64,
    /// Answers that said THROTTLED.
    pub throttled: u64,
    /// Requests that a scripted fault met.
    pub faults: u64,
    /// Requests with a token that is not valid.
    pub unauthorized: u64,
    /// Tokens given out.
    pub tokens_issued: u64,
    /// Bulk operations started, by root field.
    pub bulk_started: BTreeMap<String, u64>,
    /// Bulk operations refused.
    pub bulk_refused: u64,
    /// Bulk operations asked to stop.
    pub bulk_cancelled: u64,
    /// Result files asked for.
    pub downloads: u64,
    /// Result files asked for with a `Range`.
    pub downloads_resumed: u64,
    /// Result files asked for with the shop's token: a client that gives its secret away.
    pub downloads_with_token: u64,
    /// Searches that were answered with a warning.
    pub search_warnings: u64,
}

//! Privacy requests.

use async_graphql::{Context, Enum, Object, SimpleObject};

use crate::db::privacy;
use crate::domain;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::permissions::permit;
use crate::graphql::scalars::Instant;

/// The maximum number of requests to list.
const MAX_REQUESTS: i64 = 100;

/// Queries for privacy requests.
#[derive(Default)]
pub(super) struct PrivacyQueries;

#[Object]
impl PrivacyQueries {
    /// The privacy requests of customers that Shopify passed on, newest first, at most 100.
    /// Requires the role owner or admin (`FORBIDDEN`).
    async fn privacy_requests(&self, ctx: &Context<'_>) -> Result<Vec<PrivacyRequest>, ApiError> {
        permit(ctx)?;
        let mut reading = RequestContext::of(ctx)?.read().await?;
        let requests = reading.transaction().privacy_requests(MAX_REQUESTS).await?;
        Ok(requests.into_iter().map(PrivacyRequest::from).collect())
    }
}

/// A request by a customer of the shop under privacy law.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct PrivacyRequest {
    /// The kind of request.
    kind: PrivacyRequestKind,
    /// Shopify's numeric id of the customer.
    customer_shopify_id: String,
    /// The time the request arrived from Shopify.
    received_at: Instant,
    /// The time the request was completed. Null until then.
    completed_at: Option<Instant>,
    /// All stored data of the customer, as JSON, to pass on to the customer. Null for a redaction,
    /// and after the customer was redacted.
    document: Option<String>,
}

/// The kinds of privacy requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::privacy::PrivacyRequestKind")]
pub(super) enum PrivacyRequestKind {
    /// The customer requests a copy of their stored data.
    DataRequest,
    /// The customer requests the deletion of their personal data.
    CustomerRedaction,
}

impl From<privacy::PrivacyRequest> for PrivacyRequest {
    fn from(request: privacy::PrivacyRequest) -> Self {
        Self {
            kind: request.kind.into(),
            customer_shopify_id: request.customer_id.to_string(),
            received_at: Instant(request.received_at),
            completed_at: request.completed_at.map(Instant),
            document: request.document.map(|document| document.to_string()),
        }
    }
}

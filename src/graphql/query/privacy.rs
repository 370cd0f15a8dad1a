//! What customers asked for.

use async_graphql::{Context, Enum, Object, SimpleObject};

use crate::db::privacy;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::permissions::permit;
use crate::graphql::scalars::Instant;

/// The most requests that are listed.
const LISTED: i64 = 100;

/// Questions about privacy requests.
#[derive(Default)]
pub(super) struct PrivacyQueries;

#[Object]
impl PrivacyQueries {
    /// The privacy requests of customers that Shopify passed on, the newest first, at most 100. For owners
    /// and admins of the store: `FORBIDDEN` to others.
    async fn privacy_requests(&self, ctx: &Context<'_>) -> Result<Vec<PrivacyRequest>, ApiError> {
        permit(ctx)?;
        let mut reading = RequestContext::of(ctx)?.read().await?;
        let requests = reading
            .transaction()
            .await?
            .privacy_requests(LISTED)
            .await?;
        Ok(requests.into_iter().map(PrivacyRequest::from).collect())
    }
}

/// What a customer of the store asked for under privacy law.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct PrivacyRequest {
    /// What was asked for.
    kind: PrivacyRequestKind,
    /// The customer's number at Shopify.
    customer_shopify_id: String,
    /// The instant at which Shopify passed it on.
    received_at: Instant,
    /// The instant at which it was answered. Null until then.
    completed_at: Option<Instant>,
    /// Everything that is held of the customer, as JSON, to be handed over. Null for a redaction, and once
    /// the customer was redacted.
    document: Option<String>,
}

/// What a customer may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(super) enum PrivacyRequestKind {
    /// To be told what is held.
    DataRequest,
    /// That what is personal is taken away.
    CustomerRedaction,
}

impl From<privacy::PrivacyRequest> for PrivacyRequest {
    fn from(request: privacy::PrivacyRequest) -> Self {
        Self {
            kind: if request.kind == "DATA_REQUEST" {
                PrivacyRequestKind::DataRequest
            } else {
                PrivacyRequestKind::CustomerRedaction
            },
            customer_shopify_id: request.customer_id.to_string(),
            received_at: Instant(request.received_at),
            completed_at: request.completed_at.map(Instant),
            document: request.document.map(|document| document.to_string()),
        }
    }
}

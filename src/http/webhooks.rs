//! `POST /webhooks`: passes the raw body and a few headers on. The status says whether Shopify should send the
//! delivery again; a refused signature gets no reason.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode};
use tracing::Instrument as _;

use super::HttpState;
use crate::sync::{Delivery, Received, SyncService};

/// The largest body of a delivery. Ours have a few fields; Shopify's largest samples are far smaller.
pub(super) const MAX_DELIVERY_BYTES: usize = 1024 * 1024;

pub(super) async fn post(State(state): State<HttpState>, request: Request) -> StatusCode {
    let headers = request.headers().clone();
    let body = match Bytes::from_request(request, &state).await {
        Ok(body) => body,
        Err(rejection) => return rejection.status(),
    };
    receive(state.sync.clone(), headers, body).await
}

/// Runs to its end even if the client disconnects: the refetch job may have to be queued again after the commit.
#[expect(
    clippy::disallowed_methods,
    reason = "the task ends as soon as the delivery is recorded"
)]
async fn receive(sync: SyncService, headers: HeaderMap, body: Bytes) -> StatusCode {
    let receiving = async move {
        let delivery = Delivery {
            signature: text(&headers, "x-shopify-hmac-sha256"),
            shop: text(&headers, "x-shopify-shop-domain"),
            topic: text(&headers, "x-shopify-topic"),
            id: text(&headers, "x-shopify-webhook-id"),
            body: &body,
        };
        sync.receive(delivery).await
    };
    match tokio::spawn(receiving.in_current_span()).await {
        Ok(Ok(Received::Stored | Received::Ignored)) => StatusCode::OK,
        Ok(Ok(Received::Unverified)) => StatusCode::UNAUTHORIZED,
        Ok(Ok(Received::Malformed)) => StatusCode::BAD_REQUEST,
        Ok(Ok(Received::Overloaded)) => StatusCode::SERVICE_UNAVAILABLE,
        Ok(Err(error)) => {
            tracing::error!(error = %error, "delivery could not be recorded");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(error) => {
            tracing::error!(error = %error, "receiving a delivery panicked");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

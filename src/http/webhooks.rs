//! `POST /webhooks`: the raw body and a few headers, handed on as they came. The answer says whether Shopify
//! should send it again; why a signature did not hold is nobody's business.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode};
use tracing::Instrument as _;

use super::HttpState;
use crate::sync::{Delivery, Received, SyncService};

/// The most bytes of a delivery. Ours hold a few fields; Shopify's own largest samples stay far below.
pub(super) const LARGEST_DELIVERY: usize = 1024 * 1024;

pub(super) async fn post(State(state): State<HttpState>, request: Request) -> StatusCode {
    let headers = request.headers().clone();
    let body = match Bytes::from_request(request, &state).await {
        Ok(body) => body,
        Err(rejection) => return rejection.status(),
    };
    take_in(state.sync.clone(), headers, body).await
}

/// To its end, even if whoever delivers it hangs up: a job that was claimed for this process is handed over.
#[expect(
    clippy::disallowed_methods,
    reason = "ends by itself, as soon as the delivery is written down"
)]
async fn take_in(sync: SyncService, headers: HeaderMap, body: Bytes) -> StatusCode {
    let taking_in = async move {
        let delivery = Delivery {
            signature: text(&headers, "x-shopify-hmac-sha256"),
            shop: text(&headers, "x-shopify-shop-domain"),
            topic: text(&headers, "x-shopify-topic"),
            id: text(&headers, "x-shopify-webhook-id"),
            body: &body,
        };
        sync.receive(delivery).await
    };
    match tokio::spawn(taking_in.in_current_span()).await {
        Ok(Ok(Received::Stored | Received::Ignored)) => StatusCode::OK,
        Ok(Ok(Received::Unproven)) => StatusCode::UNAUTHORIZED,
        Ok(Ok(Received::Malformed)) => StatusCode::BAD_REQUEST,
        Ok(Err(error)) => {
            tracing::error!(error = %error, "a delivery could not be written down");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(error) => {
            tracing::error!(error = %error, "taking a delivery in broke off");
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

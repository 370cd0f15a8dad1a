//! The GraphQL Admin API over HTTP: who asks, what it costs, what goes wrong, and the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::caller::Caller;
use super::wire::Cut;
use super::{answer, files, with_type};
use crate::graphql::{self, Request};
use crate::shop::Fault;
use crate::simulator::Shops;

/// The versions that Shopify supports, the oldest first.
const SUPPORTED: [&str; 4] = ["2026-01", "2026-04", "2026-07", "2026-10"];
/// The header of the version that served a request.
const VERSION_HEADER: &str = "x-shopify-api-version";
/// The header of the token.
const TOKEN_HEADER: &str = "x-shopify-access-token";

/// The version that serves a request: the oldest supported one for a version that is not.
fn served(asked: &str) -> Option<&str> {
    if asked == "unstable" || SUPPORTED.contains(&asked) {
        return Some(asked);
    }
    let (year, month) = asked.split_once('-')?;
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    (digits(year, 4) && digits(month, 2)).then_some(SUPPORTED.first().copied()?)
}

pub(crate) async fn graphql(
    State(shops): State<Arc<Shops>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Path((label, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((shop, version)) = shops.get(&label).zip(served(&version)) else {
        return answer(StatusCode::NOT_FOUND, &json!({ "errors": "Not Found" }));
    };
    let request = serde_json::from_slice::<Request>(&body).ok();
    let operation = request
        .as_ref()
        .map_or_else(String::new, graphql::operation_name);
    let meeting = shop.meet(&operation);
    tokio::time::sleep(meeting.latency).await;
    let fault = meeting.fault;
    if let Some(Fault::Slow { millis }) = &fault {
        tokio::time::sleep(Duration::from_millis(*millis)).await;
    }
    if fault == Some(Fault::DropConnection) {
        cut.cut();
    }
    let mut response = if let Some(response) = simple_fault(fault.as_ref()) {
        response
    } else if let Some(status) = meeting.closed {
        closed(status)
    } else {
        let token = headers
            .get(TOKEN_HEADER)
            .and_then(|value| value.to_str().ok());
        let explain = headers.contains_key("shopify-search-query-debug");
        match (shop.authenticate(token.unwrap_or_default()), request) {
            (None, _) => unauthorized(),
            (Some(_), None) => answer(
                StatusCode::BAD_REQUEST,
                &json!({ "errors": { "query": "Required parameter missing or invalid" } }),
            ),
            (Some((app, access)), Some(request)) => {
                let caller = Caller {
                    shop,
                    app,
                    access,
                    explain,
                };
                let fault = fault.clone();
                let ran = tokio::task::spawn_blocking(move || caller.run(&request, fault.as_ref()));
                let text = ran.await.unwrap_or_else(|_| "{}".to_owned());
                with_type(StatusCode::OK, text, "application/json; charset=utf-8")
            }
        }
    };
    let version = match (&fault, &meeting.served_version) {
        (Some(Fault::OtherVersion { version }), _) | (_, Some(version)) => version,
        _ => version,
    };
    if let Ok(value) = HeaderValue::from_str(version) {
        response.headers_mut().insert(VERSION_HEADER, value);
    }
    if let Some(shop) = shops.get(&label) {
        let status = response.status().as_u16();
        shop.count(|statistics| *statistics.by_status.entry(status).or_default() += 1);
    }
    match fault {
        Some(Fault::LoseAnswer) => {
            cut.cut();
            response
        }
        Some(Fault::TruncateBody) => truncated(response).await,
        _ => response,
    }
}

/// The answer of a fault that needs no look at the request.
pub(crate) fn simple_fault(fault: Option<&Fault>) -> Option<Response> {
    Some(match fault? {
        Fault::TooManyRequests { retry_after } => {
            let body = json!({ "errors": "Exceeded 2 calls per second for api client. Reduce \
                                          request rates to resume uninterrupted service." });
            let mut response = answer(StatusCode::TOO_MANY_REQUESTS, &body);
            if let Ok(value) = HeaderValue::from_str(retry_after) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            response
        }
        Fault::ServerError { status } => with_type(
            StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            "<!DOCTYPE html>\n<html><head><title>Something went wrong</title></head>\
             <body><h1>Something went wrong on our end</h1></body></html>\n",
            "text/html; charset=utf-8",
        ),
        Fault::Status { status } => closed(*status),
        Fault::DropConnection => answer(StatusCode::OK, &json!({})),
        Fault::Unauthorized => unauthorized(),
        Fault::ShopInactive => answer(
            StatusCode::OK,
            &json!({ "errors": [{
                "message": "Shop is not active",
                "extensions": { "code": "SHOP_INACTIVE" },
            }] }),
        ),
        _ => return None,
    })
}

fn unauthorized() -> Response {
    let message = "[API] Invalid API key or access token (unrecognized login or wrong password)";
    answer(StatusCode::UNAUTHORIZED, &json!({ "errors": message }))
}

/// The answer of a shop that is frozen, locked or gone.
fn closed(status: u16) -> Response {
    let message = match status {
        402 => "Unavailable Shop",
        403 => "Forbidden",
        404 => "Not Found",
        423 => "Locked",
        430 => "Shopify Security Rejection",
        _ => "Unavailable",
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    answer(status, &json!({ "errors": message }))
}

/// The answer with half of its body; the connection ends there.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    let half = bytes.slice(..bytes.len() / 2);
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(parts, files::cut_short(std::io::Cursor::new(half)))
}

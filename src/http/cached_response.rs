//! Cached responses in the form that a client accepts.

use async_graphql::Value;
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Response};

use super::content_negotiation::{MediaType, accepts_gzip};
use super::etag;
use crate::cache::CachedResponse;

/// The response to cache. `None`: it has errors, headers of its own or unusual extensions.
pub(super) fn cacheable(response: &async_graphql::Response) -> Option<CachedResponse> {
    let is_plain = response.errors.is_empty()
        && response.http_headers.is_empty()
        && response.extensions.keys().eq(["cost"]);
    if !is_plain {
        return None;
    }
    let body = serde_json::to_vec(response).ok()?;
    let cost = actual_cost(response.extensions.get("cost")?)?;
    let hash = etag::hash(&body);
    Some(CachedResponse::new(body.into(), hash, cost))
}

fn actual_cost(cost: &Value) -> Option<u64> {
    let Value::Object(cost) = cost else {
        return None;
    };
    match cost.get("actualQueryCost")? {
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

/// The response to a POST, compressed if the client accepts gzip.
pub(super) fn in_media(
    cached: &CachedResponse,
    media: MediaType,
    headers: &HeaderMap,
) -> Response<Body> {
    let gzip = if accepts_gzip(headers) {
        cached.gzip()
    } else {
        None
    };
    let is_compressed = gzip.is_some();
    let body = gzip.unwrap_or_else(|| cached.body().clone());
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

/// The response to a GET: with an `ETag`, or 304 for a client that has the response already.
pub(super) fn with_etag(
    cached: &CachedResponse,
    media: MediaType,
    headers: &HeaderMap,
) -> Response<Body> {
    etag::respond(cached.hash(), media, headers, || {
        in_media(cached, media, headers)
    })
}

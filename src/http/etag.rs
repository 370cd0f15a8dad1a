//! Conditional requests: the response to a GET has an entity tag, and a client that sends the tag of the current
//! response gets 304 without a body.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};

use super::content_negotiation::MediaType;
use super::response;
use crate::graphql::sha256_hex;

/// The response to a GET. Errors have no tag: they may be gone the next time.
pub(super) fn in_media(
    media: MediaType,
    response: &async_graphql::Response,
    headers: &HeaderMap,
) -> Response<Body> {
    let http_response = || response::from_graphql(media, response);
    if response.errors.is_empty() {
        let hash = hash(&serde_json::to_vec(response).unwrap_or_default());
        respond(&hash, media, headers, http_response)
    } else {
        http_response()
    }
}

/// The hash of a body: 128 bits of its SHA-256.
pub(super) fn hash(body: &[u8]) -> String {
    let mut hash = sha256_hex(body);
    hash.truncate(32);
    hash
}

/// The response with a tag, or 304 if the client sent the tag.
pub(super) fn respond(
    hash: &str,
    media: MediaType,
    headers: &HeaderMap,
    response: impl FnOnce() -> Response<Body>,
) -> Response<Body> {
    let Some(tag) = tag(hash, media) else {
        return response();
    };
    let is_current = headers
        .typed_get::<IfNoneMatch>()
        .is_some_and(|known| !known.precondition_passes(&tag));
    let mut response = if is_current {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        response()
    };
    let headers = response.headers_mut();
    headers.typed_insert(tag);
    // Only the client may cache the response, and it has to revalidate each time.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.append(VARY, HeaderValue::from_static("accept, authorization"));
    response
}

/// A weak tag, because the body may be compressed. The media type is part of the tag.
fn tag(hash: &str, media: MediaType) -> Option<ETag> {
    let media = match media {
        MediaType::GraphQlResponse => 'g',
        MediaType::Json | MediaType::EventStream => 'j',
    };
    format!("W/\"{hash}{media}\"").parse().ok()
}

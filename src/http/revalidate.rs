//! GETs that need not be sent again: the answer has a tag, and a client that shows the tag of the present
//! answer gets 304 without a body.

use async_graphql::Value;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::answer;
use super::documents::sha256;
use super::media::Media;

/// The answer to a GET.
pub(super) fn in_media(
    media: Media,
    mut answer: async_graphql::Response,
    headers: &HeaderMap,
) -> Response<Body> {
    let tag = if answer.errors.is_empty() {
        tag(media, &mut answer)
    } else {
        None
    };
    match tag {
        Some(tag) => tagged(&tag, headers, || answer::in_media(media, &answer)),
        None => answer::in_media(media, &answer),
    }
}

/// An answer with this tag, or 304 for a client that has it.
pub(super) fn tagged(
    tag: &str,
    headers: &HeaderMap,
    answer: impl FnOnce() -> Response<Body>,
) -> Response<Body> {
    let mut response = if is_known(headers, tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        answer()
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        let headers = response.headers_mut();
        headers.insert(ETAG, tag);
        // Kept by the client alone, and asked about each time.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(VARY, HeaderValue::from_static("accept, authorization"));
    }
    response
}

/// A weak tag: what is left of the budget, which the answer tells too, is not part of what it means.
fn tag(media: Media, answer: &mut async_graphql::Response) -> Option<String> {
    let cost: Option<Value> = answer.extensions.remove("cost");
    let mut bytes = serde_json::to_vec(answer).unwrap_or_default();
    if let Some(cost) = cost {
        answer.extensions.insert("cost".to_owned(), cost);
    }
    bytes.extend(media.content_type().as_bytes());
    let hash = sha256(&bytes);
    Some(format!("W/\"{}\"", hash.get(..32)?))
}

/// Whether the client has it: by the weak comparison of RFC 9110.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = opaque(tag);
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|known| known.trim() == "*" || opaque(known) == wanted)
}

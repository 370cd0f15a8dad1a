//! The budget of the caller in the headers of the response (draft-ietf-httpapi-ratelimit-headers). It is not
//! part of the body, so a cached body can be sent again unchanged.

use axum::http::{HeaderName, HeaderValue, Response};

use crate::graphql::BucketStatus;

/// The constant part: capacity and refill time.
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The points that are available now.
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Adds both headers. `t=1`, because a bucket gains points every second.
pub(super) fn add_headers<B>(status: BucketStatus, response: &mut Response<B>) {
    let BucketStatus {
        capacity,
        seconds_to_fill,
        available,
    } = status;
    let policy = format!("\"points\";q={capacity};w={seconds_to_fill}");
    let limit = format!("\"points\";r={available};t=1");
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
}

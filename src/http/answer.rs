//! What goes back: the answer of the schema, or the reason why it was not asked.

use async_graphql::{ServerError, Value};
use axum::Json;
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::media::Media;
use crate::graphql::error::ApiError;

/// Why a request did not reach the schema, or its answer did not come.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            header: None,
        }
    }

    /// A request that is not GraphQL over HTTP.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    }

    /// A GET that would change something.
    pub(super) fn only_by_post() -> Self {
        let message = "Only queries may be sent with GET. Send this operation with POST.";
        Self {
            header: Some((ALLOW, HeaderValue::from_static("POST"))),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT", message)
        }
    }

    /// A token that does not hold: `reason` is a fixed sentence (RFC 6750's `error_description`).
    pub(super) fn unauthenticated(reason: &'static str) -> Self {
        let challenge = format!(
            "Bearer realm=\"xboard\", error=\"invalid_token\", error_description=\"{reason}\""
        );
        Self {
            header: HeaderValue::try_from(challenge)
                .ok()
                .map(|value| (WWW_AUTHENTICATE, value)),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                ApiError::Unauthenticated.code(),
                reason,
            )
        }
    }

    /// The answer did not come in time.
    pub(super) fn timeout() -> Self {
        let error = ApiError::Timeout;
        Self::new(StatusCode::GATEWAY_TIMEOUT, error.code(), error.sentence())
    }

    /// A failure of ours, already logged.
    pub(super) fn internal() -> Self {
        let error = ApiError::Internal;
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            error.code(),
            error.sentence(),
        )
    }

    fn body(&self) -> serde_json::Value {
        json!({ "errors": [{ "message": self.message, "extensions": { "code": self.code } }] })
    }

    /// The refusal in the form that the client reads.
    pub(super) fn in_media(self, media: Media) -> Response<Body> {
        let mut response = (self.status, Json(self.body())).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
        response.headers_mut().extend(self.header);
        response
    }
}

/// The schema's answer in the form that the client reads.
pub(super) fn in_media(media: Media, answer: &async_graphql::Response) -> Response<Body> {
    let refused = was_not_executed(answer);
    let status = match media {
        Media::GraphQlResponse if refused => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    // A request that was not executed has no `data`, not even null; async-graphql would write one.
    let body = if refused {
        request_error(&answer.errors)
    } else {
        json!(answer)
    };
    let mut response = (status, Json(body)).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    response.headers_mut().extend(answer.http_headers.clone());
    response
}

fn request_error(errors: &[ServerError]) -> serde_json::Value {
    json!({ "errors": errors })
}

/// Whether the parser or the validator refused the operation: an error of a field has a path.
fn was_not_executed(answer: &async_graphql::Response) -> bool {
    answer.data == Value::Null
        && !answer.errors.is_empty()
        && answer.errors.iter().all(|error| error.path.is_empty())
}

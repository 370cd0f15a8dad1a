//! What goes back: the answer of the schema, or the reason why it was not asked.

use async_graphql::{ErrorExtensionValues, ServerError, Value};
use axum::Json;
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::media::Media;
use crate::graphql::error::{ApiError, THROTTLED, UNAVAILABLE, UNAVAILABLE_SECONDS};

/// Why a request did not reach the schema, or its answer did not come.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
    /// Whether clients of before the specification get it with status 200.
    understood: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            header: None,
            understood: false,
        }
    }

    /// A request that was understood, but is refused for what it asks.
    pub(super) fn request_error(code: &'static str, message: &'static str) -> Self {
        Self {
            understood: true,
            ..Self::new(StatusCode::BAD_REQUEST, code, message)
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

    /// The database cannot be used for now.
    pub(super) fn unavailable() -> Self {
        let error = ApiError::Unavailable;
        Self {
            header: Some((RETRY_AFTER, UNAVAILABLE_SECONDS.into())),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                error.code(),
                error.sentence(),
            )
        }
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

    /// The refusal as an error among others, for an operation that is not answered over HTTP.
    pub(super) fn as_error(&self) -> ServerError {
        let mut error = ServerError::new(self.message.clone(), None);
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.code);
        error.extensions = Some(extensions);
        error
    }

    fn body(&self, request_id: &str) -> serde_json::Value {
        let mut extensions = json!({ "code": self.code });
        if self.status.is_server_error()
            && let Some(extensions) = extensions.as_object_mut()
        {
            extensions.insert("requestId".to_owned(), request_id.into());
            if self.code == UNAVAILABLE {
                extensions.insert("retryAfterSeconds".to_owned(), UNAVAILABLE_SECONDS.into());
            }
        }
        json!({ "errors": [{ "message": self.message, "extensions": extensions }] })
    }

    /// The refusal in the form that the client reads.
    pub(super) fn in_media(self, media: Media, request_id: &str) -> Response<Body> {
        let status = if self.understood && media == Media::Json {
            StatusCode::OK
        } else {
            self.status
        };
        let mut response = (status, Json(self.body(request_id))).into_response();
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
    let unavailable = is_unavailable(answer);
    let wait = retry_after(answer).or(unavailable.then_some(UNAVAILABLE_SECONDS));
    let status = match media {
        // Whoever stands in between (a balancer, a client that tries again) goes by the status.
        _ if unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Media::GraphQlResponse if refused && wait.is_some() => StatusCode::TOO_MANY_REQUESTS,
        Media::GraphQlResponse if refused => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    // A request that was not executed has no `data`, not even null; async-graphql would write one.
    let mut response = if refused {
        (status, Json(request_error(answer))).into_response()
    } else {
        (status, serde_json::to_vec(answer).unwrap_or_default()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    if let Some(seconds) = wait {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    headers.extend(answer.http_headers.clone());
    response
}

fn request_error(answer: &async_graphql::Response) -> serde_json::Value {
    if answer.extensions.is_empty() {
        json!({ "errors": answer.errors })
    } else {
        json!({ "errors": answer.errors, "extensions": answer.extensions })
    }
}

/// How long an operation that was throttled has to wait.
fn retry_after(answer: &async_graphql::Response) -> Option<u64> {
    answer.errors.iter().find_map(|error| {
        let extensions = error.extensions.as_ref()?;
        match (
            extensions.get("code")?,
            extensions.get("retryAfterSeconds")?,
        ) {
            (Value::String(code), Value::Number(seconds)) if code == THROTTLED => seconds.as_u64(),
            _ => None,
        }
    })
}

/// Whether nothing was answered, because the database cannot be used for now.
fn is_unavailable(answer: &async_graphql::Response) -> bool {
    let is_nothing = match &answer.data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        _ => false,
    };
    let code = |error: &ServerError| error.extensions.as_ref()?.get("code").cloned();
    is_nothing
        && answer
            .errors
            .iter()
            .any(|error| code(error) == Some(Value::from(UNAVAILABLE)))
}

/// Whether the parser or the validator refused the operation: an error of a field has a path.
pub(super) fn was_not_executed(answer: &async_graphql::Response) -> bool {
    answer.data == Value::Null
        && !answer.errors.is_empty()
        && answer.errors.iter().all(|error| error.path.is_empty())
}

//! HTTP responses: the response of the schema, or the error that ended a request before the schema saw it.

use async_graphql::{ErrorExtensionValues, ServerError, Value};
use axum::Json;
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::content_negotiation::MediaType;
use crate::graphql::error::{
    ApiError, BAD_USER_INPUT, THROTTLED, UNAVAILABLE, UNAVAILABLE_SECONDS,
};

/// An error of a whole request, with its HTTP status.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    error: Box<ServerError>,
    header: Option<(HeaderName, HeaderValue)>,
    /// Whether the body is a well-formed GraphQL request. Clients that accept only `application/json` expect
    /// status 200 for these.
    well_formed: bool,
}

impl HttpError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let mut error = ServerError::new(message, None);
        set_extension(&mut error, "code", code);
        Self {
            status,
            error: Box::new(error),
            header: None,
            well_formed: false,
        }
    }

    /// A well-formed request that is refused.
    pub(super) fn request_error(code: &'static str, message: &'static str) -> Self {
        Self {
            well_formed: true,
            ..Self::new(StatusCode::BAD_REQUEST, code, message)
        }
    }

    /// A request that does not follow GraphQL over HTTP.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, BAD_USER_INPUT, message)
    }

    /// A GET with an operation other than a query.
    pub(super) fn post_required() -> Self {
        let message = "Only queries may be sent with GET. Send this operation with POST.";
        Self {
            header: Some((ALLOW, HeaderValue::from_static("POST"))),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, BAD_USER_INPUT, message)
        }
    }

    /// An invalid token. `reason` is a fixed sentence: the `error_description` of RFC 6750.
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

    /// The operation timed out.
    pub(super) fn timeout() -> Self {
        Self::from_api_error(StatusCode::GATEWAY_TIMEOUT, &ApiError::Timeout)
    }

    /// The database is not available.
    pub(super) fn unavailable() -> Self {
        let mut error =
            Self::from_api_error(StatusCode::SERVICE_UNAVAILABLE, &ApiError::Unavailable);
        error.header = Some((RETRY_AFTER, UNAVAILABLE_SECONDS.into()));
        set_extension(&mut error.error, "retryAfterSeconds", UNAVAILABLE_SECONDS);
        error
    }

    /// An internal error. The caller has logged its cause.
    pub(super) fn internal() -> Self {
        Self::from_api_error(StatusCode::INTERNAL_SERVER_ERROR, &ApiError::Internal)
    }

    fn from_api_error(status: StatusCode, error: &ApiError) -> Self {
        Self::new(status, error.code(), error.sentence())
    }

    /// The GraphQL error, for transports without HTTP statuses.
    pub(super) fn into_error(self) -> ServerError {
        *self.error
    }

    /// The error as a response of the media type that the client accepts.
    pub(super) fn into_response(mut self, media: MediaType, request_id: &str) -> Response<Body> {
        let status = if self.well_formed && media == MediaType::Json {
            StatusCode::OK
        } else {
            self.status
        };
        if self.status.is_server_error() {
            set_extension(&mut self.error, "requestId", request_id);
        }
        let mut response = (status, Json(json!({ "errors": [self.error] }))).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
        response.headers_mut().extend(self.header);
        response
    }
}

/// A document that does not parse or exceeds a limit.
impl From<ServerError> for HttpError {
    fn from(mut error: ServerError) -> Self {
        if extension(&error, "code").is_none() {
            set_extension(&mut error, "code", BAD_USER_INPUT);
        }
        Self {
            status: StatusCode::BAD_REQUEST,
            error: Box::new(error),
            header: None,
            well_formed: true,
        }
    }
}

/// The response of the schema in the media type that the client accepts.
pub(super) fn from_graphql(media: MediaType, response: &async_graphql::Response) -> Response<Body> {
    let is_request_error = is_request_error(response);
    let unavailable = is_unavailable(response);
    let wait = retry_after(response).or(unavailable.then_some(UNAVAILABLE_SECONDS));
    let status = match media {
        // Load balancers and retrying clients look at the status, whatever the media type.
        _ if unavailable => StatusCode::SERVICE_UNAVAILABLE,
        MediaType::GraphQlResponse if is_request_error && wait.is_some() => {
            StatusCode::TOO_MANY_REQUESTS
        }
        MediaType::GraphQlResponse if is_request_error => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    // The response to a request error must not contain `data`. async-graphql would write `data: null`.
    let mut http_response = if is_request_error {
        (status, Json(without_data(response))).into_response()
    } else {
        (status, serde_json::to_vec(response).unwrap_or_default()).into_response()
    };
    let headers = http_response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    if let Some(seconds) = wait {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    headers.extend(response.http_headers.clone());
    http_response
}

fn without_data(response: &async_graphql::Response) -> serde_json::Value {
    if response.extensions.is_empty() {
        json!({ "errors": response.errors })
    } else {
        json!({ "errors": response.errors, "extensions": response.extensions })
    }
}

/// How long the caller of a throttled operation has to wait.
fn retry_after(response: &async_graphql::Response) -> Option<u64> {
    response.errors.iter().find_map(|error| {
        let is_throttled = extension(error, "code") == Some(&THROTTLED.into());
        match extension(error, "retryAfterSeconds") {
            Some(Value::Number(seconds)) if is_throttled => seconds.as_u64(),
            _ => None,
        }
    })
}

/// Whether the response contains no data because the database is not available.
fn is_unavailable(response: &async_graphql::Response) -> bool {
    let is_empty = match &response.data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        _ => false,
    };
    let unavailable = Value::from(UNAVAILABLE);
    is_empty
        && response
            .errors
            .iter()
            .any(|error| extension(error, "code") == Some(&unavailable))
}

/// Whether the operation was refused before its execution began: the specification's "request error". Errors
/// of fields have a path.
pub(super) fn is_request_error(response: &async_graphql::Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

fn extension<'a>(error: &'a ServerError, name: &str) -> Option<&'a Value> {
    error.extensions.as_ref()?.get(name)
}

fn set_extension(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set(name, value);
}

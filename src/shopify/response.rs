//! Classifies API responses: first the status, because a 401 or 5xx may not be JSON, then the body.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ShopifyError, sanitized};
use super::throttle::Cost;

/// The body of a response with data.
#[derive(Debug)]
pub(super) struct ResponseBody {
    /// The whole body.
    pub(super) body: Bytes,
    /// The paths that are null because access was denied.
    pub(super) denied: DeniedPaths,
}

/// The paths of a response that the app may not read.
#[derive(Debug, Default)]
pub(super) struct DeniedPaths(Vec<Vec<String>>);

impl DeniedPaths {
    /// Whether access to this entry of `nodes` was denied, or may have been.
    pub(super) fn covers_node(&self, index: usize) -> bool {
        let index = index.to_string();
        self.0
            .iter()
            .any(|path| path.get(1).is_none_or(|place| *place == index))
    }

    /// The first denied path as an error, for callers that need the field. `None` if nothing was
    /// denied.
    pub(super) fn error(&self) -> Option<ShopifyError> {
        let path = self.0.first()?;
        let field = match path.as_slice() {
            [] => "the whole response".to_owned(),
            path => sanitized(&path.join("."), 100),
        };
        Some(ShopifyError::AccessDenied { field })
    }
}

/// Why a request returned no data.
#[derive(Debug)]
pub(super) enum RequestFailure {
    /// 401: a renewed token may help.
    Unauthorized,
    /// The query budget is exhausted. Retry after this time.
    Throttled(Duration),
    /// The request failed.
    Failed(ShopifyError),
}

#[derive(Debug, Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Option<IgnoredAny>,
    #[serde(default)]
    errors: Option<Errors>,
    #[serde(default)]
    extensions: Option<Extensions>,
}

/// GraphQL errors are a list. Errors from before the GraphQL layer are a string.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Errors {
    List(Vec<GraphqlError>),
    Sentence(String),
    Other(IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct GraphqlError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    path: Option<Vec<serde_json::Value>>,
    #[serde(default)]
    extensions: Option<ErrorExtensions>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorExtensions {
    #[serde(default)]
    code: Option<ErrorCode>,
    #[serde(default)]
    request_id: Option<String>,
}

/// The documented error codes that need different handling.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
enum ErrorCode {
    Throttled,
    MaxCostExceeded,
    ShopInactive,
    InternalServerError,
    Timeout,
    AccessDenied,
    Other(String),
}

impl From<String> for ErrorCode {
    fn from(code: String) -> Self {
        match code.as_str() {
            "THROTTLED" => Self::Throttled,
            "MAX_COST_EXCEEDED" => Self::MaxCostExceeded,
            "SHOP_INACTIVE" => Self::ShopInactive,
            "INTERNAL_SERVER_ERROR" => Self::InternalServerError,
            "TIMEOUT" => Self::Timeout,
            "ACCESS_DENIED" => Self::AccessDenied,
            _ => Self::Other(code),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    cost: Option<Cost>,
    #[serde(default)]
    search: Option<Vec<Search>>,
}

#[derive(Debug, Deserialize)]
struct Search {
    #[serde(default)]
    warnings: Option<Vec<SearchWarning>>,
}

#[derive(Debug, Deserialize)]
struct SearchWarning {
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    code: Option<String>,
}

impl GraphqlError {
    fn code(&self) -> Option<&ErrorCode> {
        self.extensions
            .as_ref()
            .and_then(|extensions| extensions.code.as_ref())
    }

    fn path(&self) -> Vec<String> {
        self.path
            .iter()
            .flatten()
            .map(|step| {
                step.as_str()
                    .map_or_else(|| step.to_string(), str::to_owned)
            })
            .collect()
    }
}

/// Classifies a status. `None` for 2xx.
pub(super) fn check_status(status: u16, headers: &HeaderMap) -> Option<RequestFailure> {
    let error = match status {
        200..=299 => return None,
        401 => return Some(RequestFailure::Unauthorized),
        300..=399 => ShopifyError::Redirected { status },
        402 => ShopifyError::Frozen,
        403 => ShopifyError::Forbidden,
        404 => ShopifyError::NotFound,
        423 => ShopifyError::Locked,
        429 => ShopifyError::RateLimited {
            retry_after: retry_after(headers),
        },
        430 => ShopifyError::SecurityRejected,
        500..=599 => ShopifyError::ServerFailed {
            status: Some(status),
            request_id: headers
                .get("x-request-id")
                .and_then(|id| id.to_str().ok())
                .map(|id| sanitized(id, 64)),
        },
        _ => ShopifyError::Refused { status },
    };
    Some(RequestFailure::Failed(error))
}

/// Reads seconds, whole or with a fraction. Shopify does not use the date format.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}

/// Classifies the body of a 200 response, and reads its cost.
pub(super) fn parse_body(body: Bytes) -> (Result<ResponseBody, RequestFailure>, Option<Cost>) {
    let envelope: Envelope = match serde_json::from_slice(&body) {
        Ok(envelope) => envelope,
        Err(error) => {
            return (
                Err(RequestFailure::Failed(ShopifyError::from_json(&error))),
                None,
            );
        }
    };
    let has_data = envelope.data.is_some();
    let extensions = envelope.extensions.unwrap_or_default();
    let verdict = match envelope.errors {
        Some(Errors::List(errors)) if !errors.is_empty() => {
            check_errors(&errors, has_data, extensions.cost.as_ref())
        }
        Some(Errors::Sentence(sentence)) => {
            Err(RequestFailure::Failed(ShopifyError::QueryRefused {
                code: "no code".to_owned(),
                message: sanitized(&sentence, 200),
            }))
        }
        Some(Errors::Other(_)) => Err(unreadable("its errors have an unknown format")),
        Some(Errors::List(_)) | None if has_data => Ok(DeniedPaths::default()),
        Some(Errors::List(_)) | None => Err(unreadable("it has neither data nor errors")),
    };
    let verdict = verdict.and_then(|denied| match ignored_filter(extensions.search) {
        Some(error) => Err(RequestFailure::Failed(error)),
        None => Ok(denied),
    });
    (
        verdict.map(|denied| ResponseBody { body, denied }),
        extensions.cost,
    )
}

fn unreadable(what: &str) -> RequestFailure {
    RequestFailure::Failed(ShopifyError::Unreadable(what.to_owned()))
}

fn check_errors(
    errors: &[GraphqlError],
    has_data: bool,
    cost: Option<&Cost>,
) -> Result<DeniedPaths, RequestFailure> {
    let find = |code: ErrorCode| errors.iter().find(|error| error.code() == Some(&code));
    if find(ErrorCode::Throttled).is_some() {
        let wait = cost.map(Cost::time_to_refill).unwrap_or_default();
        return Err(RequestFailure::Throttled(wait));
    }
    if find(ErrorCode::MaxCostExceeded).is_some() {
        return Err(RequestFailure::Failed(ShopifyError::TooCostly));
    }
    if find(ErrorCode::ShopInactive).is_some() {
        return Err(RequestFailure::Failed(ShopifyError::Inactive));
    }
    if let Some(error) = find(ErrorCode::InternalServerError).or_else(|| find(ErrorCode::Timeout)) {
        let request_id = error
            .extensions
            .as_ref()
            .and_then(|extensions| extensions.request_id.as_deref())
            .map(|id| sanitized(id, 64));
        return Err(RequestFailure::Failed(ShopifyError::ServerFailed {
            status: None,
            request_id,
        }));
    }
    let is_denied = |error: &GraphqlError| error.code() == Some(&ErrorCode::AccessDenied);
    if let Some(error) = errors.iter().find(|error| !is_denied(error)) {
        let code = match error.code() {
            Some(ErrorCode::Other(code)) if !code.is_empty() => code,
            _ => "no code",
        };
        return Err(RequestFailure::Failed(ShopifyError::QueryRefused {
            code: sanitized(code, 64),
            message: sanitized(&error.message, 200),
        }));
    }
    let denied = DeniedPaths(errors.iter().map(GraphqlError::path).collect());
    match denied.error() {
        Some(error) if !has_data => Err(RequestFailure::Failed(error)),
        _ => Ok(denied),
    }
}

/// Shopify ignores a filter with an unknown field and returns everything. Such a response must not
/// pass as an answer to the filter.
fn ignored_filter(search: Option<Vec<Search>>) -> Option<ShopifyError> {
    let warnings = search?.into_iter().filter_map(|search| search.warnings);
    let warning = warnings.flatten().next()?;
    let word = |word: Option<String>| sanitized(word.as_deref().unwrap_or("?"), 64);
    Some(ShopifyError::FilterIgnored(format!(
        "{}: {}",
        word(warning.field),
        word(warning.code)
    )))
}

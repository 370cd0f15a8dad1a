//! Errors of Shopify's API, classified by how to handle them. Messages contain no tokens, bodies or
//! customer data, so they can be shown as the reason of a failed sync.

use std::time::Duration;

/// Why a request to a shop failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShopifyError {
    /// The client cannot be created.
    #[error("the Shopify client cannot be created: {0}")]
    Setup(String),
    /// No connection: the request was not sent.
    #[error("the shop could not be reached")]
    Unreachable,
    /// No response in time. The request may have been executed.
    #[error("the shop did not respond in time")]
    TimedOut,
    /// The connection was lost. The request may have been executed.
    #[error("the connection to the shop was lost")]
    Interrupted,
    /// The response is not one of the API.
    #[error("the shop's response could not be read: {0}")]
    Unreadable(String),
    /// The response contains an invalid value.
    #[error("the shop's response contains an unreadable {0}")]
    Unconvertible(&'static str),
    /// 3xx: the address is no longer the shop's own.
    #[error("the shop redirects to another address (HTTP {status})")]
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// 401, even after the token was renewed.
    #[error("Shopify rejected the access token")]
    Unauthorized,
    /// Shopify rejected the app's client id and secret.
    #[error("Shopify rejected the app's client id and secret ({code})")]
    CredentialsRefused {
        /// Shopify's error code.
        code: String,
    },
    /// Shopify rejected the refresh token: it has expired or was revoked, or the app was
    /// uninstalled.
    #[error("the app no longer has access to the shop ({code}); install it again")]
    ConsentEnded {
        /// Shopify's error code.
        code: String,
    },
    /// The token provider has no token.
    #[error("no access token is available: {0}")]
    TokenUnavailable(String),
    /// 402.
    #[error("the shop is frozen because its plan is not paid")]
    Frozen,
    /// 403.
    #[error("the shop does not allow the app to read it")]
    Forbidden,
    /// 404: there is no such shop or API version.
    #[error("there is no shop at this address")]
    NotFound,
    /// 423.
    #[error("Shopify has locked the shop")]
    Locked,
    /// `SHOP_INACTIVE`.
    #[error("the shop is closed or paused")]
    Inactive,
    /// 430.
    #[error("Shopify rejected the request for security reasons")]
    SecurityRejected,
    /// 429, after all retries.
    #[error("the shop receives too many requests")]
    RateLimited {
        /// How long to wait before the next request.
        retry_after: Option<Duration>,
    },
    /// `THROTTLED` for longer than the maximum wait.
    #[error("the shop's query budget stayed exhausted")]
    Throttled,
    /// `MAX_COST_EXCEEDED`: the query never succeeds at this size.
    #[error("the query costs more than the shop allows")]
    TooCostly,
    /// `ACCESS_DENIED` for something that cannot be left out.
    #[error("the app may not read {field}")]
    AccessDenied {
        /// The path in the response.
        field: String,
    },
    /// `INTERNAL_SERVER_ERROR`, or 5xx.
    #[error("Shopify failed{}", status_details(*.status, .request_id.as_deref()))]
    ServerFailed {
        /// The HTTP status, unless it was 200.
        status: Option<u16>,
        /// The request id, for Shopify's support.
        request_id: Option<String>,
    },
    /// Any other status, such as 400.
    #[error("Shopify rejected the request (HTTP {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The query does not fit the API version of the response.
    #[error("Shopify rejected the query ({code}): {message}")]
    QueryRefused {
        /// Shopify's error code.
        code: String,
        /// Shopify's message, truncated.
        message: String,
    },
    /// Shopify did not apply the search filter, because it could not parse it.
    #[error("Shopify ignored the search filter ({0})")]
    FilterIgnored(String),
    /// Shopify rejected a mutation with user errors.
    #[error("Shopify rejected the request: {0}")]
    UserErrors(String),
    /// An object changed between its pages in every attempt.
    #[error("an object kept changing while it was being read")]
    ChangedWhileRead,
    /// The URL of a bulk result has expired.
    #[error("the result of the bulk operation has expired")]
    BulkUrlExpired,
    /// The URL of a bulk result is not allowed.
    #[error("the URL of the bulk operation's result is not allowed")]
    BulkUrlRefused,
    /// A line of a bulk result cannot be parsed.
    #[error("line {line} of the bulk result cannot be parsed: {reason}")]
    MalformedLine {
        /// The line number, from 1.
        line: u64,
        /// The reason, without the contents of the line.
        reason: String,
    },
}

/// How to handle an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Try again later.
    Retryable,
    /// A retry does not help.
    Permanent,
    /// The owner must authorise the app again.
    Reauthorise,
    /// Stop requests until the shop is available again.
    SuspendShop,
    /// Request less at a time.
    TooCostly,
    /// Something must be granted first.
    AccessDenied,
}

impl ShopifyError {
    /// How to handle this error.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable
            | Self::TimedOut
            | Self::Interrupted
            | Self::Unreadable(_)
            | Self::TokenUnavailable(_)
            | Self::SecurityRejected
            | Self::RateLimited { .. }
            | Self::Throttled
            | Self::ServerFailed { .. }
            | Self::ChangedWhileRead => ErrorKind::Retryable,
            Self::Unauthorized | Self::CredentialsRefused { .. } | Self::ConsentEnded { .. } => {
                ErrorKind::Reauthorise
            }
            Self::Frozen | Self::Forbidden | Self::Locked | Self::Inactive => {
                ErrorKind::SuspendShop
            }
            Self::TooCostly => ErrorKind::TooCostly,
            Self::AccessDenied { .. } => ErrorKind::AccessDenied,
            Self::Setup(_)
            | Self::Unconvertible(_)
            | Self::Redirected { .. }
            | Self::NotFound
            | Self::Refused { .. }
            | Self::QueryRefused { .. }
            | Self::FilterIgnored(_)
            | Self::UserErrors(_)
            | Self::BulkUrlExpired
            | Self::BulkUrlRefused
            | Self::MalformedLine { .. } => ErrorKind::Permanent,
        }
    }

    /// How long to wait before the next attempt, if known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => *retry_after,
            Self::SecurityRejected => Some(SECURITY_PAUSE),
            _ => None,
        }
    }

    /// Whether the client itself retries: the failure usually passes within seconds.
    pub(super) const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::TimedOut
                | Self::Interrupted
                | Self::Unreadable(_)
                | Self::RateLimited { .. }
                | Self::ServerFailed { .. }
        )
    }

    /// Whether the request may have been executed although there is no response.
    pub(super) const fn may_have_been_executed(&self) -> bool {
        !matches!(self, Self::Unreachable | Self::RateLimited { .. })
    }

    /// Classifies a transport error: whether the request was sent, and whether it timed out.
    pub(super) fn from_transport(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self::Unreachable
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Interrupted
        }
    }

    /// An unexpected JSON response: the position, without the contents.
    pub(super) fn from_json(error: &serde_json::Error) -> Self {
        Self::Unreadable(describe_json_error(error))
    }
}

/// Shopify asks clients to back off for long after a security rejection.
const SECURITY_PAUSE: Duration = Duration::from_hours(1);

/// Describes a JSON error without any of the text.
pub(super) fn describe_json_error(error: &serde_json::Error) -> String {
    let problem = match error.classify() {
        serde_json::error::Category::Data => "a value has an unexpected type",
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => "it is not JSON",
    };
    format!("{problem} (column {})", error.column())
}

fn status_details(status: Option<u16>, request_id: Option<&str>) -> String {
    match (status, request_id) {
        (Some(status), Some(id)) => format!(" (HTTP {status}, request {id})"),
        (Some(status), None) => format!(" (HTTP {status})"),
        (None, Some(id)) => format!(" (request {id})"),
        (None, None) => String::new(),
    }
}

/// Truncates a text of Shopify's and removes control characters, so that it can be shown.
pub(super) fn sanitized(text: &str, longest: usize) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(longest)
        .collect()
}

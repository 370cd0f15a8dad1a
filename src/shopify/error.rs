//! What can go wrong with a store, told apart by what has to be done about it. No message holds a token, a
//! body or a customer's data, so each may be shown as the reason why a sync failed.

use std::time::Duration;

/// Why the store could not be asked, or did not give what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShopifyError {
    /// The client could not be set up.
    #[error("the Shopify client cannot be set up: {0}")]
    Setup(String),
    /// No connection: the request was never sent.
    #[error("the store could not be reached")]
    Unreachable,
    /// No answer in time; the request may have been carried out.
    #[error("the store did not answer in time")]
    TimedOut,
    /// The connection was lost; the request may have been carried out.
    #[error("the connection to the store was lost")]
    Interrupted,
    /// An answer that is not what the API gives.
    #[error("the store's answer could not be read: {0}")]
    Unreadable(String),
    /// An answer that holds a value which cannot be right.
    #[error("the store's answer holds an unreadable {0}")]
    Unconvertible(&'static str),
    /// 3xx: the address is not the store's own any more.
    #[error("the store answers from another address (HTTP {status})")]
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// 401, also after the token was renewed.
    #[error("the store refused the access token")]
    Unauthorized,
    /// The app's client id and secret were refused.
    #[error("the store refused the app's client id and secret ({code})")]
    CredentialsRefused {
        /// Shopify's word for it.
        code: String,
    },
    /// The refresh token was refused: it ended, was taken away, or the app was uninstalled.
    #[error("the store no longer lets the app in ({code}); install it again")]
    ConsentEnded {
        /// Shopify's word for it.
        code: String,
    },
    /// Whoever keeps the tokens had none to give.
    #[error("no access token at hand: {0}")]
    TokenUnavailable(String),
    /// 402.
    #[error("the store is frozen: its plan is not paid")]
    Frozen,
    /// 403.
    #[error("the store forbids the app to read it")]
    Forbidden,
    /// 404: no such store, or no such API version.
    #[error("there is no store at this address")]
    NotFound,
    /// 423.
    #[error("the store is locked by Shopify")]
    Locked,
    /// `SHOP_INACTIVE`.
    #[error("the store is closed or paused")]
    Inactive,
    /// 430.
    #[error("Shopify rejected the request for security reasons")]
    SecurityRejected,
    /// 429, more often than is waited for.
    #[error("the store asks for fewer requests")]
    RateLimited {
        /// How long the store asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// THROTTLED, longer than is waited for.
    #[error("the store's query budget stayed empty")]
    Throttled,
    /// `MAX_COST_EXCEEDED`: this query never succeeds at this size.
    #[error("the query costs more than the store allows")]
    TooCostly,
    /// `ACCESS_DENIED` where nothing is left without it.
    #[error("the app may not read {field}")]
    AccessDenied {
        /// Where in the answer it was denied.
        field: String,
    },
    /// `INTERNAL_SERVER_ERROR`, or 5xx.
    #[error("Shopify failed{}", described(*.status, .request_id.as_deref()))]
    ServerFailed {
        /// The HTTP status, where it was not 200.
        status: Option<u16>,
        /// What Shopify's support asks for.
        request_id: Option<String>,
    },
    /// A status that nothing else speaks for: 400 and its like.
    #[error("the store refused the request (HTTP {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The query is wrong for the API version that answered.
    #[error("the store refused the query ({code}): {message}")]
    QueryRefused {
        /// Shopify's word for it.
        code: String,
        /// What Shopify says of it, cut short.
        message: String,
    },
    /// The search filter was not understood, and so was not applied.
    #[error("the store ignored the search filter ({0})")]
    FilterIgnored(String),
    /// A mutation was refused for reasons of the business.
    #[error("the store refused: {0}")]
    UserErrors(String),
    /// An object changed between the pages it was read in, again and again.
    #[error("an object kept changing while it was read")]
    ChangedWhileRead,
    /// The address of a bulk operation's result is no longer valid.
    #[error("the result of the bulk operation is no longer there")]
    BulkUrlExpired,
    /// The address of a bulk operation's result is none that may be followed.
    #[error("the result of the bulk operation is at an address that is not followed")]
    BulkUrlRefused,
    /// A line of a bulk operation's result cannot be read.
    #[error("line {line} of the bulk result cannot be read: {reason}")]
    MalformedLine {
        /// Which line, from 1.
        line: u64,
        /// Why not, without what it holds.
        reason: String,
    },
}

/// What has to be done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Try again later.
    Retryable,
    /// Trying again does not help.
    Permanent,
    /// The owner has to let the app in again.
    Reauthorise,
    /// Leave the store alone until it is back.
    SuspendShop,
    /// Ask for less at a time.
    TooCostly,
    /// Something must be granted first.
    AccessDenied,
}

impl ShopifyError {
    /// What has to be done about it.
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

    /// How long to leave the store alone before trying again, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => *retry_after,
            Self::SecurityRejected => Some(SECURITY_PAUSE),
            _ => None,
        }
    }

    /// Whether the client itself tries again: what passes by within seconds.
    pub(super) const fn passes_by(&self) -> bool {
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

    /// Whether the request may have been carried out although there is no answer to show for it.
    pub(super) const fn may_have_been_carried_out(&self) -> bool {
        !matches!(self, Self::Unreachable | Self::RateLimited { .. })
    }

    /// What a failed exchange means: was it sent at all, was it answered in time?
    pub(super) fn of_transport(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self::Unreachable
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Interrupted
        }
    }

    /// An answer that is no JSON of the expected shape: where, but not what it holds.
    pub(super) fn of_json(error: &serde_json::Error) -> Self {
        Self::Unreadable(json_fault(error))
    }
}

/// Shopify asks to back off hard after a security rejection.
const SECURITY_PAUSE: Duration = Duration::from_hours(1);

/// What is wrong with a JSON text, without any of it.
pub(super) fn json_fault(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a value of another type than expected",
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => "it is not JSON",
    };
    format!("{what} (column {})", error.column())
}

fn described(status: Option<u16>, request_id: Option<&str>) -> String {
    match (status, request_id) {
        (Some(status), Some(id)) => format!(" (HTTP {status}, request {id})"),
        (Some(status), None) => format!(" (HTTP {status})"),
        (None, Some(id)) => format!(" (request {id})"),
        (None, None) => String::new(),
    }
}

/// A word of Shopify's, cut to what is fit to be shown.
pub(super) fn shown(text: &str, longest: usize) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(longest)
        .collect()
}

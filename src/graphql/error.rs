//! The errors of the API: a code and a fixed sentence. The cause is only logged.

use async_graphql::{Error, ErrorExtensionValues, ErrorExtensions, Response, ServerError};

use crate::db::DbError;

/// An error of the API. It does not implement `Display`, because async-graphql converts every `Display` type
/// into a response, and a cause must never become part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// No token, or an invalid one.
    Unauthenticated,
    /// The role of the caller does not allow this.
    Forbidden,
    /// An argument is invalid.
    BadUserInput {
        /// The invalid argument or field.
        field: &'static str,
        /// A sentence for the developer of the client.
        message: String,
    },
    /// The object does not exist, or belongs to another tenant. Callers cannot distinguish the two.
    NotFound,
    /// The operation exceeds a limit.
    LimitExceeded {
        /// The name of the limit in `docs/limits.md`.
        limit: &'static str,
        /// The limit.
        maximum: usize,
    },
    /// The caller exceeds its rate limit.
    Throttled {
        /// When the caller may retry.
        retry_after_seconds: u64,
    },
    /// The operation timed out.
    Timeout,
    /// The database is not available.
    Unavailable,
    /// An internal error. Its cause was logged when this value was created.
    Internal,
}

impl ApiError {
    /// An invalid argument, and the reason.
    #[must_use]
    pub fn bad_input(field: &'static str, message: impl Into<String>) -> Self {
        Self::BadUserInput {
            field,
            message: message.into(),
        }
    }

    /// An internal error. Logs the cause.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error.cause = %cause, "request failed");
        Self::Internal
    }

    /// The GraphQL error without a location in the document.
    #[must_use]
    pub fn without_location(self) -> ServerError {
        let error = Error::from(self);
        ServerError {
            extensions: error.extensions,
            ..ServerError::new(error.message, None)
        }
    }

    /// The code in `extensions.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput { .. } => BAD_USER_INPUT,
            Self::NotFound => "NOT_FOUND",
            Self::LimitExceeded { .. } => LIMIT_EXCEEDED,
            Self::Throttled { .. } => THROTTLED,
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => UNAVAILABLE,
            Self::Internal => INTERNAL,
        }
    }

    /// The sentence in `message`.
    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::Unauthenticated => {
                "Sign in first: send a valid token as `Authorization: Bearer`."
            }
            Self::Forbidden => "Your role in this shop does not allow this.",
            Self::BadUserInput { message, .. } => message,
            Self::NotFound => "There is no such object in this shop.",
            Self::LimitExceeded { .. } => {
                "The operation exceeds a limit. `extensions.limit` contains its name."
            }
            Self::Throttled { .. } => {
                "Rate limit exceeded. Retry after `extensions.retryAfterSeconds` seconds."
            }
            Self::Timeout => "The operation timed out. Request less data, or retry.",
            Self::Unavailable => {
                "The service is temporarily unavailable. Retry after `extensions.retryAfterSeconds` seconds."
            }
            Self::Internal => "Something went wrong on our side.",
        }
    }
}

/// The code of invalid input.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// The code of an operation that exceeds a limit.
pub const LIMIT_EXCEEDED: &str = "LIMIT_EXCEEDED";
/// The code of an operation that exceeds the rate limit.
pub const THROTTLED: &str = "THROTTLED";
/// The code of an operation that failed because the database is not available.
pub const UNAVAILABLE: &str = "UNAVAILABLE";
/// When a client may retry after [`UNAVAILABLE`].
pub const UNAVAILABLE_SECONDS: u64 = 2;
/// The code of an internal error.
pub(super) const INTERNAL: &str = "INTERNAL";

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::new(error.sentence()).extend_with(|_, extensions| {
            extensions.set("code", error.code());
            match &error {
                ApiError::BadUserInput { field, .. } => extensions.set("field", *field),
                ApiError::LimitExceeded { limit, maximum } => {
                    extensions.set("limit", *limit);
                    extensions.set("maximum", *maximum);
                }
                ApiError::Throttled {
                    retry_after_seconds,
                } => extensions.set("retryAfterSeconds", *retry_after_seconds),
                ApiError::Unavailable => extensions.set("retryAfterSeconds", UNAVAILABLE_SECONDS),
                _ => {}
            }
        })
    }
}

/// Adds a code to errors without one: those of documents that do not parse or validate.
pub fn add_missing_codes(response: &mut Response) {
    for error in &mut response.errors {
        let extensions = error
            .extensions
            .get_or_insert_with(ErrorExtensionValues::default);
        if extensions.get("code").is_none() {
            extensions.set("code", BAD_USER_INPUT);
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        if error.is_timeout() {
            tracing::warn!(error.cause = %error, "database statement timed out");
            return Self::Timeout;
        }
        if error.is_unavailable() {
            tracing::warn!(error.cause = %error, "database is not available");
            return Self::Unavailable;
        }
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_never_becomes_part_of_a_response() {
        let error = DbError::Corrupt("password_hash is empty".to_owned());
        let response: Error = ApiError::from(error).into();
        assert_eq!(response.message, "Something went wrong on our side.");
        assert_eq!(
            response.extensions.unwrap().get("code"),
            Some(&"INTERNAL".into())
        );
    }

    #[test]
    fn bad_input_names_the_field() {
        let response: Error = ApiError::bad_input("first", "Too many.").into();
        let extensions = response.extensions.unwrap();
        assert_eq!(response.message, "Too many.");
        assert_eq!(extensions.get("code"), Some(&"BAD_USER_INPUT".into()));
        assert_eq!(extensions.get("field"), Some(&"first".into()));
    }
}

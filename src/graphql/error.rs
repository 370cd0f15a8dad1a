//! What a caller is told when something fails: a code and a fixed sentence. The cause stays in the log.

use async_graphql::{Error, ErrorExtensionValues, ErrorExtensions, Response, ServerError};

use crate::db::DbError;

/// An error of the API. Deliberately not `Display`: async-graphql turns everything that is into an answer,
/// and a cause must never become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// No token, or none that holds.
    Unauthenticated,
    /// The token holds, but its role may not do this.
    Forbidden,
    /// What was asked for makes no sense; says what would.
    BadUserInput {
        /// The argument or field that is wrong.
        field: &'static str,
        /// A sentence for the developer who sent it.
        message: String,
    },
    /// The thing is not there, or not the caller's: the two are told apart by nobody.
    NotFound,
    /// One operation asks for more than is ever given.
    LimitExceeded {
        /// Which limit: a name of `docs/limits.md`.
        limit: &'static str,
        /// What it allows.
        maximum: usize,
    },
    /// Too much was asked in too short a time.
    Throttled {
        /// After how many seconds it is worth asking again.
        retry_after_seconds: u64,
    },
    /// The answer took too long.
    Timeout,
    /// The database cannot be used for now.
    Unavailable,
    /// Ours to repair. The cause was logged when this value was made.
    Internal,
}

impl ApiError {
    /// An argument that makes no sense, and why.
    #[must_use]
    pub fn bad_input(field: &'static str, message: impl Into<String>) -> Self {
        Self::BadUserInput {
            field,
            message: message.into(),
        }
    }

    /// A failure of ours. Logs the cause, here and nowhere else.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error.cause = %cause, "the request failed");
        Self::Internal
    }

    /// The error as an answer tells it, without a place in the text: it would say nothing more.
    #[must_use]
    pub fn in_no_place(self) -> ServerError {
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
            Self::Forbidden => "Your role in this store does not allow that.",
            Self::BadUserInput { message, .. } => message,
            Self::NotFound => "There is no such thing in this store.",
            Self::LimitExceeded { .. } => {
                "The operation asks for too much at once: `extensions.limit` says what of."
            }
            Self::Throttled { .. } => {
                "Too much was asked in too short a time: `extensions.retryAfterSeconds` says how long to wait."
            }
            Self::Timeout => "The answer took too long. Ask for less at once, or try again.",
            Self::Unavailable => {
                "The service is overloaded or about to be back: `extensions.retryAfterSeconds` says how long to wait."
            }
            Self::Internal => "Something went wrong on our side.",
        }
    }
}

/// The code of a fault of the caller's.
pub(super) const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// The code of an operation that no one may ask for.
pub const LIMIT_EXCEEDED: &str = "LIMIT_EXCEEDED";
/// The code of an operation that may be asked for later.
pub const THROTTLED: &str = "THROTTLED";
/// The code of an operation that cannot be carried out just now, through no fault of its own.
pub const UNAVAILABLE: &str = "UNAVAILABLE";
/// After how many seconds it is worth asking again.
pub const UNAVAILABLE_SECONDS: u64 = 2;
/// The code of a fault of ours.
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

/// Gives a code to every error that has none: the library's own are of documents that do not parse or validate.
pub fn give_codes(answer: &mut Response) {
    for error in &mut answer.errors {
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
            tracing::warn!(error.cause = %error, "the database took too long");
            return Self::Timeout;
        }
        if error.is_unavailable() {
            tracing::warn!(error.cause = %error, "the database cannot be used for now");
            return Self::Unavailable;
        }
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_never_becomes_an_answer() {
        let error = DbError::Corrupt("password_hash is empty".to_owned());
        let answer: Error = ApiError::from(error).into();
        assert_eq!(answer.message, "Something went wrong on our side.");
        assert_eq!(
            answer.extensions.unwrap().get("code"),
            Some(&"INTERNAL".into())
        );
    }

    #[test]
    fn bad_input_names_the_field() {
        let answer: Error = ApiError::bad_input("first", "Too many.").into();
        let extensions = answer.extensions.unwrap();
        assert_eq!(answer.message, "Too many.");
        assert_eq!(extensions.get("code"), Some(&"BAD_USER_INPUT".into()));
        assert_eq!(extensions.get("field"), Some(&"first".into()));
    }
}

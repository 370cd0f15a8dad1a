//! How the refresh token of a session reaches the client: in the response body, in the session cookie of the
//! dashboard, or not at all. The HTTP layer decides before the execution, and sets the cookie afterwards.

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};

/// The transport of the refresh tokens of a request.
#[derive(Debug, Default)]
pub enum RefreshTokens {
    /// In the response body, for API clients.
    #[default]
    InBody,
    /// Not at all. Otherwise a script on a page of this server could get the token by not requesting the cookie.
    Withheld,
    /// In the session cookie, which scripts cannot read.
    InCookie(CookieJar),
}

/// The session cookie of one request.
#[derive(Debug, Default)]
pub struct CookieJar {
    sent: Option<SecretString>,
    change: Mutex<Option<CookieChange>>,
}

/// A change of the session cookie.
#[derive(Clone, Debug)]
pub enum CookieChange {
    /// Set the cookie to this token.
    Set(SecretString),
    /// Delete the cookie.
    Delete,
}

impl CookieJar {
    /// The jar of a request with the token of its cookie, if it has one.
    #[must_use]
    pub fn new(sent: Option<SecretString>) -> Self {
        Self {
            sent,
            change: Mutex::default(),
        }
    }

    /// The change of the cookie; `None` if it does not change.
    #[must_use]
    pub fn change(&self) -> Option<CookieChange> {
        self.change
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, change: CookieChange) {
        *self.change.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }
}

impl RefreshTokens {
    /// The value of the field `refreshToken`. Every field of a session calls this, so that the cookie is set
    /// whatever the operation selects.
    pub(super) fn issue<'a>(&self, token: &'a SecretString) -> &'a str {
        match self {
            Self::InBody => token.expose_secret(),
            Self::Withheld => "",
            Self::InCookie(jar) => {
                jar.set(CookieChange::Set(token.clone()));
                ""
            }
        }
    }

    /// The refresh token of a request: the argument, or the token of the cookie if the argument is empty.
    pub(super) fn received(&self, argument: String) -> SecretString {
        match self {
            Self::InCookie(jar) if argument.is_empty() => jar.sent.clone().unwrap_or_default(),
            _ => argument.into(),
        }
    }

    /// Deletes the cookie, because the session has ended.
    pub(super) fn delete_cookie(&self) {
        if let Self::InCookie(jar) = self {
            jar.set(CookieChange::Delete);
        }
    }
}

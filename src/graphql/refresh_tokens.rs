//! Where the refresh tokens of a request go: into the answer, into the cookie of our own page, or nowhere.
//! HTTP decides that before the request is carried out, and does afterwards what came of it.

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};

/// Where the refresh tokens of a request go.
#[derive(Debug, Default)]
pub enum RefreshTokens {
    /// Into the answer: programs keep them as they like.
    #[default]
    Answered,
    /// Nowhere. A script on one of our own pages would otherwise only have to ask without the cookie.
    Withheld,
    /// Into the page's cookie, which no script can read.
    Cookie(Jar),
}

/// The cookie of one request.
#[derive(Debug, Default)]
pub struct Jar {
    sent: Option<SecretString>,
    change: Mutex<Option<CookieChange>>,
}

/// What becomes of the cookie.
#[derive(Clone, Debug)]
pub enum CookieChange {
    /// It holds this token from now on.
    Keep(SecretString),
    /// It is gone.
    Forget,
}

impl Jar {
    /// The jar of a request that sent this token along, or none.
    #[must_use]
    pub fn new(sent: Option<SecretString>) -> Self {
        Self {
            sent,
            change: Mutex::default(),
        }
    }

    /// What became of the cookie; `None`: nothing.
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
    /// What the answer says of a session's refresh token. Called by every field of a session, so that the
    /// cookie is written whatever is asked for.
    pub(super) fn hand_out<'a>(&self, token: &'a SecretString) -> &'a str {
        match self {
            Self::Answered => token.expose_secret(),
            Self::Withheld => "",
            Self::Cookie(jar) => {
                jar.set(CookieChange::Keep(token.clone()));
                ""
            }
        }
    }

    /// The refresh token that is meant by an argument: that of the cookie, if the argument is empty.
    pub(super) fn meant_by(&self, argument: String) -> SecretString {
        match self {
            Self::Cookie(jar) if argument.is_empty() => jar.sent.clone().unwrap_or_default(),
            _ => argument.into(),
        }
    }

    /// The session is over, or never was.
    pub(super) fn forget(&self) {
        if let Self::Cookie(jar) = self {
            jar.set(CookieChange::Forget);
        }
    }
}

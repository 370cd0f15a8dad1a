//! The apps installed in a shop and their tokens.

use std::cell::Cell;
use std::time::Duration;

use super::installs::Installs;
use super::throttle::Bucket;
use crate::clock::Moment;
use crate::graphql::Access;
use crate::random::Random;

/// How long a client-credentials token lives.
const TOKEN_LIFE: Duration = Duration::from_hours(24);

/// An app.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) static_token: Option<String>,
    pub(crate) access: Access,
    pub(crate) bucket: Bucket,
    /// Whether the next tokens carry no scope, as an app version released without scopes gives.
    pub(crate) empty_scopes: bool,
    pub(crate) installs: Installs,
    issued: Vec<Issued>,
    random: Random,
}

#[derive(Debug)]
struct Issued {
    token: String,
    expires: Moment,
    scopeless: bool,
    used: Cell<bool>,
}

/// A token as the OAuth address gives it.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) token: String,
    pub(crate) scope: String,
    pub(crate) expires_in: u64,
}

impl App {
    pub(crate) fn new(
        client_id: String,
        client_secret: String,
        static_token: Option<String>,
        access: Access,
        bucket: Bucket,
    ) -> Self {
        let seed = client_id.bytes().fold(7_u64, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        Self {
            client_id,
            client_secret,
            static_token,
            access,
            bucket,
            empty_scopes: false,
            installs: Installs::default(),
            issued: Vec::new(),
            random: Random::new(seed),
        }
    }

    /// What a token may read; none when it is not a valid one of this app.
    pub(crate) fn access_of(&self, token: &str, now: Moment) -> Option<Access> {
        if self.static_token.as_deref() == Some(token) {
            return Some(self.access.clone());
        }
        let issued = self.issued.iter().find(|issued| issued.token == token)?;
        if now >= issued.expires {
            return None;
        }
        issued.used.set(true);
        let mut access = self.access.clone();
        if issued.scopeless {
            access.scopes.clear();
        }
        Some(access)
    }

    /// Gives out a new token.
    pub(crate) fn grant(&mut self, now: Moment) -> Grant {
        self.grant_for(now, TOKEN_LIFE)
    }

    /// Letters and digits that were not used before.
    pub(super) fn random_text(&mut self) -> String {
        format!("{:016x}{:016x}", self.random.next(), self.random.next())
    }

    /// Whether anything was asked with a token.
    pub(super) fn was_used(&self, token: &str) -> bool {
        let mut issued = self.issued.iter();
        issued.any(|issued| issued.token == token && issued.used.get())
    }

    /// Ends one token.
    pub(super) fn end_token(&mut self, token: &str) {
        self.issued.retain(|issued| issued.token != token);
    }

    /// Gives out a new token that lives so long.
    pub(super) fn grant_for(&mut self, now: Moment, life: Duration) -> Grant {
        let token = format!("shpat_{}", self.random_text());
        let scope = if self.empty_scopes {
            String::new()
        } else {
            self.access.scopes.join(",")
        };
        self.issued.push(Issued {
            token: token.clone(),
            expires: now.after(life),
            scopeless: self.empty_scopes,
            used: Cell::new(false),
        });
        Grant {
            token,
            scope,
            expires_in: life.as_secs() - 1,
        }
    }

    /// Ends every token given out; the static one too, when asked.
    pub(crate) fn revoke(&mut self, static_too: bool) {
        self.issued.clear();
        if static_too {
            self.static_token = None;
        }
    }
}

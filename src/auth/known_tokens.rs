//! Access tokens that were verified before. A client sends the same one with every request for a quarter of an hour:
//! its signature is checked with the first of them, its time with each.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::sync::Cache;

use super::tokens::{ACCESS_TOKEN_LIFE, AccessTokens, Bearer, Signed, TokenError};

/// How many tokens are remembered: some five megabytes.
const MAX_ENTRIES: u64 = 10_000;

/// Verifies access tokens, and remembers which are ours.
pub struct KnownTokens {
    tokens: Arc<AccessTokens>,
    known: Cache<Box<str>, Signed>,
}

impl fmt::Debug for KnownTokens {
    // The tokens are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownTokens").finish_non_exhaustive()
    }
}

impl KnownTokens {
    /// Knows none yet.
    #[must_use]
    pub fn new(tokens: Arc<AccessTokens>) -> Self {
        // What is older than a token lives is of no use. Whether one has expired is not left to this.
        let life = ACCESS_TOKEN_LIFE.to_std().unwrap_or_default();
        let known = Cache::builder()
            .max_capacity(MAX_ENTRIES)
            .time_to_live(life)
            .build();
        Self { tokens, known }
    }

    /// What the token says, if it is ours and its time is now, with the first instant at which it is refused.
    pub fn verify(&self, token: &str) -> Result<(Bearer, DateTime<Utc>), TokenError> {
        let now = self.tokens.now();
        if let Some(signed) = self.known.get(token) {
            return signed.at(now);
        }
        let signed = self.tokens.read(token)?;
        let verified = signed.at(now)?;
        self.known.insert(token.into(), signed);
        Ok(verified)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use secrecy::{ExposeSecret as _, SecretString};

    use super::*;
    use crate::domain::clock::Clock;
    use crate::domain::ids::{SessionId, TenantId, UserId};

    #[test]
    fn a_token_that_is_known_is_held_to_its_time_and_no_other_passes_for_it() {
        let secret = SecretString::from("a signing secret of at least 32 bytes");
        let start = DateTime::from_timestamp_secs(1_795_000_000).unwrap();
        let at = |seconds| {
            let clock = Clock::Fixed(start + TimeDelta::seconds(seconds));
            Arc::new(AccessTokens::new(&secret, clock))
        };
        let bearer = Bearer {
            user: UserId::generate(),
            tenant: TenantId::generate(),
            session: SessionId::generate(),
        };
        let issued = at(0).issue(bearer).unwrap();
        let token = issued.token.expose_secret();
        let mut tokens = KnownTokens::new(at(0));
        for seconds in [0, 899] {
            tokens.tokens = at(seconds);
            assert_eq!(tokens.verify(token), Ok((bearer, issued.expires_at)));
        }
        assert!(tokens.known.contains_key(token));
        tokens.tokens = at(905);
        assert_eq!(tokens.verify(token), Err(TokenError::Expired));
        tokens.tokens = at(-6);
        assert_eq!(tokens.verify(token), Err(TokenError::Invalid));
        tokens.tokens = at(0);
        let (start, _) = token.rsplit_once('.').unwrap();
        for wrong in [start, &format!("{start}."), &format!("{token}A"), ""] {
            assert_eq!(tokens.verify(wrong), Err(TokenError::Invalid), "{wrong}");
        }
    }
}

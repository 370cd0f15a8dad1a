//! The two tokens of a session. The access token is a JWT that lives for fifteen minutes and is sent with each
//! request; the refresh token is a random string that is traded, once, for the next pair.
//!
//! A JWT says who, for which store and in which session. What the user may do there is not in it: that is read
//! from the database with each request, so that a role taken away is gone at once.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::one_time::{OneTimeToken, Purpose};
use crate::domain::clock::Clock;
use crate::domain::ids::{SessionId, TenantId, UserId};

/// The one algorithm: what a token's header asks for is never obeyed, only compared with this.
const ALGORITHM: Algorithm = Algorithm::HS256;
const ISSUER: &str = "xboard";
const AUDIENCE: &str = "xboard-api";
/// How long an access token lives.
pub const ACCESS_TOKEN_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How far the clocks of two machines that serve the same users may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// What a JWT of ours holds.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    tid: TenantId,
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// What a verified access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Who.
    pub user: UserId,
    /// For which store.
    pub tenant: TenantId,
    /// In which session: whether it is still alive, the database knows.
    pub session: SessionId,
}

/// A signed access token and when it ends.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The JWT.
    pub token: SecretString,
    /// The first instant at which it is refused.
    pub expires_at: DateTime<Utc>,
}

/// Why an access token was refused. Says nothing of what the token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It is not one of ours.
    #[error("the token is not valid")]
    Invalid,
    /// It could not be signed.
    #[error("the token could not be signed")]
    Signing,
}

/// Signs and verifies access tokens.
#[derive(Clone)]
pub struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    clock: Clock,
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Signs with this secret.
    #[must_use]
    pub fn new(secret: &SecretString, clock: Clock) -> Self {
        let secret = secret.expose_secret().as_bytes();
        let mut validation = Validation::new(ALGORITHM);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The time comes from `Clock`, which the library does not know: see `verify`.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            clock,
        }
    }

    /// A token that says this from now on.
    pub fn issue(&self, bearer: Bearer) -> Result<AccessToken, TokenError> {
        let now = self.clock.now();
        let expires_at = DateTime::from_timestamp_secs((now + ACCESS_TOKEN_LIFE).timestamp())
            .ok_or(TokenError::Signing)?;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: bearer.user,
            tid: bearer.tenant,
            sid: bearer.session,
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let token = jsonwebtoken::encode(&Header::new(ALGORITHM), &claims, &self.encoding)
            .map_err(|_| TokenError::Signing)?;
        Ok(AccessToken {
            token: SecretString::from(token),
            expires_at,
        })
    }

    /// Verifies a token: its signature, its claims and its time. Gives the claims and the instant at which it
    /// expires.
    pub fn verify(&self, token: &str) -> Result<(Bearer, DateTime<Utc>), TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        // Good for longer than any of ours: signed with our secret, but not by this program.
        if claims.exp.saturating_sub(claims.iat) > ACCESS_TOKEN_LIFE.num_seconds() {
            return Err(TokenError::Invalid);
        }
        let now = self.clock.now().timestamp();
        let leeway = LEEWAY.num_seconds();
        // Valid or issued only later than now: not by this program.
        if claims.nbf.max(claims.iat).saturating_sub(leeway) > now {
            return Err(TokenError::Invalid);
        }
        if claims.exp.saturating_add(leeway) <= now {
            return Err(TokenError::Expired);
        }
        let bearer = Bearer {
            user: claims.sub,
            tenant: claims.tid,
            session: claims.sid,
        };
        let expires_at = DateTime::from_timestamp_secs(claims.exp).unwrap_or_default();
        Ok((bearer, expires_at))
    }
}

/// A refresh token: good once. Its owner has it; here only its hash is kept.
#[derive(Clone, Debug)]
pub struct RefreshToken(OneTimeToken);

impl RefreshToken {
    /// A new one.
    pub fn generate() -> Result<Self, TokenError> {
        OneTimeToken::generate(Purpose::Refresh).map(Self)
    }

    /// Reads what a client sent: nothing that cannot be a token reaches the database.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        OneTimeToken::parse(Purpose::Refresh, text).map(Self)
    }

    /// The token, for its owner.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        self.0.secret()
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        self.0.hash()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const SECRET: &str = "a signing secret of at least 32 bytes";

    fn at(seconds: i64) -> Clock {
        Clock::Fixed(DateTime::from_timestamp_secs(1_795_000_000 + seconds).unwrap())
    }

    fn tokens(clock: Clock) -> AccessTokens {
        AccessTokens::new(&SecretString::from(SECRET), clock)
    }

    fn bearer() -> Bearer {
        Bearer {
            user: UserId::generate(),
            tenant: TenantId::generate(),
            session: SessionId::generate(),
        }
    }

    #[test]
    fn a_token_says_what_it_was_made_of_for_fifteen_minutes() {
        let bearer = bearer();
        let issued = tokens(at(0)).issue(bearer).unwrap();
        let token = issued.token.expose_secret();
        assert_eq!(issued.expires_at, at(900).now());
        assert_eq!(tokens(at(0)).verify(token), Ok((bearer, issued.expires_at)));
        assert_eq!(
            tokens(at(899)).verify(token),
            Ok((bearer, issued.expires_at))
        );
        assert_eq!(tokens(at(905)).verify(token), Err(TokenError::Expired));
        assert_eq!(tokens(at(-6)).verify(token), Err(TokenError::Invalid));
    }

    #[test]
    fn a_token_of_another_secret_algorithm_issuer_or_audience_is_refused() {
        let claims = |issuer: &str, audience: &str| {
            let now = at(0).now().timestamp();
            serde_json::json!({
                "iss": issuer, "aud": audience, "sub": UserId::generate(), "tid": TenantId::generate(),
                "sid": SessionId::generate(), "iat": now, "nbf": now, "exp": now + 900,
            })
        };
        let sign = |algorithm, claims: &serde_json::Value, secret: &str| {
            let key = EncodingKey::from_secret(secret.as_bytes());
            jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
        };
        let good = claims(ISSUER, AUDIENCE);
        assert!(
            tokens(at(0))
                .verify(&sign(Algorithm::HS256, &good, SECRET))
                .is_ok()
        );
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let unsigned = format!("{header}.{}.", URL_SAFE_NO_PAD.encode(good.to_string()));
        for wrong in [
            sign(
                Algorithm::HS256,
                &good,
                "another secret of at least 32 bytes!",
            ),
            sign(Algorithm::HS512, &good, SECRET),
            sign(Algorithm::HS256, &claims("someone", AUDIENCE), SECRET),
            sign(Algorithm::HS256, &claims(ISSUER, "something"), SECRET),
            sign(
                Algorithm::HS256,
                &serde_json::json!({ "exp": 9_999_999_999_u64 }),
                SECRET,
            ),
            unsigned,
            String::new(),
            "a.b.c".to_owned(),
        ] {
            assert_eq!(
                tokens(at(0)).verify(&wrong),
                Err(TokenError::Invalid),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_refresh_token_reads_back_and_is_kept_as_a_hash() {
        let token = RefreshToken::generate().unwrap();
        let text = token.secret().expose_secret();
        assert_eq!(text.len(), 47);
        assert_eq!(RefreshToken::parse(text).unwrap().hash(), token.hash());
        assert_ne!(RefreshToken::generate().unwrap().hash(), token.hash());
        for wrong in ["", "xbr_", "xbr_AAAA", &text[4..], &format!("{text}A")] {
            assert!(RefreshToken::parse(wrong).is_err(), "{wrong}");
        }
    }
}

//! The two tokens of a session. The access token is a JWT that expires after fifteen minutes and is
//! sent with each request. The refresh token is a random string that is exchanged once for the next
//! pair.
//!
//! The JWT contains the user, the tenant and the session, but not the user's role. The role is read
//! for each request, so that a removed role has no effect any more.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::single_use_token::{Purpose, SingleUseToken};
use crate::domain::clock::Clock;
use crate::domain::ids::{SessionId, TenantId, UserId};

/// The only accepted algorithm. The algorithm in a token's header is only compared with it.
const ALGORITHM: Algorithm = Algorithm::HS256;
const ISSUER: &str = "xboard";
const AUDIENCE: &str = "xboard-api";
/// The lifetime of an access token.
pub const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// The allowed difference between the clocks of two servers.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// The claims of an access token.
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

/// The content of a verified access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The user.
    pub user: UserId,
    /// The tenant.
    pub tenant: TenantId,
    /// The session. Whether it is still active must be looked up.
    pub session: SessionId,
}

/// A signed access token and its expiry.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The JWT.
    pub token: SecretString,
    /// The first instant at which the token is rejected.
    pub expires_at: DateTime<Utc>,
}

/// Why a token was rejected. Contains nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token was valid once.
    #[error("the token has expired")]
    Expired,
    /// The token was not issued by this program.
    #[error("the token is not valid")]
    Invalid,
    /// The token could not be signed.
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
    /// Uses this signing secret.
    #[must_use]
    pub fn new(secret: &SecretString, clock: Clock) -> Self {
        let secret = secret.expose_secret().as_bytes();
        let mut validation = Validation::new(ALGORITHM);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The library cannot use `Clock`, so `verify` checks the times.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            clock,
        }
    }

    /// Issues an access token that is valid from now on.
    pub fn issue(&self, bearer: Bearer) -> Result<AccessToken, TokenError> {
        let now = self.clock.now();
        let expires_at = DateTime::from_timestamp_secs((now + ACCESS_TOKEN_LIFETIME).timestamp())
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

    /// Verifies a token's signature, claims and time. Returns the claims and the expiry.
    pub fn verify(&self, token: &str) -> Result<(Bearer, DateTime<Utc>), TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        // Valid for longer than any token of this program: signed with the same secret, but by
        // another program.
        if claims.exp.saturating_sub(claims.iat) > ACCESS_TOKEN_LIFETIME.num_seconds() {
            return Err(TokenError::Invalid);
        }
        let now = self.clock.now().timestamp();
        let leeway = LEEWAY.num_seconds();
        // Not valid yet, or issued in the future: not by this program.
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

/// A refresh token. It works once. The database stores only its hash.
#[derive(Clone, Debug)]
pub struct RefreshToken(SingleUseToken);

impl RefreshToken {
    /// Generates a token.
    pub fn generate() -> Result<Self, TokenError> {
        SingleUseToken::generate(Purpose::Refresh).map(Self)
    }

    /// Parses a token from a request. Malformed tokens never reach the database.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        SingleUseToken::parse(Purpose::Refresh, text).map(Self)
    }

    /// The token itself, for its owner.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        self.0.secret()
    }

    /// The stored hash.
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

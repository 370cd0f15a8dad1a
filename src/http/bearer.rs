//! Who sends a request: the `Authorization` header, checked against the session it names.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::HttpState;
use super::answer::Refusal;
use crate::auth::tokens::TokenError;
use crate::db::DbError;
use crate::domain::principal::Principal;
use crate::graphql::error::ApiError;

/// The principal of the header; `None` without one. A header that does not hold is refused, whatever is
/// asked: a client that believes to be signed in must learn that it is not.
pub(super) async fn principal(
    state: &HttpState,
    headers: &HeaderMap,
) -> Result<Option<Principal>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let token = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(token_of),
        (Some(_), Some(_)) => None,
    };
    let token = token.ok_or_else(|| {
        Refusal::unauthenticated("The Authorization header is not a bearer token.")
    })?;
    let bearer = state.tokens.verify(token).map_err(|error| {
        Refusal::unauthenticated(match error {
            TokenError::Expired => "The token has expired.",
            TokenError::Invalid | TokenError::Signing => "The token is not valid.",
        })
    })?;
    let now = state.clock.now();
    let role = async {
        let mut transaction = state.database.system().await?;
        transaction
            .principal_role(bearer.session, bearer.user, bearer.tenant, now)
            .await
    }
    .await
    .map_err(|error: DbError| match ApiError::from(error) {
        ApiError::Timeout => Refusal::timeout(),
        _ => Refusal::internal(),
    })?;
    let role = role.ok_or_else(|| Refusal::unauthenticated("The session has ended."))?;
    Ok(Some(Principal {
        user: bearer.user,
        tenant: bearer.tenant,
        session: bearer.session,
        role,
    }))
}

fn token_of(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_follows_the_scheme() {
        assert_eq!(token_of("Bearer abc"), Some("abc"));
        assert_eq!(token_of("bearer  abc "), Some("abc"));
        for wrong in ["", "Bearer", "Bearer ", "abc", "Basic abc"] {
            assert_eq!(token_of(wrong), None, "{wrong:?}");
        }
    }
}

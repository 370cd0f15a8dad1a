//! Authentication: the bearer token of the `Authorization` header, and the session that it names.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::HttpState;
use super::response::HttpError;
use super::response_stream::Caller;
use crate::auth::tokens::{Bearer, TokenError};
use crate::cache::Session;
use crate::db::DbError;
use crate::domain::principal::Principal;
use crate::graphql::error::ApiError;

/// The principal of a request; `None` without an `Authorization` header. An invalid token is refused even where none is
/// needed, so that the client learns that it is no longer signed in.
pub(super) async fn principal(
    state: &HttpState,
    headers: &HeaderMap,
) -> Result<Option<Principal>, HttpError> {
    let caller = caller(state, headers).await?;
    Ok(caller.map(|caller| caller.principal))
}

/// The principal with the time at which the token expires.
pub(super) async fn caller(
    state: &HttpState,
    headers: &HeaderMap,
) -> Result<Option<Caller>, HttpError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let token = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(token_of),
        (Some(_), Some(_)) => None,
    };
    let token = token.ok_or_else(|| {
        HttpError::unauthenticated("The Authorization header is not a bearer token.")
    })?;
    of_token(state, token).await.map(Some)
}

/// The caller of a token, if its session is live.
async fn of_token(state: &HttpState, token: &str) -> Result<Caller, HttpError> {
    let (bearer, expires_at) = state.tokens.verify(token).map_err(|error| {
        HttpError::unauthenticated(match error {
            TokenError::Expired => "The token has expired.",
            TokenError::Invalid | TokenError::Signing => "The token is not valid.",
        })
    })?;
    let session = session(state, bearer).await?;
    let session = session.ok_or_else(|| HttpError::unauthenticated("The session has ended."))?;
    let principal = Principal {
        user: bearer.user,
        tenant: bearer.tenant,
        session: bearer.session,
        role: session.role,
    };
    Ok(Caller {
        principal,
        expires_at,
    })
}

/// The session of a token, while it is live: from the cache, else from the database.
async fn session(state: &HttpState, bearer: Bearer) -> Result<Option<Session>, HttpError> {
    let now = state.clock.now();
    let caches = state.invalidation.caches();
    let id = bearer.session.uuid();
    let live = caches.session(id).filter(|session| {
        session.user == bearer.user && session.tenant == bearer.tenant && session.expires_at > now
    });
    if live.is_some() {
        return Ok(live);
    }
    let fill = caches.begin_session_fill();
    let found = async {
        let mut transaction = state.database.system().await?;
        transaction
            .principal_role(bearer.session, bearer.user, bearer.tenant, now)
            .await
    }
    .await
    .map_err(|error: DbError| match ApiError::from(error) {
        ApiError::Timeout => HttpError::timeout(),
        ApiError::Unavailable => HttpError::unavailable(),
        _ => HttpError::internal(),
    })?;
    let session = found.map(|(role, expires_at)| Session {
        user: bearer.user,
        tenant: bearer.tenant,
        role,
        expires_at,
    });
    if let (Some(fill), Some(session)) = (fill, session) {
        caches.populate_session(fill, id, session);
    }
    Ok(session)
}

/// The caller of a WebSocket: the `authorization` member of its first message has the form of the header.
pub(super) async fn of_connection(
    state: &HttpState,
    payload: &serde_json::Value,
) -> Option<Caller> {
    let given = ["authorization", "Authorization"]
        .into_iter()
        .find_map(|name| payload.get(name)?.as_str())?;
    of_token(state, token_of(given)?).await.ok()
}

/// Whether a caller's token or session has ended. Without an answer of the database, the session counts as live.
pub(super) async fn is_session_ended(state: &HttpState, caller: Caller) -> bool {
    let now = state.clock.now();
    let Principal {
        user,
        tenant,
        session,
        ..
    } = caller.principal;
    let role = async {
        let mut transaction = state.database.system().await?;
        transaction.principal_role(session, user, tenant, now).await
    }
    .await;
    caller.expires_at <= now || matches!(role, Ok::<_, DbError>(None))
}

pub(super) fn token_of(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_follows_the_scheme() {
        assert_eq!(token_of("Bearer abc"), Some("abc"));
        assert_eq!(token_of("bearer  abc "), Some("abc"));
        for wrong in ["", "Bearer", "Bearer ", "abc", "Basic abc"] {
            assert_eq!(token_of(wrong), None, "{wrong:?}");
        }
    }
}

//! The session cookie of the dashboard: the refresh token is in an `HttpOnly` cookie and never in a response body.
//! The cookie authenticates only the mutation `refreshSession`.
//!
//! Pages of other sites cannot use it: the browser does not send the cookie (`SameSite=Strict`), CORS does not
//! allow the header that requests it, and the origin of the page is checked.

use axum::body::Body;
use axum::http::header::{HOST, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use secrecy::ExposeSecret as _;

use super::cookies;
use super::response::HttpError;
use crate::graphql::error::ApiError;
use crate::graphql::refresh_tokens::{CookieChange, CookieJar, RefreshTokens};

/// The header that requests the cookie: `XBoard-Session: cookie`.
const SESSION_HEADER: HeaderName = HeaderName::from_static("xboard-session");
/// The site of the page, as the browser reports it. Scripts cannot set this header.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const NAME: &str = "xboard_session";
/// The lifetime of a refresh token.
const LIFETIME_SECONDS: u32 = 30 * 24 * 60 * 60;

/// Decides where the refresh tokens of a request go.
pub(super) fn refresh_tokens(
    parts: &Parts,
    behind_proxy: bool,
) -> Result<RefreshTokens, HttpError> {
    let own_page = is_own_page(&parts.headers, behind_proxy);
    match parts.headers.get(&SESSION_HEADER) {
        None if own_page => Ok(RefreshTokens::Withheld),
        None => Ok(RefreshTokens::InBody),
        Some(value) if value != "cookie" => Err(HttpError::bad_request(
            "The value of the header `XBoard-Session` must be `cookie`.",
        )),
        Some(_) if own_page => Ok(RefreshTokens::InCookie(CookieJar::new(cookies::read(
            &parts.headers,
            NAME,
        )))),
        Some(_) => Err(HttpError::new(
            StatusCode::FORBIDDEN,
            ApiError::Forbidden.code(),
            "Only pages of this server may use the session cookie.",
        )),
    }
}

/// The same for streams: their headers are sent before a token exists, so they cannot set cookies.
pub(super) fn refresh_tokens_of_stream(headers: &HeaderMap, behind_proxy: bool) -> RefreshTokens {
    if is_own_page(headers, behind_proxy) {
        RefreshTokens::Withheld
    } else {
        RefreshTokens::InBody
    }
}

/// Whether a page of this server sent the request. Browsers send `Sec-Fetch-Site` only over secure connections;
/// over others the origin decides.
fn is_own_page(headers: &HeaderMap, behind_proxy: bool) -> bool {
    if let Some(site) = headers.get(&FETCH_SITE) {
        return site == "same-origin";
    }
    let host = behind_proxy
        .then(|| headers.get(&FORWARDED_HOST))
        .flatten()
        .or_else(|| headers.get(HOST));
    let origin = headers
        .get(ORIGIN)
        .and_then(|origin| origin.to_str().ok()?.split_once("://"));
    match (origin, host.and_then(|host| host.to_str().ok())) {
        (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Sets or deletes the cookie.
pub(super) fn write(change: &CookieChange, parts: &Parts, response: &mut Response<Body>) {
    let (token, lifetime) = match change {
        CookieChange::Set(token) => (token.expose_secret(), LIFETIME_SECONDS),
        CookieChange::Delete => ("", 0),
    };
    let secure = if is_encrypted(&parts.headers) {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{NAME}={token}; Path=/graphql; Max-Age={lifetime}; HttpOnly; SameSite=Strict{secure}"
    );
    if let Ok(mut cookie) = HeaderValue::try_from(cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// Whether the page was loaded over TLS. A proxy may terminate TLS, so the origin decides.
fn is_encrypted(headers: &HeaderMap) -> bool {
    headers
        .get(ORIGIN)
        .is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_a_page_of_this_server_is_an_own_page() {
        let own = |pairs: &[_]| is_own_page(&headers(pairs), false);
        let host = ("host", "board.example:3001");
        assert!(own(&[host, ("origin", "https://board.example:3001")]));
        assert!(own(&[host, ("origin", "http://Board.example:3001")]));
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(!own(&[host]));
        assert!(!own(&[host, ("origin", "null")]));
        assert!(!own(&[host, ("origin", "https://board.example")]));
        assert!(!own(&[
            host,
            ("origin", "https://board.example:3001.evil.example")
        ]));
        for site in ["same-site", "cross-site", "none"] {
            assert!(!own(&[
                host,
                ("origin", "https://board.example:3001"),
                ("sec-fetch-site", site)
            ]));
        }
        let forwarded = headers(&[
            ("host", "10.0.0.7"),
            ("x-forwarded-host", "board.example"),
            ("origin", "https://board.example"),
        ]);
        assert!(is_own_page(&forwarded, true));
        assert!(!is_own_page(&forwarded, false));
    }
}

//! The session of our own page: its refresh token is in a cookie that no script can read, and never in an
//! answer. The cookie gives no rights by itself; all it can do is to be traded by `refreshSession`.
//!
//! Another site's page cannot use it: the browser does not send it along (`SameSite=Strict`), the header that
//! asks for it cannot be sent across origins without leave (which CORS does not give), and the page's origin is
//! looked at besides.

use axum::body::Body;
use axum::http::header::{HOST, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use secrecy::ExposeSecret as _;

use super::answer::Refusal;
use super::cookies;
use crate::graphql::refresh_tokens::{CookieChange, Jar, RefreshTokens};

/// The header that asks for the cookie: `XBoard-Session: cookie`.
const WISH: HeaderName = HeaderName::from_static("xboard-session");
/// What the browser says of the page that asks; a script cannot write it.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const NAME: &str = "xboard_session";
/// As long as a refresh token is good.
const LIFETIME_SECONDS: u32 = 30 * 24 * 60 * 60;

/// Where the refresh tokens of a request go.
pub(super) fn refresh_tokens(parts: &Parts, behind_proxy: bool) -> Result<RefreshTokens, Refusal> {
    let own_page = is_own_page(&parts.headers, behind_proxy);
    match parts.headers.get(&WISH) {
        None if own_page => Ok(RefreshTokens::Withheld),
        None => Ok(RefreshTokens::Answered),
        Some(wish) if wish != "cookie" => Err(Refusal::malformed(
            "The header `XBoard-Session` can only be `cookie`.",
        )),
        Some(_) if own_page => Ok(RefreshTokens::Cookie(Jar::new(cookies::sent(
            &parts.headers,
            NAME,
        )))),
        Some(_) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "FORBIDDEN",
            "The session cookie is for this server's own pages.",
        )),
    }
}

/// The same for answers that come bit by bit, whose headers are gone before a token is made.
pub(super) fn of_stream(headers: &HeaderMap, behind_proxy: bool) -> RefreshTokens {
    if is_own_page(headers, behind_proxy) {
        RefreshTokens::Withheld
    } else {
        RefreshTokens::Answered
    }
}

/// Whether a page of this very server asks. The browser says so itself, but only over a connection that it
/// trusts; over others the origin tells.
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

/// Writes into the answer what became of the cookie.
pub(super) fn write(change: &CookieChange, parts: &Parts, response: &mut Response<Body>) {
    let (token, lifetime) = match change {
        CookieChange::Keep(token) => (token.expose_secret(), LIFETIME_SECONDS),
        CookieChange::Forget => ("", 0),
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

/// Whether the page came over TLS, which a proxy in front speaks: the browser names the scheme.
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
    fn only_a_page_of_this_server_is_our_own() {
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

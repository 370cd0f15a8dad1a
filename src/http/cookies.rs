//! Reading the cookies that a browser sends along.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use secrecy::SecretString;

/// The value of a cookie. Of two with this name one was planted: neither is believed.
pub(super) fn sent(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(known, _)| *known == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, axum::http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_not_believed() {
        let token = |pairs: &[_]| {
            sent(&headers(pairs), "xboard_session").map(|token| token.expose_secret().to_owned())
        };
        let once = "theme=dark; xboard_session=abc; x=y";
        assert_eq!(token(&[("cookie", once)]), Some("abc".to_owned()));
        assert_eq!(token(&[("cookie", "xboard_sessions=abc")]), None);
        assert_eq!(
            token(&[("cookie", "xboard_session=abc; xboard_session=def")]),
            None
        );
        assert_eq!(
            token(&[("cookie", "xboard_session=abc"), ("cookie", once)]),
            None
        );
    }
}

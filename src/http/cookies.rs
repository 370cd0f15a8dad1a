//! Reading the `Cookie` header.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use cookie::Cookie;
use secrecy::SecretString;

/// The value of a cookie. If the browser sends two cookies of this name, another site may have planted one of
/// them: neither is accepted.
pub(super) fn read(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let mut cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == name);
    match (cookies.next(), cookies.next()) {
        (Some(cookie), None) => Some(cookie.value().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn two_cookies_of_one_name_are_not_accepted() {
        let token = |values: &[&'static str]| {
            let headers = values
                .iter()
                .map(|value| (COOKIE, HeaderValue::from_static(value)))
                .collect();
            read(&headers, "xboard_session").map(|token| token.expose_secret().to_owned())
        };
        let once = "theme=dark; xboard_session=abc; x=y";
        assert_eq!(token(&[once]), Some("abc".to_owned()));
        assert_eq!(token(&["xboard_sessions=abc"]), None);
        assert_eq!(token(&["xboard_session=abc; xboard_session=def"]), None);
        assert_eq!(token(&["xboard_session=abc", once]), None);
    }
}

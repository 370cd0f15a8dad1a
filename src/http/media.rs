//! What the client wants to read and what it sends: the headers `Accept` and `Content-Type`.

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};

use super::answer::Refusal;

/// The forms an answer can have. The body is the same; what the status says is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status says whether the operation was carried out.
    GraphQlResponse,
    /// `application/json`: what clients of before the specification expect; 200 for whatever was understood.
    Json,
}

impl Media {
    /// The form that the client likes best. Without a wish it is the older one, as the specification's audit
    /// asks for: a client that knows the newer one names it. `None`: nothing it accepts can be given.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut wishes = headers.get_all(ACCEPT).iter().peekable();
        if wishes.peek().is_none() {
            return Some(Self::Json);
        }
        let mut best: Option<(u16, Self)> = None;
        for wish in wishes
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','))
        {
            let Some((weight, media)) = wish_of(wish) else {
                continue;
            };
            if weight > 0 && best.is_none_or(|(heaviest, _)| weight > heaviest) {
                best = Some((weight, media));
            }
        }
        best.map(|(_, media)| media)
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// One entry of `Accept`: its weight in thousandths and the form it means.
fn wish_of(wish: &str) -> Option<(u16, Media)> {
    let mut parts = wish.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media = match parts.next()?.as_str() {
        "application/graphql-response+json" => Media::GraphQlResponse,
        "application/json" | "application/*" | "*/*" => Media::Json,
        _ => return None,
    };
    let mut weight = 1000;
    for parameter in parts {
        match parameter.split_once('=') {
            Some(("q", value)) => weight = thousandths(value)?,
            Some(("charset", value)) if !is_utf8(value) => return None,
            _ => {}
        }
    }
    Some((weight, media))
}

/// `0.85` is 850. By hand, because a weight has at most three digits and no exponent.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match whole {
        "1" => Some(1000),
        "0" => format!("{fraction:0<3}").parse().ok(),
        _ => None,
    }
}

fn is_utf8(charset: &str) -> bool {
    matches!(
        charset.trim_matches('"').to_ascii_lowercase().as_str(),
        "utf-8" | "utf8"
    )
}

/// Refuses a body that is not plain JSON in UTF-8. A page of another site cannot send this type without
/// asking first (CORS), which a form could.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let refusal = |message| {
        Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "BAD_USER_INPUT",
            message,
        ))
    };
    let Some(Ok(content_type)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return refusal("Send the operation as JSON, with `Content-Type: application/json`.");
    };
    let mut parts = content_type.split(';').map(str::trim);
    if !parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
    {
        return refusal("Send the operation as JSON, with `Content-Type: application/json`.");
    }
    for parameter in parts {
        if let Some((name, value)) = parameter.split_once('=')
            && name.eq_ignore_ascii_case("charset")
            && !is_utf8(value)
        {
            return refusal("Send the operation in UTF-8.");
        }
    }
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return refusal("Send the operation uncompressed.");
    }
    Ok(())
}

/// Whether the client accepts gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let encodings = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','));
    encodings
        .filter_map(|encoding| {
            let (name, parameters) = encoding.split_once(';').unwrap_or((encoding, ""));
            let is_gzip = name.trim().eq_ignore_ascii_case("gzip");
            let quality = parameters.trim().strip_prefix("q=").unwrap_or("1");
            is_gzip.then(|| thousandths(quality).unwrap_or(0))
        })
        .any(|quality| quality > 0)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepted(accept: &'static str) -> Option<Media> {
        Media::accepted(&HeaderMap::from_iter([(
            ACCEPT,
            HeaderValue::from_static(accept),
        )]))
    }

    #[test]
    fn the_client_gets_what_it_likes_best() {
        use Media::{GraphQlResponse, Json};
        assert_eq!(Media::accepted(&HeaderMap::new()), Some(Json));
        for (accept, media) in [
            ("application/graphql-response+json", Some(GraphQlResponse)),
            ("application/json", Some(Json)),
            (
                "application/graphql-response+json, application/json",
                Some(GraphQlResponse),
            ),
            (
                "application/graphql-response+json;q=0.9, application/json",
                Some(Json),
            ),
            (
                "application/json; q=0.5, Application/GraphQL-Response+JSON; q=0.51",
                Some(GraphQlResponse),
            ),
            ("*/*", Some(Json)),
            ("text/html, application/*;q=0.1", Some(Json)),
            (
                "application/graphql-response+json; charset=utf-8",
                Some(GraphQlResponse),
            ),
            ("application/graphql-response+json; charset=latin-1", None),
            ("application/json;q=0", None),
            ("text/html", None),
        ] {
            assert_eq!(accepted(accept), media, "{accept}");
        }
    }

    #[test]
    fn only_plain_json_is_read() {
        let verdict = |content_type| {
            let headers =
                HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            require_json(&headers).is_ok()
        };
        for good in [
            "application/json",
            "application/json; charset=UTF-8",
            "Application/JSON;charset=\"utf-8\"",
        ] {
            assert!(verdict(good), "{good}");
        }
        for wrong in [
            "text/plain",
            "application/json; charset=utf-16",
            "multipart/form-data",
            "application/jsonx",
        ] {
            assert!(!verdict(wrong), "{wrong}");
        }
        assert!(require_json(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_quality_of_zero_refuses_gzip() {
        for (value, accepted) in [
            ("gzip", true),
            ("br;q=1.0, GZip;q=0.8, *;q=0.1", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("deflate, br", false),
            ("", false),
        ] {
            let headers =
                HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(accepts_gzip(&headers), accepted, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}

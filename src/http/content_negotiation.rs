//! Content negotiation: the headers `Accept`, `Accept-Encoding` and `Content-Type` (RFC 9110, section 12).

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use mediatype::names::{_STAR, APPLICATION, CHARSET, EVENT_STREAM, JSON, Q, TEXT};
use mediatype::{MediaType as MediaTypeHeader, MediaTypeList, Name, ReadParams as _};

use super::response::HttpError;
use crate::graphql::error::BAD_USER_INPUT;

const GRAPHQL_RESPONSE: Name<'_> = Name::new_unchecked("graphql-response");

/// The media types of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: the status says whether the operation was executed.
    GraphQlResponse,
    /// `application/json`: older clients expect status 200 for every well-formed request.
    Json,
    /// `text/event-stream`: the responses of a subscription, as they are produced.
    EventStream,
}

impl MediaType {
    /// The types of a single response, by preference: it decides for clients that accept both equally, as with
    /// `*/*`. The audit of GraphQL over HTTP asks for the older type first: a client of the newer one names it.
    pub(super) const SINGLE: &[Self] = &[Self::Json, Self::GraphQlResponse];
    /// These, and the type of a stream of responses.
    pub(super) const ALL: &[Self] = &[Self::Json, Self::GraphQlResponse, Self::EventStream];

    /// The available type that the client prefers; `None` if it accepts none. Without the header it is JSON.
    pub(super) fn negotiate(headers: &HeaderMap, available: &[Self]) -> Option<Self> {
        if !headers.contains_key(ACCEPT) {
            return Some(Self::Json);
        }
        let mut ranges: Vec<MediaRange<'_>> = values(headers, ACCEPT)
            .flat_map(MediaTypeList::new)
            .filter_map(|range| MediaRange::new(range.ok()?))
            .collect();
        // A stable sort: of equal ranges the first wins.
        ranges.sort_by(|a, b| b.quality.total_cmp(&a.quality));
        // The most specific range decides about a type, so that `*/*, text/html;q=0` excludes HTML.
        let range_of = |media: Self| {
            let matching = ranges.iter().filter(move |range| range.matches(media));
            matching.reduce(|a, b| {
                if b.specificity() > a.specificity() {
                    b
                } else {
                    a
                }
            })
        };
        ranges
            .iter()
            .filter(|range| range.quality > 0.0)
            .find_map(|range| {
                let decides = |media: &&Self| range_of(**media) == Some(range);
                available.iter().find(decides).copied()
            })
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::EventStream => "text/event-stream",
        }
    }

    const fn header(self) -> MediaTypeHeader<'static> {
        match self {
            Self::GraphQlResponse => {
                MediaTypeHeader::from_parts(APPLICATION, GRAPHQL_RESPONSE, Some(JSON), &[])
            }
            Self::Json => MediaTypeHeader::new(APPLICATION, JSON),
            Self::EventStream => MediaTypeHeader::new(TEXT, EVENT_STREAM),
        }
    }
}

/// One entry of `Accept`.
#[derive(Debug, PartialEq)]
struct MediaRange<'a> {
    range: MediaTypeHeader<'a>,
    quality: f32,
}

impl<'a> MediaRange<'a> {
    /// `None` if the quality is invalid, or the client does not read UTF-8.
    fn new(range: MediaTypeHeader<'a>) -> Option<Self> {
        let quality = match range.get_param(Q) {
            Some(quality) => parse_quality(quality.as_str())?,
            None => 1.0,
        };
        is_utf8(&range).then_some(Self { range, quality })
    }

    fn matches(&self, media: MediaType) -> bool {
        let media = media.header();
        match self.specificity() {
            0 => true,
            1 => self.range.ty == media.ty,
            _ => self.range.essence() == media.essence(),
        }
    }

    fn specificity(&self) -> u8 {
        u8::from(self.range.ty != _STAR) + u8::from(self.range.subty != _STAR)
    }
}

/// The `q` parameter: a number from 0 to 1.
fn parse_quality(text: &str) -> Option<f32> {
    let quality = text.parse().ok()?;
    (0.0..=1.0).contains(&quality).then_some(quality)
}

fn is_utf8(media: &MediaTypeHeader<'_>) -> bool {
    media.get_param(CHARSET).is_none_or(|charset| {
        let charset = charset.unquoted_str();
        charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
    })
}

fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok())
}

/// Whether the client accepts gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let encodings = values(headers, ACCEPT_ENCODING).flat_map(|list| list.split(','));
    encodings
        .map(|encoding| encoding.split_once(';').unwrap_or((encoding, "q=1")))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("gzip"))
        .filter_map(|(_, quality)| parse_quality(quality.trim().strip_prefix("q=")?))
        .any(|quality| quality > 0.0)
}

/// Refuses a body that is not plain JSON in UTF-8. A page of another origin cannot send this type without a
/// CORS preflight, unlike the types of HTML forms.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), HttpError> {
    let refuse = |message| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Err(HttpError::new(status, BAD_USER_INPUT, message))
    };
    let content_type = values(headers, CONTENT_TYPE)
        .next()
        .and_then(|value| MediaTypeHeader::parse(value).ok());
    let Some(content_type) =
        content_type.filter(|media| media.essence() == MediaType::Json.header())
    else {
        return refuse("Send the operation as JSON, with `Content-Type: application/json`.");
    };
    if !is_utf8(&content_type) {
        return refuse("Send the operation in UTF-8.");
    }
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return refuse("Send the operation uncompressed.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn negotiate(accept: &'static str) -> Option<MediaType> {
        let value = HeaderValue::from_static(accept);
        MediaType::negotiate(&HeaderMap::from_iter([(ACCEPT, value)]), MediaType::ALL)
    }

    #[test]
    fn the_client_gets_the_type_that_it_prefers() {
        use MediaType::{EventStream, GraphQlResponse, Json};
        let headers = HeaderMap::new();
        assert_eq!(MediaType::negotiate(&headers, MediaType::ALL), Some(Json));
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
            ("text/html", None),
            ("", None),
            ("text/event-stream", Some(EventStream)),
            (
                "application/graphql-response+json, application/json, text/event-stream, multipart/mixed",
                Some(GraphQlResponse),
            ),
        ] {
            assert_eq!(negotiate(accept), media, "{accept}");
        }
    }

    #[test]
    fn a_quality_of_zero_excludes_a_type() {
        use MediaType::{GraphQlResponse, Json};
        for (accept, media) in [
            ("application/json;q=0", None),
            ("text/event-stream;q=0", None),
            ("text/event-stream;q=0, application/json", Some(Json)),
            ("*/*, application/json;q=0", Some(GraphQlResponse)),
            (
                "application/*, application/json;q=0.0, */*;q=0.1",
                Some(GraphQlResponse),
            ),
            ("application/json, */*;q=0", Some(Json)),
        ] {
            assert_eq!(negotiate(accept), media, "{accept}");
        }
    }

    #[test]
    fn a_quality_of_zero_excludes_gzip() {
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

    #[test]
    fn only_plain_json_is_accepted() {
        let is_accepted = |content_type| {
            let headers =
                HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            require_json(&headers).is_ok()
        };
        for valid in [
            "application/json",
            "application/json; charset=UTF-8",
            "Application/JSON;charset=\"utf-8\"",
        ] {
            assert!(is_accepted(valid), "{valid}");
        }
        for invalid in [
            "text/plain",
            "application/json; charset=utf-16",
            "multipart/form-data",
            "application/jsonx",
        ] {
            assert!(!is_accepted(invalid), "{invalid}");
        }
        assert!(require_json(&HeaderMap::new()).is_err());
    }
}

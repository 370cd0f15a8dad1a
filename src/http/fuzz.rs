//! The fuzzing targets of this module: its parsers. See `src/fuzzing.rs`.

use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, Uri};

use super::content_negotiation::{MediaType, require_json};
use super::{bearer, cookies, oauth, request_parameters};

type Parser = fn(&[u8]);

pub(crate) const TARGETS: &[(&str, Parser)] = &[
    ("operation", read_operation),
    ("authorization", read_authorization),
    ("media", read_media),
    ("consent", read_consent),
];

fn read_operation(bytes: &[u8]) {
    drop(request_parameters::from_body(bytes));
    let text = String::from_utf8_lossy(bytes);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    drop(request_parameters::from_query(pairs.collect()));
}

fn read_authorization(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(token) = bearer::token_of(&text) {
        assert!(!token.is_empty() && token.len() < text.len());
    }
}

fn read_media(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.append(ACCEPT, value.clone());
    headers.append(CONTENT_TYPE, value);
    let _ = MediaType::negotiate(&headers, MediaType::ALL);
    drop(require_json(&headers));
}

/// The callback of Shopify's OAuth flow.
fn read_consent(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(uri) = format!("/oauth/callback?{text}").parse::<Uri>() else {
        return;
    };
    let (mut parts, ()): (Parts, ()) = Request::new(()).into_parts();
    parts.uri = uri;
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        parts.headers.insert(COOKIE, value);
        drop(cookies::read(&parts.headers, "xboard_install"));
    }
    drop(oauth::fields(&parts));
}

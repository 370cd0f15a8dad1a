//! The parsers of this room, for what `src/fuzzing.rs` sends them.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};

use super::{bearer, media, operation};

type Parser = fn(&[u8]);

pub(crate) const TARGETS: &[(&str, Parser)] = &[
    ("operation", read_operation),
    ("authorization", read_authorization),
    ("media", read_media),
];

fn read_operation(bytes: &[u8]) {
    if let Ok(parameters) = operation::from_body(bytes) {
        drop(parameters.with_text("{ __typename }"));
    }
    let text = String::from_utf8_lossy(bytes);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    drop(operation::from_query(pairs.collect()));
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
    let _ = media::Media::accepted(&headers);
    drop(media::require_json(&headers));
}

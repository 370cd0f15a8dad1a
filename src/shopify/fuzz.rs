//! Fuzz targets for the parsers of Shopify's responses, run by `src/fuzzing.rs`. A proxy or a later
//! API version may send anything.

use bytes::Bytes;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::SecretString;

use super::{InstallableApp, jsonl, response, webhook_signature};

type Parser = fn(&[u8]);

pub(crate) const TARGETS: &[(&str, Parser)] = &[
    ("line", read_line),
    ("answer", read_answer),
    ("signature", read_signature),
    ("signed_fields", read_signed_fields),
];

fn read_line(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        drop(jsonl::read_line(line));
    }
}

fn read_answer(bytes: &[u8]) {
    drop(response::parse_body(Bytes::copy_from_slice(bytes)));
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        headers.insert(RETRY_AFTER, value);
    }
    for status in [200, 302, 401, 402, 404, 423, 429, 500, 599] {
        drop(response::check_status(status, &headers));
    }
}

fn read_signature(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let secrets = [SecretString::from("hush")];
    assert!(
        webhook_signature::verify(b"{\"id\":7}", &text, &secrets).is_none(),
        "a made-up signature was accepted"
    );
}

fn read_signed_fields(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let fields = text.split('&').map(|field| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        (name.to_owned(), value.to_owned())
    });
    let fields: Vec<_> = fields.collect();
    let app = InstallableApp {
        client_id: "id".to_owned(),
        client_secret: SecretString::from("hush"),
        scopes: String::new(),
    };
    assert!(!app.signed(&fields), "a made-up signature was accepted");
}

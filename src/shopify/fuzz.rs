//! The parsers of this room, for what `src/fuzzing.rs` sends them. Shopify is no stranger, but a proxy in between, or a version of
//! its API that nobody has seen yet, may answer anything.

use bytes::Bytes;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::SecretString;

use super::{InstallableApp, answer, jsonl, signature};

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
    drop(answer::judge_body(Bytes::copy_from_slice(bytes)));
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        headers.insert(RETRY_AFTER, value);
    }
    for status in [200, 302, 401, 402, 404, 423, 429, 500, 599] {
        drop(answer::judge_status(status, &headers));
    }
}

fn read_signature(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let secrets = [SecretString::from("hush")];
    assert!(
        signature::verify(b"{\"id\":7}", &text, &secrets).is_none(),
        "out of thin air"
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
    assert!(!app.signed(&fields), "out of thin air");
}

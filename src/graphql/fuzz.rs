//! The fuzzing targets of this module: its parsers. See `src/fuzzing.rs`.

use async_graphql::{ScalarType, Value};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::ids::NodeId;
use super::limits::Limits;
use super::scalars::{Day, DecimalText, Instant};
use super::{cursor, document};
use crate::domain::ids::TenantId;

type Parser = fn(&[u8]);

pub(crate) const TARGETS: &[(&str, Parser)] = &[
    ("document", read_document),
    ("cursor", read_cursor),
    ("id", read_id),
    ("scalar", read_scalar),
];

/// The tenant of the corpus.
fn tenant() -> TenantId {
    TenantId::trusted(Uuid::from_bytes(*b"a store of words"))
}

fn read_document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let limits = Limits::default();
    if document::parse(&text, &limits, true).is_ok() {
        assert!(text.len() <= limits.characters);
    }
    drop(document::parse(&text, &limits, false));
}

fn read_cursor(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for list in [
        "orders/TOTAL_DESC",
        "orders/PROCESSED_AT_DESC",
        "products/TITLE_ASC",
    ] {
        let _ = cursor::decode::<(Decimal, i64)>(list, tenant(), &text);
        let _ = cursor::decode::<(DateTime<Utc>, i64)>(list, tenant(), &text);
        if let Some(key) = cursor::decode::<(String, i64)>(list, tenant(), &text) {
            let again = cursor::encode(list, tenant(), &key);
            assert_eq!(cursor::decode(list, tenant(), &again), Some(key));
        }
    }
}

fn read_id(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = NodeId::decode_tenant(&text);
    if let Some(id) = NodeId::decode(&text, tenant()) {
        assert_eq!(NodeId::decode(&id.encode(tenant()), tenant()), Some(id));
        let other = TenantId::trusted(Uuid::from_bytes(*b"another of words"));
        assert!(matches!(id, NodeId::User(_)) || NodeId::decode(&text, other).is_none());
    }
}

fn read_scalar(bytes: &[u8]) {
    let value = || Value::String(String::from_utf8_lossy(bytes).into_owned());
    if let Ok(day) = Day::parse(value()) {
        assert_eq!(day.to_value(), value());
    }
    drop(DecimalText::parse(value()));
    if let Ok(instant) = Instant::parse(value()) {
        drop(instant.to_value());
    }
}

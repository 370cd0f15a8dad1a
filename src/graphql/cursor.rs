//! Cursors: where an item stands in a list. Opaque to clients, and good only for the list, the order of it and
//! the store that they came from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::domain::ids::TenantId;

/// Moves when the meaning of what follows does: older cursors are refused then.
const VERSION: u8 = 1;

/// The cursor of the item with this key in a list.
pub(super) fn encode<K: Serialize>(list: &str, tenant: TenantId, key: &K) -> String {
    let tuple = (VERSION, list, tenant.uuid(), key);
    let bytes = serde_json::to_vec(&tuple).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key in a cursor; `None` unless it came from this list of this store.
pub(super) fn decode<K: DeserializeOwned>(list: &str, tenant: TenantId, text: &str) -> Option<K> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    // No row's key holds a NUL; a made-up one would be the database's to refuse.
    if String::from_utf8_lossy(&bytes).contains("\\u0000") {
        return None;
    }
    let (version, of, store, key): (u8, String, Uuid, K) = serde_json::from_slice(&bytes).ok()?;
    (version == VERSION && of == list && store == tenant.uuid()).then_some(key)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let (ours, theirs) = (TenantId::generate(), TenantId::generate());
        let cursor = encode("orders/TOTAL_DESC", ours, &(Decimal::new(1_062, 2), 7_i64));
        let read = |list, tenant| decode::<(Decimal, i64)>(list, tenant, &cursor);
        assert_eq!(
            read("orders/TOTAL_DESC", ours),
            Some((Decimal::new(1_062, 2), 7))
        );
        assert_eq!(read("orders/PROCESSED_AT_DESC", ours), None);
        assert_eq!(read("orders/TOTAL_DESC", theirs), None);
        assert_eq!(decode::<i64>("orders/TOTAL_DESC", ours, &cursor), None);
    }

    proptest! {
        #[test]
        fn an_instant_comes_back_exactly(micros in 0i64..4_000_000_000_000_000, id in any::<i64>()) {
            let tenant = TenantId::generate();
            let key = (DateTime::<Utc>::from_timestamp_micros(micros).unwrap(), id);
            prop_assert_eq!(decode("list", tenant, &encode("list", tenant, &key)), Some(key));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            prop_assert_eq!(decode::<(String, i64)>("list", TenantId::generate(), &text), None);
        }
    }
}

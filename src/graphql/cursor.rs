//! Cursors: positions in a list. They are opaque to clients, and valid only for the same list, sort
//! order and tenant.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::domain::ids::TenantId;

/// The version of the format. Cursors of other versions are rejected.
const VERSION: u8 = 1;

/// The cursor of the item with this key.
pub(super) fn encode<K: Serialize>(list: &str, tenant: TenantId, key: &K) -> String {
    let tuple = (VERSION, list, tenant.uuid(), key);
    let bytes = serde_json::to_vec(&tuple).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key in a cursor. `None` if the cursor belongs to another list or tenant.
pub(super) fn decode<K: DeserializeOwned>(list: &str, tenant: TenantId, text: &str) -> Option<K> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    // No key contains a NUL. PostgreSQL would reject one in a forged cursor.
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

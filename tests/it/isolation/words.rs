//! What a store's answers hold, harvested from the answers themselves: ids, cursors and texts to ask another
//! store for, and the values that only this one has.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;

/// What is put into arguments.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) ids: BTreeSet<String>,
    pub(super) cursors: BTreeSet<String>,
    pub(super) texts: BTreeSet<String>,
    /// Every leaf of every answer, as it is written.
    pub(super) leaves: BTreeSet<String>,
}

impl Words {
    /// Takes in what an answer holds.
    pub(super) fn learn(&mut self, answer: &Value) {
        self.learn_as("", answer);
    }

    fn learn_as(&mut self, key: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.learn_as(name, value);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.learn_as(key, item);
                }
            }
            Value::String(text) => {
                self.leaves.insert(text.clone());
                let plain = key.to_lowercase();
                if plain.ends_with("cursor") {
                    self.cursors.insert(text.clone());
                } else if plain.ends_with("_id") || plain == "id" {
                    self.ids.insert(text.clone());
                } else if text.len() < 100 {
                    self.texts.insert(text.clone());
                }
            }
            Value::Number(number) => {
                self.leaves.insert(number.to_string());
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The same ids and cursors made to look like another store's own: the store that is written in them is
    /// replaced, what they point at stays.
    pub(super) fn forged(&self, from: Uuid, to: Uuid) -> Self {
        let swap = |text: &str| -> Option<String> {
            let (prefix, encoded) = text.split_once('_').unwrap_or(("", text));
            let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
            let raw = replaced(&bytes, from.as_bytes(), to.as_bytes());
            let written = replaced(&raw, from.to_string().as_bytes(), to.to_string().as_bytes());
            let encoded = URL_SAFE_NO_PAD.encode(written);
            Some(match prefix {
                "" => encoded,
                prefix => format!("{prefix}_{encoded}"),
            })
        };
        Self {
            ids: self.ids.iter().filter_map(|id| swap(id)).collect(),
            cursors: self.cursors.iter().filter_map(|text| swap(text)).collect(),
            ..Self::default()
        }
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let Some(at) = bytes.windows(from.len()).position(|window| window == from) else {
        return bytes.to_vec();
    };
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

//! The parsers of this room, for what `src/fuzzing.rs` sends them.

pub(crate) const TARGETS: &[(&str, fn(&[u8]))] = &[("delivery", super::webhooks::fuzz_delivery)];

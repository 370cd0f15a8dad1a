//! The parsers of this room, for what `src/fuzzing.rs` sends them.

type Parser = fn(&[u8]);

pub(crate) const TARGETS: &[(&str, Parser)] = &[("delivery", super::webhooks::fuzz_delivery)];

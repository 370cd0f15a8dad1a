//! The parsers of this module, for `src/fuzzing.rs`.

type Parser = fn(&[u8]);

pub(crate) const TARGETS: &[(&str, Parser)] = &[("delivery", super::webhooks::fuzz_delivery)];

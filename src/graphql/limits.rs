//! How much one operation, and one caller, may ask for. Everything is refused before it costs anything: the
//! text is counted before it is parsed, the document before it is validated, the operation before it is run.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

/// The most levels that selections may nest through fields and fragments together. Not a setting: it keeps
/// the program's own stack safe.
pub(super) const MAX_NESTED: usize = 32;
/// The most brackets that may be open at once, for the same reason.
pub(super) const MAX_BRACKETS: usize = 64;

/// How much one operation may ask for, and how much a caller may ask for at once and over time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many bytes the text of a document may have.
    pub characters: usize,
    /// How many tokens it may have.
    pub tokens: usize,
    /// How deep fields may nest. The introspection query of common tools needs 15.
    pub depth: usize,
    /// What one operation may cost: see `docs/limits.md`.
    pub complexity: usize,
    /// How many fields it may select, with every fragment written out where it is used.
    pub fields: usize,
    /// How many of them may have an alias.
    pub aliases: usize,
    /// How many fields it may have at its root.
    pub root_fields: usize,
    /// How many directives the document may carry.
    pub directives: usize,
    /// How many fields may be there a second time under the same name in the same selection.
    pub duplicate_fields: usize,
    /// How many operations of one tenant are carried out at once; more wait for their turn.
    pub operations_at_once: NonZeroU32,
    /// How many subscriptions of one tenant are open at once, and how many operations over one socket.
    pub subscriptions: usize,
    /// How long an operation waits for its turn.
    pub patience: Duration,
    /// What a tenant may spend at once; `None`: spending is not limited.
    pub budget: Option<Budget>,
}

/// A bucket of points that fills up by itself.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// What it holds when it is full.
    pub maximum: NonZeroU64,
    /// What it gains each second.
    pub restore_rate: NonZeroU64,
}

impl Default for Budget {
    fn default() -> Self {
        const MAXIMUM: NonZeroU64 = NonZeroU64::new(100_000).unwrap();
        const RESTORE_RATE: NonZeroU64 = NonZeroU64::new(10_000).unwrap();
        Self {
            maximum: MAXIMUM,
            restore_rate: RESTORE_RATE,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        const AT_ONCE: NonZeroU32 = NonZeroU32::new(16).unwrap();
        Self {
            characters: 64 * 1024,
            tokens: 5_000,
            depth: 15,
            complexity: 10_000,
            fields: 2_000,
            aliases: 100,
            root_fields: 40,
            directives: 50,
            duplicate_fields: 20,
            operations_at_once: AT_ONCE,
            subscriptions: 500,
            patience: Duration::from_secs(5),
            budget: Some(Budget::default()),
        }
    }
}

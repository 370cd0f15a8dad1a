//! The limits of one operation and of one caller. Each check runs before the work that it bounds: the text is
//! scanned before it is parsed, the document is measured before it is validated, the operation is charged
//! before it is executed.

use std::num::NonZeroU32;
use std::time::Duration;

use super::cost::BucketConfig;

/// The deepest nesting of selection sets, through fields and fragments together. It is not a setting because it
/// protects the stack of the program.
pub(super) const MAX_SELECTION_NESTING: usize = 32;
/// The most brackets that may be open at the same time, for the same reason.
pub(super) const MAX_OPEN_BRACKETS: usize = 64;

/// The limits of operations and callers. See `docs/limits.md`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of a document.
    pub characters: usize,
    /// The most lexical tokens of a document.
    pub tokens: usize,
    /// The deepest nesting of fields. The introspection query of common tools needs 15.
    pub depth: usize,
    /// The highest complexity of an operation.
    pub complexity: usize,
    /// The most fields of an operation, with each fragment counted wherever it is spread.
    pub fields: usize,
    /// The most of these fields with an alias.
    pub aliases: usize,
    /// The most fields of the root selection set.
    pub root_fields: usize,
    /// The most directives of a document.
    pub directives: usize,
    /// The most fields that repeat a response key of their selection set.
    pub duplicate_fields: usize,
    /// The most operations of one caller that run at the same time. Others wait for a slot.
    pub concurrent_operations: NonZeroU32,
    /// How long an operation waits for a slot.
    pub slot_timeout: Duration,
    /// The most open subscriptions of one tenant, and the most operations of one WebSocket.
    pub subscriptions: usize,
    /// The token bucket of each caller; `None`: costs are not limited.
    pub budget: Option<BucketConfig>,
}

impl Default for Limits {
    fn default() -> Self {
        const CONCURRENT_OPERATIONS: NonZeroU32 = NonZeroU32::new(16).unwrap();
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
            concurrent_operations: CONCURRENT_OPERATIONS,
            slot_timeout: Duration::from_secs(5),
            subscriptions: 500,
            budget: Some(BucketConfig::default()),
        }
    }
}

//! The time, as a value: the one place that asks the machine, so that a test can fix it.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// An instant that does not move, for tests.
    Fixed(DateTime<Utc>),
    /// The machine's clock, so much before or behind it, for tests of clocks that disagree.
    Shifted(TimeDelta),
    /// An instant that a test moves: microseconds since 1970.
    Moved(&'static AtomicI64),
}

impl Clock {
    /// The present instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine"
    )]
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(instant) => instant,
            Self::Shifted(by) => Utc::now() + by,
            Self::Moved(micros) => {
                DateTime::from_timestamp_micros(micros.load(Ordering::Relaxed)).unwrap_or_default()
            }
        }
    }
}

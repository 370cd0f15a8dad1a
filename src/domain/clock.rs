//! The current time as a value. This module is the only one that reads the system clock, so that
//! tests can control the time.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// A source of the current time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system clock.
    System,
    /// A fixed instant, for tests.
    Fixed(DateTime<Utc>),
    /// The system clock with an offset, for tests of clock differences.
    Shifted(TimeDelta),
    /// An instant that a test changes, in microseconds since 1970.
    Moved(&'static AtomicI64),
}

impl Clock {
    /// The current instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the system clock"
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

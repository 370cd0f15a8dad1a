//! The shop's clock: real time, or an instant that a test sets and advances.
//!
//! It dates what happens in the shop and ends tokens and download addresses. Throttling and the time a
//! bulk operation takes are measured in machine time, because a client really waits for them.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// The instant so many milliseconds after 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant a duration later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(duration)))
    }

    /// The instant a duration earlier.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(duration)))
    }

    /// The instant as Shopify's search sees it: whole seconds.
    pub(crate) const fn second(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }

    /// The instant as a `chrono` value.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// The day of the instant in a time zone.
    pub(crate) fn day_in(self, zone: Tz) -> NaiveDate {
        self.to_utc().with_timezone(&zone).date_naive()
    }

    /// The first instant of a day in a time zone.
    pub(crate) fn start_of(day: NaiveDate, zone: Tz) -> Self {
        Self::local(day.and_time(chrono::NaiveTime::MIN), zone)
    }

    /// A wall time of a zone; a time that a clock change skips becomes the first one after the gap,
    /// one that occurs twice is the earlier.
    pub(crate) fn local(wall: NaiveDateTime, zone: Tz) -> Self {
        let mut wall = wall;
        for _ in 0..8 {
            if let Some(found) = zone.from_local_datetime(&wall).earliest() {
                return Self(found.timestamp_millis());
            }
            wall += chrono::TimeDelta::minutes(30);
        }
        Self(wall.and_utc().timestamp_millis())
    }
}

fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

/// A text that is no instant.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an instant such as 2026-03-01T19:00:00Z")]
pub struct NotAnInstant(String);

impl FromStr for Moment {
    type Err = NotAnInstant;
    fn from_str(text: &str) -> Result<Self, NotAnInstant> {
        DateTime::parse_from_rfc3339(text)
            .map(|instant| Self(instant.timestamp_millis()))
            .map_err(|_| NotAnInstant(text.to_owned()))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// What time it is in the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The machine's time plus so many milliseconds.
    Real {
        /// How far the shop's time is ahead, in milliseconds.
        ahead: i64,
    },
    /// An instant that stands still until it is moved.
    Fixed(Moment),
}

impl Clock {
    /// The machine's own time.
    pub const REAL: Self = Self::Real { ahead: 0 };

    /// Now, in the shop.
    pub fn now(self) -> Moment {
        match self {
            Self::Real { ahead } => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Moment(millis_of(since).saturating_add(ahead))
            }
            Self::Fixed(moment) => moment,
        }
    }

    /// Moves the shop's time forward.
    pub fn advance(&mut self, duration: Duration) {
        match self {
            Self::Real { ahead } => *ahead = ahead.saturating_add(millis_of(duration)),
            Self::Fixed(moment) => *moment = moment.after(duration),
        }
    }
}

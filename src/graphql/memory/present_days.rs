//! The present day of each time zone that stores are in: working out when a day begins and ends costs the
//! database more than reading a store.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::db::shops::PresentDay;

/// There are some six hundred zones, aliases included.
const MAX_ENTRIES: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct PresentDays {
    days: Mutex<HashMap<String, PresentDay>>,
}

impl PresentDays {
    /// The day of a zone in which an instant lies, where it is known.
    pub(super) fn of(&self, time_zone: &str, now: DateTime<Utc>) -> Option<PresentDay> {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let day = days.get(time_zone).copied();
        day.filter(|day| (day.starts..day.ends).contains(&now))
    }

    pub(super) fn note(&self, time_zone: &str, day: PresentDay) {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        if days.len() >= MAX_ENTRIES {
            days.clear();
        }
        days.insert(time_zone.to_owned(), day);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_day_is_the_present_one_until_it_ends() {
        let starts = DateTime::from_timestamp_secs(1_700_000_000).unwrap();
        let day = PresentDay {
            today: starts.date_naive(),
            starts,
            ends: starts + TimeDelta::hours(23),
        };
        let days = PresentDays::default();
        assert_eq!(days.of("Europe/Berlin", starts), None);
        days.note("Europe/Berlin", day);
        assert_eq!(days.of("Europe/Berlin", starts), Some(day));
        assert_eq!(days.of("Europe/Paris", starts), None);
        let last = day.ends - TimeDelta::microseconds(1);
        assert_eq!(days.of("Europe/Berlin", last), Some(day));
        assert_eq!(days.of("Europe/Berlin", day.ends), None);
        let before = starts - TimeDelta::microseconds(1);
        assert_eq!(days.of("Europe/Berlin", before), None);
    }
}

//! A cache of the present day of each time zone in use. PostgreSQL takes longer to compute where a day begins and ends
//! than to read a shop.

use chrono::{DateTime, Utc};
use moka::sync::Cache;

use crate::db::shops::LocalDay;

/// There are about 600 time zones, aliases included.
const MAX_ENTRIES: u64 = 1_000;

#[derive(Debug)]
pub(super) struct LocalDays {
    entries: Cache<String, LocalDay>,
}

impl Default for LocalDays {
    fn default() -> Self {
        Self {
            entries: Cache::new(MAX_ENTRIES),
        }
    }
}

impl LocalDays {
    /// The cached day of a time zone, if the instant lies in it.
    pub(super) fn get(&self, time_zone: &str, now: DateTime<Utc>) -> Option<LocalDay> {
        let day = self.entries.get(time_zone)?;
        day.contains(now).then_some(day)
    }

    pub(super) fn populate(&self, time_zone: &str, day: LocalDay) {
        self.entries.insert(time_zone.to_owned(), day);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_day_is_the_present_one_until_it_ends() {
        let starts = DateTime::from_timestamp_secs(1_700_000_000).unwrap();
        let day = LocalDay {
            day: starts.date_naive(),
            starts,
            ends: starts + TimeDelta::hours(23),
        };
        let days = LocalDays::default();
        assert_eq!(days.get("Europe/Berlin", starts), None);
        days.populate("Europe/Berlin", day);
        assert_eq!(days.get("Europe/Berlin", starts), Some(day));
        assert_eq!(days.get("Europe/Paris", starts), None);
        let last = day.ends - TimeDelta::microseconds(1);
        assert_eq!(days.get("Europe/Berlin", last), Some(day));
        assert_eq!(days.get("Europe/Berlin", day.ends), None);
        let before = starts - TimeDelta::microseconds(1);
        assert_eq!(days.get("Europe/Berlin", before), None);
    }
}

//! Which version each store's data has, as of the last news.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::ids::TenantId;

/// How many stores are remembered; then all are forgotten, and learnt again as they are asked for.
const MAX_ENTRIES: usize = 20_000;

/// What an answer about a store depends on besides what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The version of its data.
    pub version: i64,
    /// The present day there.
    pub today: NaiveDate,
    /// The instants at which that is the present day.
    pub day: Range<DateTime<Utc>>,
}

/// A lesson that has begun: what the database is about to say of a store.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    tenant: TenantId,
    serial: u64,
    epoch: u64,
}

impl Lesson {
    pub(super) const fn epoch(self) -> u64 {
        self.epoch
    }
}

#[derive(Debug, Default)]
pub(super) struct Stores {
    entries: Mutex<HashMap<TenantId, Entry>>,
    serials: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    /// Tells this entry from an earlier one of the same store.
    serial: u64,
    /// The newest version that was heard of since the entry is there.
    announced: i64,
    known: Option<Known>,
}

impl Stores {
    /// An entry that hears of changes from now on.
    pub(super) fn lesson(&self, tenant: TenantId, epoch: u64) -> Lesson {
        let mut entries = self.entries();
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        let entry = entries.entry(tenant).or_insert_with(|| Entry {
            serial: self.serials.fetch_add(1, Ordering::Relaxed),
            announced: 0,
            known: None,
        });
        Lesson {
            tenant,
            serial: entry.serial,
            epoch,
        }
    }

    pub(super) fn learn(&self, lesson: Lesson, known: Known) {
        let mut entries = self.entries();
        if let Some(entry) = entries.get_mut(&lesson.tenant)
            && entry.serial == lesson.serial
            // A day may have begun since, without any change.
            && entry.known.as_ref().is_none_or(|before| {
                (before.version, before.today) <= (known.version, known.today)
            })
        {
            let version = known.version.max(entry.announced);
            entry.known = Some(Known { version, ..known });
        }
    }

    /// The store's data has this version now; 0: a newer one.
    pub(super) fn changed(&self, tenant: TenantId, version: i64) {
        let mut entries = self.entries();
        if version == 0 {
            entries.remove(&tenant);
        } else if let Some(entry) = entries.get_mut(&tenant) {
            entry.announced = entry.announced.max(version);
            if let Some(known) = &mut entry.known {
                known.version = known.version.max(version);
            }
        }
    }

    pub(super) fn known(&self, tenant: TenantId) -> Option<Known> {
        self.entries().get(&tenant)?.known.clone()
    }

    pub(super) fn forget(&self, tenant: TenantId) {
        self.entries().remove(&tenant);
    }

    pub(super) fn clear(&self) {
        self.entries().clear();
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TenantId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(version: i64) -> Known {
        let start = DateTime::from_timestamp_secs(1_700_000_000).unwrap();
        Known {
            version,
            today: start.date_naive(),
            day: start..start + chrono::TimeDelta::days(1),
        }
    }

    #[test]
    fn news_that_comes_while_the_database_is_asked_is_not_forgotten() {
        let (stores, tenant) = (Stores::default(), TenantId::generate());
        let lesson = stores.lesson(tenant, 0);
        stores.changed(tenant, 8);
        stores.learn(lesson, known(7));
        assert_eq!(stores.known(tenant), Some(known(8)));
        stores.changed(tenant, 9);
        stores.learn(lesson, known(8));
        assert_eq!(stores.known(tenant), Some(known(9)));
    }

    #[test]
    fn a_lesson_from_before_a_store_was_forgotten_teaches_nothing() {
        let (stores, tenant) = (Stores::default(), TenantId::generate());
        let old = stores.lesson(tenant, 0);
        // From a process that does not say the version.
        stores.changed(tenant, 0);
        let new = stores.lesson(tenant, 0);
        stores.learn(old, known(7));
        assert_eq!(stores.known(tenant), None);
        stores.learn(new, known(8));
        assert_eq!(stores.known(tenant), Some(known(8)));
    }
}

//! The present data version and local day of each shop, updated by events.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use moka::ops::compute::Op;
use moka::sync::Cache;

use crate::db::shops::LocalDay;
use crate::domain::ids::TenantId;

const MAX_ENTRIES: u64 = 20_000;
/// The number of counters that detect events during a fill. Tenants share counters; a collision only discards a fill.
const COUNTERS: usize = 1_024;

/// The state of a shop that its figures depend on, besides the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopState {
    /// The version of the shop's data.
    pub version: i64,
    /// The present day in the shop's time zone.
    pub local_day: LocalDay,
}

/// A read-through fill that has begun. The fill is discarded if the entry was invalidated meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FillToken {
    tenant: TenantId,
    events: u64,
    pub(super) generation: u64,
}

#[derive(Debug)]
pub(super) struct ShopStates {
    entries: Cache<TenantId, ShopState>,
    hasher: RandomState,
    events: Vec<AtomicU64>,
}

impl Default for ShopStates {
    fn default() -> Self {
        Self {
            entries: Cache::new(MAX_ENTRIES),
            hasher: RandomState::new(),
            events: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl ShopStates {
    pub(super) fn begin_fill(&self, tenant: TenantId, generation: u64) -> FillToken {
        FillToken {
            tenant,
            events: self.events(tenant),
            generation,
        }
    }

    /// Stores a state that was read after the fill began, unless the tenant had an event since.
    pub(super) fn populate(&self, token: FillToken, state: ShopState) {
        let entry = self.entries.entry(token.tenant);
        entry.and_compute_with(|entry| {
            // An event increases the counter first and changes the entry afterwards, so this check misses no event.
            let is_newest = entry.is_none_or(|entry| {
                let cached = entry.into_value();
                (cached.version, cached.local_day.day) <= (state.version, state.local_day.day)
            });
            if is_newest && self.events(token.tenant) == token.events {
                Op::Put(state)
            } else {
                Op::Nop
            }
        });
    }

    /// Updates the data version after an event.
    pub(super) fn set_version(&self, tenant: TenantId, version: i64) {
        self.count_event(tenant);
        self.entries.entry(tenant).and_compute_with(|entry| {
            entry.map_or(Op::Nop, |entry| {
                let cached = entry.into_value();
                Op::Put(ShopState {
                    version: cached.version.max(version),
                    ..cached
                })
            })
        });
    }

    pub(super) fn get(&self, tenant: TenantId) -> Option<ShopState> {
        self.entries.get(&tenant)
    }

    pub(super) fn invalidate(&self, tenant: TenantId) {
        self.count_event(tenant);
        self.entries.invalidate(&tenant);
    }

    pub(super) fn clear(&self) {
        self.entries.invalidate_all();
    }

    fn count_event(&self, tenant: TenantId) {
        if let Some(counter) = self.counter(tenant) {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn events(&self, tenant: TenantId) -> u64 {
        let counter = self.counter(tenant);
        counter.map_or(0, |counter| counter.load(Ordering::Acquire))
    }

    fn counter(&self, tenant: TenantId) -> Option<&AtomicU64> {
        let hash = self.hasher.hash_one(tenant);
        let counters = u64::try_from(self.events.len()).ok()?;
        self.events.get(usize::try_from(hash % counters).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn state(version: i64) -> ShopState {
        let starts = DateTime::from_timestamp_secs(1_700_000_000).unwrap();
        ShopState {
            version,
            local_day: LocalDay {
                day: starts.date_naive(),
                starts,
                ends: starts + TimeDelta::days(1),
            },
        }
    }

    #[test]
    fn a_fill_is_discarded_when_an_event_comes_while_the_database_is_read() {
        let (states, tenant) = (ShopStates::default(), TenantId::generate());
        let token = states.begin_fill(tenant, 0);
        states.set_version(tenant, 8);
        states.populate(token, state(7));
        assert_eq!(states.get(tenant), None);
        let token = states.begin_fill(tenant, 0);
        states.populate(token, state(8));
        assert_eq!(states.get(tenant), Some(state(8)));
        states.set_version(tenant, 9);
        assert_eq!(states.get(tenant), Some(state(9)));
        states.set_version(tenant, 8);
        assert_eq!(states.get(tenant), Some(state(9)));
    }

    #[test]
    fn a_fill_that_began_before_an_invalidation_is_discarded() {
        let (states, tenant) = (ShopStates::default(), TenantId::generate());
        let old = states.begin_fill(tenant, 0);
        states.invalidate(tenant);
        let new = states.begin_fill(tenant, 0);
        states.populate(old, state(7));
        assert_eq!(states.get(tenant), None);
        states.populate(new, state(8));
        assert_eq!(states.get(tenant), Some(state(8)));
    }

    #[test]
    fn an_older_fill_does_not_replace_a_newer_one() {
        let (states, tenant) = (ShopStates::default(), TenantId::generate());
        let token = states.begin_fill(tenant, 0);
        states.populate(token, state(8));
        states.populate(token, state(7));
        assert_eq!(states.get(tenant), Some(state(8)));
    }
}

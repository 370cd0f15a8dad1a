//! Buckets of points, one a payer, that fill up by themselves. Each process counts for itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_graphql::Value;
use serde::Serialize;

use super::Payer;
use crate::domain::ids::TenantId;
use crate::graphql::error::ApiError;
use crate::graphql::limits::Budget;

/// The number of buckets at which those that are full again are dropped: a bucket that is not there is full.
const SWEEP_AT: usize = 10_000;

/// What an operation was charged.
#[derive(Clone, Copy, Debug)]
pub(in crate::graphql) struct Charge {
    payer: Payer,
    /// What it may cost at most, by what it asks for.
    pub(in crate::graphql) requested: u64,
}

/// What an operation cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// What it asked for.
    pub requested: u64,
    /// That without what was not there.
    pub actual: u64,
}

/// `extensions.cost`, in the shape of Shopify's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    #[serde(rename = "requestedQueryCost")]
    requested: u64,
    /// Null for what was not carried out.
    #[serde(rename = "actualQueryCost")]
    actual: Option<u64>,
    #[serde(rename = "throttleStatus")]
    status: Option<ThrottleStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThrottleStatus {
    maximum_available: u64,
    currently_available: u64,
    restore_rate: u64,
}

impl Cost {
    /// As a part of an answer.
    pub(in crate::graphql) fn value(&self) -> Value {
        // Three numbers and two objects: it does not fail.
        async_graphql::to_value(self).unwrap_or_default()
    }
}

/// Everybody's buckets.
#[derive(Debug)]
pub struct Buckets {
    budget: Option<Budget>,
    levels: Mutex<HashMap<Payer, Level>>,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    available: u64,
    at: Instant,
}

impl Level {
    /// What is there by now. The part of a second that has not yet given a whole point is kept for later.
    fn refill(&mut self, budget: Budget, now: Instant) {
        let rate = budget.restore_rate.get();
        let nanoseconds = now.saturating_duration_since(self.at).as_nanos();
        let gained = nanoseconds.saturating_mul(rate.into()) / 1_000_000_000;
        let gained = u64::try_from(gained).unwrap_or(u64::MAX);
        self.available = self.available.saturating_add(gained);
        if self.available >= budget.maximum.get() {
            self.available = budget.maximum.get();
            self.at = now;
        } else if gained > 0 {
            let taken = u128::from(gained).saturating_mul(1_000_000_000) / u128::from(rate);
            self.at += Duration::from_nanos(u64::try_from(taken).unwrap_or(u64::MAX));
        }
    }
}

impl Buckets {
    /// All of them full.
    #[must_use]
    pub fn new(budget: Option<Budget>) -> Self {
        Self {
            budget,
            levels: Mutex::default(),
        }
    }

    /// Has a tenant pay for an answer that is there already what it cost when it was made. `None`: there is not
    /// enough left.
    #[must_use]
    pub fn pay_again(&self, tenant: TenantId, price: Price, now: Instant) -> Option<Cost> {
        let (charge, paid) = self.charge(Payer::Tenant(tenant), price.requested, now);
        paid.ok()?;
        self.give_back(charge, price.actual, now);
        Some(self.report(charge, Some(price.actual), now))
    }

    /// Takes the points of an operation out of its payer's bucket, or says when they will be there.
    pub(in crate::graphql) fn charge(
        &self,
        payer: Payer,
        requested: u64,
        now: Instant,
    ) -> (Charge, Result<(), ApiError>) {
        let charge = Charge { payer, requested };
        let Some(budget) = self.budget else {
            return (charge, Ok(()));
        };
        // An operation that the bucket never holds enough for is refused as too large; here it waits for a
        // full one.
        let needed = requested.min(budget.maximum.get());
        let paid = self.with_level(payer, budget, now, |level| {
            match level.available.checked_sub(needed) {
                Some(rest) => {
                    level.available = rest;
                    Ok(())
                }
                None => Err(needed - level.available),
            }
        });
        let paid = paid.map_err(|missing| ApiError::Throttled {
            retry_after_seconds: missing.div_ceil(budget.restore_rate.get()),
        });
        (charge, paid)
    }

    /// Gives back what the operation did not use after all.
    pub(in crate::graphql) fn give_back(&self, charge: Charge, actual: u64, now: Instant) {
        if let Some(budget) = self.budget {
            let unused = charge.requested.saturating_sub(actual);
            self.with_level(charge.payer, budget, now, |level| {
                level.available = level
                    .available
                    .saturating_add(unused)
                    .min(budget.maximum.get());
            });
        }
    }

    /// What an operation cost, and what is left.
    pub(in crate::graphql) fn report(
        &self,
        charge: Charge,
        actual: Option<u64>,
        now: Instant,
    ) -> Cost {
        let status = self.budget.map(|budget| ThrottleStatus {
            maximum_available: budget.maximum.get(),
            currently_available: self
                .with_level(charge.payer, budget, now, |level| level.available),
            restore_rate: budget.restore_rate.get(),
        });
        Cost {
            requested: charge.requested,
            actual,
            status,
        }
    }

    fn with_level<T>(
        &self,
        payer: Payer,
        budget: Budget,
        now: Instant,
        work: impl FnOnce(&mut Level) -> T,
    ) -> T {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= SWEEP_AT {
            levels.retain(|_, level| {
                level.refill(budget, now);
                level.available < budget.maximum.get()
            });
        }
        let level = levels.entry(payer).or_insert(Level {
            available: budget.maximum.get(),
            at: now,
        });
        level.refill(budget, now);
        work(level)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    const PAYER: Payer = Payer::Address(None);

    fn buckets(maximum: u64, restore_rate: u64) -> Buckets {
        Buckets::new(Some(Budget {
            maximum: NonZeroU64::new(maximum).unwrap(),
            restore_rate: NonZeroU64::new(restore_rate).unwrap(),
        }))
    }

    fn wait(buckets: &Buckets, points: u64, now: Instant) -> Option<u64> {
        match buckets.charge(PAYER, points, now).1 {
            Ok(()) => None,
            Err(ApiError::Throttled {
                retry_after_seconds,
            }) => Some(retry_after_seconds),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_empties_and_fills_up_again() {
        let buckets = buckets(100, 10);
        let mut now = Instant::now();
        assert_eq!(wait(&buckets, 60, now), None);
        assert_eq!(wait(&buckets, 60, now), Some(2));
        assert_eq!(wait(&buckets, 40, now), None);
        now += Duration::from_secs(6);
        assert_eq!(wait(&buckets, 60, now), None);
        // What was refused cost nothing. The bucket is empty now, and many small steps fill it as a large one
        // does.
        assert_eq!(wait(&buckets, 10, now), Some(1));
        for _ in 0..999 {
            now += Duration::from_millis(1);
            assert_eq!(wait(&buckets, 10, now), Some(1));
        }
        now += Duration::from_millis(1);
        assert_eq!(wait(&buckets, 11, now), Some(1));
        assert_eq!(wait(&buckets, 10, now), None);
    }

    #[test]
    fn what_was_not_used_comes_back_but_never_more_than_the_bucket_holds() {
        let buckets = buckets(100, 10);
        let now = Instant::now();
        let (charge, paid) = buckets.charge(PAYER, 80, now);
        assert!(paid.is_ok());
        assert_eq!(wait(&buckets, 50, now), Some(3));
        buckets.give_back(charge, 30, now);
        assert_eq!(wait(&buckets, 70, now), None);
        let now = now + Duration::from_mins(1);
        buckets.give_back(charge, 0, now);
        assert_eq!(wait(&buckets, 100, now), None);
        assert_eq!(wait(&buckets, 1, now), Some(1));
    }

    #[test]
    fn each_has_a_bucket_of_their_own_and_full_ones_are_forgotten() {
        let buckets = buckets(10, 1);
        let mut now = Instant::now();
        for n in 0..20_000_u32 {
            let payer = Payer::Address(Some(std::net::Ipv4Addr::from(n).into()));
            assert!(buckets.charge(payer, 10, now).1.is_ok());
            if n == 9_000 {
                now += Duration::from_mins(1);
            }
        }
        assert!(buckets.levels.lock().unwrap().len() < 12_000);
    }
}

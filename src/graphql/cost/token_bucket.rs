//! Token buckets: each caller has a bucket of points that refills at a constant rate. Each process counts for
//! itself.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_graphql::Value;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use serde::Serialize;

use super::RateLimitKey;
use crate::graphql::error::ApiError;

/// The most buckets in memory. The one that was used least recently is evicted first; its caller then starts
/// with a full bucket.
const MAX_BUCKETS: u64 = 100_000;
const NANOSECONDS_PER_SECOND: u128 = 1_000_000_000;

/// The size of each bucket.
#[derive(Clone, Copy, Debug)]
pub struct BucketConfig {
    /// How many points a full bucket holds.
    pub capacity: NonZeroU64,
    /// How many points a bucket gains each second.
    pub refill_rate: NonZeroU64,
}

impl BucketConfig {
    /// How long an empty bucket takes to fill, in whole seconds.
    const fn seconds_to_fill(self) -> u64 {
        self.capacity.get().div_ceil(self.refill_rate.get())
    }
}

impl Default for BucketConfig {
    fn default() -> Self {
        const CAPACITY: NonZeroU64 = NonZeroU64::new(100_000).unwrap();
        const REFILL_RATE: NonZeroU64 = NonZeroU64::new(10_000).unwrap();
        Self {
            capacity: CAPACITY,
            refill_rate: REFILL_RATE,
        }
    }
}

/// Points that were taken out of a bucket for one operation.
#[derive(Clone, Copy, Debug)]
pub(in crate::graphql) struct Charge {
    key: RateLimitKey,
    /// The complexity of the operation, at least 1.
    pub(in crate::graphql) requested: u64,
}

/// `extensions.cost`: the costs of one operation, in the shape of Shopify's Admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::graphql) struct OperationCost {
    /// The complexity of the operation.
    #[serde(rename = "requestedQueryCost")]
    pub(in crate::graphql) requested: u64,
    /// The requested cost less the items that pages did not hold. Null if the operation was not executed.
    #[serde(rename = "actualQueryCost")]
    pub(in crate::graphql) actual: Option<u64>,
}

impl OperationCost {
    /// The cost as a value of the response's `extensions`.
    pub(in crate::graphql) fn value(self) -> Value {
        // Serialising two numbers cannot fail.
        async_graphql::to_value(self).unwrap_or_default()
    }
}

/// How full a bucket is: the content of the `RateLimit` and `RateLimit-Policy` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketStatus {
    /// The capacity of the bucket.
    pub capacity: u64,
    /// How long an empty bucket takes to fill.
    pub seconds_to_fill: u64,
    /// The points in the bucket now.
    pub available: u64,
}

#[derive(Debug)]
struct Bucket {
    available: u64,
    refilled_at: Instant,
}

impl Bucket {
    const fn full(config: BucketConfig, now: Instant) -> Self {
        Self {
            available: config.capacity.get(),
            refilled_at: now,
        }
    }

    /// Adds the points gained since the last refill. Time that has not yet gained a whole point is carried over.
    fn refill(&mut self, config: BucketConfig, now: Instant) {
        let rate = u128::from(config.refill_rate.get());
        let elapsed = now.saturating_duration_since(self.refilled_at).as_nanos();
        let gained = elapsed.saturating_mul(rate) / NANOSECONDS_PER_SECOND;
        self.add(u64::try_from(gained).unwrap_or(u64::MAX), config);
        if self.available == config.capacity.get() {
            self.refilled_at = now;
        } else if gained > 0 {
            let used = gained.saturating_mul(NANOSECONDS_PER_SECOND) / rate;
            self.refilled_at += Duration::from_nanos(u64::try_from(used).unwrap_or(u64::MAX));
        }
    }

    fn add(&mut self, points: u64, config: BucketConfig) {
        let sum = self.available.saturating_add(points);
        self.available = sum.min(config.capacity.get());
    }
}

/// The buckets of all callers.
#[derive(Debug)]
pub struct TokenBuckets {
    /// `None`: costs are not limited.
    config: Option<BucketConfig>,
    buckets: Cache<RateLimitKey, Arc<Mutex<Bucket>>>,
}

impl TokenBuckets {
    /// Buckets that start full.
    #[must_use]
    pub fn new(config: Option<BucketConfig>) -> Self {
        // A bucket that was idle for so long is full, like a new one.
        let idle = config.map_or(0, BucketConfig::seconds_to_fill);
        Self {
            config,
            buckets: Cache::builder()
                .max_capacity(MAX_BUCKETS)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_idle(Duration::from_secs(idle.clamp(1, 86_400)))
                .build(),
        }
    }

    /// Charges a response from the cache. False: the bucket holds too few points, and nothing was charged.
    #[must_use]
    pub fn charge_cached(&self, key: RateLimitKey, cost: u64, now: Instant) -> bool {
        self.charge(key, cost, now).is_ok()
    }

    /// Charges the requested cost of an operation, or says how long the caller has to wait.
    pub(in crate::graphql) fn charge(
        &self,
        key: RateLimitKey,
        requested: u64,
        now: Instant,
    ) -> Result<Charge, ApiError> {
        let charge = Charge { key, requested };
        let Some(config) = self.config else {
            return Ok(charge);
        };
        // An operation that costs more than a bucket ever holds needs a full one.
        let needed = requested.min(config.capacity.get());
        self.with_bucket(key, config, now, |bucket| {
            match bucket.available.checked_sub(needed) {
                Some(rest) => {
                    bucket.available = rest;
                    Ok(charge)
                }
                None => Err(ApiError::Throttled {
                    retry_after_seconds: (needed - bucket.available)
                        .div_ceil(config.refill_rate.get()),
                }),
            }
        })
    }

    /// Refunds the part of a charge that the operation did not use.
    pub(in crate::graphql) fn reconcile(&self, charge: Charge, actual: u64, now: Instant) {
        if let Some(config) = self.config {
            let unused = charge.requested.saturating_sub(actual);
            self.with_bucket(charge.key, config, now, |bucket| bucket.add(unused, config));
        }
    }

    /// How full the bucket of a caller is; `None` if costs are not limited.
    #[must_use]
    pub fn status(&self, key: RateLimitKey, now: Instant) -> Option<BucketStatus> {
        let config = self.config?;
        Some(BucketStatus {
            capacity: config.capacity.get(),
            seconds_to_fill: config.seconds_to_fill(),
            available: self.with_bucket(key, config, now, |bucket| bucket.available),
        })
    }

    fn with_bucket<T>(
        &self,
        key: RateLimitKey,
        config: BucketConfig,
        now: Instant,
        work: impl FnOnce(&mut Bucket) -> T,
    ) -> T {
        let bucket = self
            .buckets
            .get_with(key, || Arc::new(Mutex::new(Bucket::full(config, now))));
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.refill(config, now);
        work(&mut bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: RateLimitKey = RateLimitKey::Network(None);

    fn buckets(capacity: u64, refill_rate: u64) -> TokenBuckets {
        TokenBuckets::new(Some(BucketConfig {
            capacity: NonZeroU64::new(capacity).unwrap(),
            refill_rate: NonZeroU64::new(refill_rate).unwrap(),
        }))
    }

    fn wait(buckets: &TokenBuckets, points: u64, now: Instant) -> Option<u64> {
        match buckets.charge(KEY, points, now) {
            Ok(_) => None,
            Err(ApiError::Throttled {
                retry_after_seconds,
            }) => Some(retry_after_seconds),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_empties_and_refills() {
        let buckets = buckets(100, 10);
        let mut now = Instant::now();
        assert_eq!(wait(&buckets, 60, now), None);
        assert_eq!(wait(&buckets, 60, now), Some(2));
        assert_eq!(wait(&buckets, 40, now), None);
        now += Duration::from_secs(6);
        assert_eq!(wait(&buckets, 60, now), None);
        // A refused charge takes nothing. The bucket is empty now; many short refills add up to a long one.
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
    fn a_refund_never_overfills_a_bucket() {
        let buckets = buckets(100, 10);
        let now = Instant::now();
        let charge = buckets.charge(KEY, 80, now).unwrap();
        assert_eq!(wait(&buckets, 50, now), Some(3));
        buckets.reconcile(charge, 30, now);
        assert_eq!(wait(&buckets, 70, now), None);
        let now = now + Duration::from_mins(1);
        buckets.reconcile(charge, 0, now);
        assert_eq!(wait(&buckets, 100, now), None);
        assert_eq!(wait(&buckets, 1, now), Some(1));
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let buckets = buckets(10, 1);
        let now = Instant::now();
        for n in 0..150_000_u32 {
            let address = std::net::Ipv4Addr::from(n).into();
            let key = RateLimitKey::new(None, Some(address));
            assert!(buckets.charge(key, 10, now).is_ok());
        }
        buckets.buckets.run_pending_tasks();
        assert!(buckets.buckets.entry_count() <= MAX_BUCKETS);
    }
}

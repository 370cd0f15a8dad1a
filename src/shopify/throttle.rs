//! The query budget of a shop: a bucket that refills, as its responses report it. A query waits
//! until the bucket holds its last known cost. Nothing is assumed before the first response.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;

/// The cost of a query, as reported by its response.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Cost {
    /// The points that the bucket needed to contain.
    pub(super) requested_query_cost: Option<Decimal>,
    /// The bucket after the query.
    pub(super) throttle_status: Option<ThrottleStatus>,
}

/// The bucket, as reported by a response.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThrottleStatus {
    maximum_available: Decimal,
    currently_available: Decimal,
    restore_rate: Decimal,
}

impl Cost {
    /// The time until the bucket contains the requested points.
    pub(super) fn time_to_refill(&self) -> Duration {
        let Some(status) = &self.throttle_status else {
            return Duration::ZERO;
        };
        let requested = self.requested_query_cost.unwrap_or_default();
        time_to_gain(requested - status.currently_available, status.restore_rate)
    }
}

/// The query budget of one shop and one app.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    state: Mutex<ThrottleState>,
}

#[derive(Debug, Default)]
struct ThrottleState {
    bucket: Option<Bucket>,
    costs: HashMap<&'static str, Decimal>,
}

#[derive(Debug)]
struct Bucket {
    status: ThrottleStatus,
    seen_at: Instant,
}

impl Throttle {
    /// Takes the last known cost of the operation out of the bucket, or returns the time to wait.
    /// The response corrects the estimate.
    pub(super) fn try_reserve(
        &self,
        operation: &'static str,
        now: Instant,
    ) -> Result<(), Duration> {
        let mut state = self.state();
        let Some(cost) = state.costs.get(operation).copied() else {
            return Ok(());
        };
        let Some(bucket) = &mut state.bucket else {
            return Ok(());
        };
        bucket.refill(now);
        let status = &mut bucket.status;
        // A full bucket cannot gain more, so it must be enough.
        let needed = cost.min(status.maximum_available);
        if needed > status.currently_available {
            return Err(time_to_gain(
                needed - status.currently_available,
                status.restore_rate,
            ));
        }
        status.currently_available -= needed;
        Ok(())
    }

    /// Stores the cost and the bucket that a response reports.
    pub(super) fn observe(&self, operation: &'static str, cost: &Cost, now: Instant) {
        let mut state = self.state();
        if let Some(requested) = cost.requested_query_cost {
            state.costs.insert(operation, requested);
        }
        if let Some(status) = cost.throttle_status.clone() {
            state.bucket = Some(Bucket {
                status,
                seen_at: now,
            });
        }
    }

    fn state(&self) -> MutexGuard<'_, ThrottleState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.seen_at).as_millis();
        let elapsed = Decimal::from(u64::try_from(elapsed).unwrap_or(u64::MAX));
        let gained = elapsed
            .checked_mul(self.status.restore_rate)
            .map_or(Decimal::MAX, |gained| gained / Decimal::ONE_THOUSAND);
        self.status.currently_available = self
            .status
            .currently_available
            .saturating_add(gained)
            .min(self.status.maximum_available);
        self.seen_at = now;
    }
}

/// The time until the bucket has gained these points.
fn time_to_gain(points: Decimal, restore_rate: Decimal) -> Duration {
    if points <= Decimal::ZERO || restore_rate <= Decimal::ZERO {
        return Duration::ZERO;
    }
    let millis = points
        .checked_mul(Decimal::ONE_THOUSAND)
        .and_then(|points| points.checked_div(restore_rate))
        .and_then(|millis| millis.ceil().to_u64());
    Duration::from_millis(millis.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(requested: i64, available: i64) -> Cost {
        Cost {
            requested_query_cost: Some(requested.into()),
            throttle_status: Some(ThrottleStatus {
                maximum_available: 2000.into(),
                currently_available: available.into(),
                restore_rate: 100.into(),
            }),
        }
    }

    #[test]
    fn a_query_waits_until_its_last_known_cost_is_there() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(
            throttle.try_reserve("Orders", start),
            Ok(()),
            "the cost is not known yet"
        );
        throttle.observe("Orders", &cost(300, 100), start);
        assert_eq!(
            throttle.try_reserve("Shop", start),
            Ok(()),
            "the cost of this operation is not known"
        );
        assert_eq!(
            throttle.try_reserve("Orders", start),
            Err(Duration::from_secs(2))
        );
        assert_eq!(
            throttle.try_reserve("Orders", at(1500)),
            Err(Duration::from_millis(500))
        );
        assert_eq!(throttle.try_reserve("Orders", at(2000)), Ok(()));
        assert_eq!(
            throttle.try_reserve("Orders", at(2000)),
            Err(Duration::from_secs(3)),
            "the reserved points are gone"
        );
    }

    #[test]
    fn the_bucket_never_holds_more_than_its_maximum() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let later = start + Duration::from_hours(24);
        throttle.observe("Orders", &cost(2000, 1900), start);
        assert_eq!(throttle.try_reserve("Orders", later), Ok(()));
        assert_eq!(
            throttle.try_reserve("Orders", later),
            Err(Duration::from_secs(20))
        );
    }

    #[test]
    fn the_time_to_refill_is_what_is_missing_over_the_rate() {
        assert_eq!(cost(250, 100).time_to_refill(), Duration::from_millis(1500));
        assert_eq!(cost(50, 100).time_to_refill(), Duration::ZERO);
        assert_eq!(Cost::default().time_to_refill(), Duration::ZERO);
    }

    #[test]
    fn fractional_figures_are_read() {
        let cost: Cost = serde_json::from_str(
            r#"{"requestedQueryCost":12.5,"actualQueryCost":null,"throttleStatus":{"maximumAvailable":1000.0,"currentlyAvailable":10,"restoreRate":50.0}}"#,
        )
        .unwrap();
        assert_eq!(cost.time_to_refill(), Duration::from_millis(50));
    }
}

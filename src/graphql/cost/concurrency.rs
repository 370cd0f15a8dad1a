//! How many operations of one caller run at the same time. An operation waits for a free slot for a while, so
//! a burst is answered a little later instead of being refused.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::RateLimitKey;
use crate::graphql::error::ApiError;

/// The most callers whose slots are counted.
const MAX_KEYS: u64 = 100_000;
/// When the semaphore of an idle caller is dropped. Longer than any operation runs.
const IDLE: Duration = Duration::from_mins(5);

/// A semaphore for each caller.
#[derive(Debug)]
pub(in crate::graphql) struct ConcurrencyLimiter {
    slots: usize,
    timeout: Duration,
    semaphores: Cache<RateLimitKey, Arc<Semaphore>>,
}

impl ConcurrencyLimiter {
    /// Gives each caller `slots`, for which an operation waits until the timeout.
    pub(in crate::graphql) fn new(slots: NonZeroU32, timeout: Duration) -> Self {
        Self {
            slots: usize::try_from(slots.get()).unwrap_or(Semaphore::MAX_PERMITS),
            timeout,
            semaphores: Cache::builder()
                .max_capacity(MAX_KEYS)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_idle(IDLE)
                .build(),
        }
    }

    /// Waits for a free slot. Dropping the permit frees it.
    pub(in crate::graphql) async fn acquire_slot(
        &self,
        key: RateLimitKey,
    ) -> Result<OwnedSemaphorePermit, ApiError> {
        let semaphore = self
            .semaphores
            .get_with(key, || Arc::new(Semaphore::new(self.slots)));
        match tokio::time::timeout(self.timeout, semaphore.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(closed)) => Err(ApiError::internal(&closed)),
            Err(_) => Err(ApiError::Throttled {
                retry_after_seconds: 1,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::TenantId;

    #[tokio::test]
    async fn each_caller_has_slots_of_its_own() {
        let limiter =
            ConcurrencyLimiter::new(NonZeroU32::new(2).unwrap(), Duration::from_millis(20));
        let busy = RateLimitKey::Tenant(TenantId::generate());
        let other = RateLimitKey::Network(None);
        let first = limiter.acquire_slot(busy).await.unwrap();
        let _second = limiter.acquire_slot(busy).await.unwrap();
        assert!(matches!(
            limiter.acquire_slot(busy).await,
            Err(ApiError::Throttled { .. })
        ));
        assert!(limiter.acquire_slot(other).await.is_ok());
        drop(first);
        assert!(limiter.acquire_slot(busy).await.is_ok());
    }
}

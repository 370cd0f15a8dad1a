//! Whether this process receives every event of the database. A heartbeat on the listener's connection proves it:
//! PostgreSQL delivers all pending notifications before it replies to a query on that connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long cached state may be used after a heartbeat was sent. If a connection breaks without an error, the caches
/// may be stale for this long.
pub(super) const HEALTHY_FOR: Duration = Duration::from_secs(2);

/// Whether cached state may be used.
#[derive(Debug)]
pub(super) struct ListenerHealth {
    start: Instant,
    /// In milliseconds since `start`; 0: unhealthy.
    healthy_until: AtomicU64,
    /// Increases whenever events may have been missed. A fill from an earlier generation is discarded.
    generation: AtomicU64,
}

impl Default for ListenerHealth {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            healthy_until: AtomicU64::new(0),
            generation: AtomicU64::new(0),
        }
    }
}

impl ListenerHealth {
    /// The present generation, if cached state may be used.
    pub(super) fn generation_if_healthy(&self) -> Option<u64> {
        // The generation is read first, so that a later comparison detects a change in between.
        let generation = self.generation();
        let now = self.since_start(Instant::now());
        (now < self.healthy_until.load(Ordering::Acquire)).then_some(generation)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Records that the heartbeat that was sent at this time got its reply.
    pub(super) fn mark_healthy(&self, sent_at: Instant) {
        let until = self.since_start(sent_at + HEALTHY_FOR);
        self.healthy_until.fetch_max(until, Ordering::AcqRel);
    }

    /// Suspends the use of cached state until the next heartbeat. The entries stay.
    pub(super) fn suspend(&self) {
        self.healthy_until.store(0, Ordering::Release);
    }

    /// Starts a new generation, because events may have been missed.
    pub(super) fn mark_unhealthy(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.suspend();
    }

    fn since_start(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.start);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_state_is_usable_from_a_heartbeat_until_events_may_be_missed() {
        let health = ListenerHealth::default();
        assert_eq!(health.generation_if_healthy(), None);
        health.mark_healthy(Instant::now());
        assert_eq!(health.generation_if_healthy(), Some(0));
        health.suspend();
        assert_eq!(health.generation_if_healthy(), None);
        health.mark_healthy(Instant::now());
        assert_eq!(health.generation_if_healthy(), Some(0));
        health.mark_unhealthy();
        assert_eq!(health.generation_if_healthy(), None);
        health.mark_healthy(Instant::now());
        assert_eq!(health.generation_if_healthy(), Some(1));
    }

    #[test]
    fn a_heartbeat_that_was_sent_long_ago_proves_nothing() {
        let health = ListenerHealth::default();
        if let Some(long_ago) = Instant::now().checked_sub(HEALTHY_FOR) {
            health.mark_healthy(long_ago);
            assert_eq!(health.generation_if_healthy(), None);
        }
    }
}

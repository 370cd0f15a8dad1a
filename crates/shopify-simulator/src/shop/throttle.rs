//! The leaky bucket of one app in one shop.

use std::time::Instant;

use serde_json::{Value, json};

/// A bucket of points that fills at a steady rate, in machine time.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    size: u32,
    restore_rate: u32,
    /// Thousandths of points.
    level: u64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(size: u32, restore_rate: u32) -> Self {
        Self {
            size,
            restore_rate,
            level: u64::from(size) * 1000,
            filled: Instant::now(),
        }
    }

    fn fill(&mut self) {
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.filled).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        if passed > 0 {
            let gained = passed.saturating_mul(u64::from(self.restore_rate));
            self.level = self
                .level
                .saturating_add(gained)
                .min(u64::from(self.size) * 1000);
            self.filled = now;
        }
    }

    /// Takes the points that a query asks for; false when there are not enough.
    pub(crate) fn take(&mut self, cost: u32) -> bool {
        self.fill();
        let wanted = u64::from(cost) * 1000;
        if self.level < wanted {
            return false;
        }
        self.level -= wanted;
        true
    }

    /// Gives back what a query asked for and did not use.
    pub(crate) fn give_back(&mut self, points: u32) {
        let full = u64::from(self.size) * 1000;
        self.level = self
            .level
            .saturating_add(u64::from(points) * 1000)
            .min(full);
    }

    /// The `extensions.cost` of an answer; no actual cost for a query that was not run.
    pub(crate) fn report(&mut self, requested: u32, actual: Option<u32>) -> Value {
        self.fill();
        json!({
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": self.size,
                "currentlyAvailable": self.level / 1000,
                "restoreRate": self.restore_rate,
            },
        })
    }
}

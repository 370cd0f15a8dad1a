//! How many objects and children one query requests. Shopify does not fully document how it
//! calculates a query's cost, so the sizes start at values that should fit. They are halved when
//! Shopify rejects a query as too expensive, and grow again after a run of successes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::sync::ObjectKind;

/// The sizes of one kind's queries: the default sizes, halved a number of times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PageSizes {
    halvings: u32,
}

impl PageSizes {
    /// The number of objects per query.
    pub(super) fn batch(self, kind: ObjectKind) -> usize {
        let size = match kind {
            ObjectKind::Customers => 250,
            ObjectKind::Products => 100,
            ObjectKind::Orders => 50,
        };
        usize::try_from(self.scaled(size)).unwrap_or(1)
    }

    /// The number of variants per product.
    pub(super) fn variants(self) -> i64 {
        self.scaled(100)
    }

    /// The number of line items per order.
    pub(super) fn line_items(self) -> i64 {
        self.scaled(50)
    }

    /// The number of agreements per order.
    pub(super) fn agreements(self) -> i64 {
        self.scaled(20)
    }

    /// The number of sales per agreement.
    pub(super) fn sales(self) -> i64 {
        self.scaled(50)
    }

    /// Half of every size, because a response does not say which of them is too large. `None` if
    /// every size of the kind is already 1.
    pub(super) fn halved(self, kind: ObjectKind) -> Option<Self> {
        let largest = match kind {
            ObjectKind::Customers => self.batch(kind) > 1,
            ObjectKind::Products => self.batch(kind) > 1 || self.variants() > 1,
            ObjectKind::Orders => self.batch(kind) > 1 || self.line_items() > 1 || self.sales() > 1,
        };
        largest.then_some(Self {
            halvings: self.halvings + 1,
        })
    }

    fn scaled(self, size: i64) -> i64 {
        size.checked_shr(self.halvings).unwrap_or(0).max(1)
    }
}

/// Sizes grow after so many successful queries. The first query at the larger sizes may be
/// rejected once more, so growing costs at most one query in this many.
const SUCCESSES_BEFORE_GROWTH: u32 = 20;

/// The page sizes of one shop, adapted to the responses of its queries.
#[derive(Debug, Default)]
pub(super) struct AdaptivePageSizes {
    kinds: Mutex<HashMap<ObjectKind, KindSizes>>,
}

#[derive(Debug, Default)]
struct KindSizes {
    sizes: PageSizes,
    /// Successful queries since the sizes last changed.
    successes: u32,
}

impl AdaptivePageSizes {
    /// The current sizes for a kind.
    pub(super) fn current(&self, kind: ObjectKind) -> PageSizes {
        self.kinds()
            .get(&kind)
            .map_or_else(PageSizes::default, |state| state.sizes)
    }

    /// Halves the sizes after a query at `rejected` sizes was too expensive. `None` if the sizes
    /// cannot be smaller.
    pub(super) fn back_off(&self, kind: ObjectKind, rejected: PageSizes) -> Option<PageSizes> {
        let smaller = rejected.halved(kind)?;
        let mut kinds = self.kinds();
        let state = kinds.entry(kind).or_default();
        // A concurrent query may already have backed off further.
        if state.sizes.halvings < smaller.halvings {
            state.sizes = smaller;
        }
        state.successes = 0;
        Some(state.sizes)
    }

    /// Counts a successful query, and doubles the sizes after enough of them.
    pub(super) fn record_success(&self, kind: ObjectKind) {
        let mut kinds = self.kinds();
        let Some(state) = kinds.get_mut(&kind) else {
            return;
        };
        state.successes += 1;
        if state.successes >= SUCCESSES_BEFORE_GROWTH {
            state.sizes.halvings = state.sizes.halvings.saturating_sub(1);
            state.successes = 0;
        }
    }

    fn kinds(&self) -> MutexGuard<'_, HashMap<ObjectKind, KindSizes>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_halve_down_to_one_and_no_further() {
        let mut sizes = PageSizes::default();
        let mut batches = vec![sizes.batch(ObjectKind::Orders)];
        while let Some(smaller) = sizes.halved(ObjectKind::Orders) {
            sizes = smaller;
            batches.push(sizes.batch(ObjectKind::Orders));
        }
        assert_eq!(batches, [50, 25, 12, 6, 3, 1]);
    }

    #[test]
    fn one_kind_backs_off_without_the_others() {
        let adaptive = AdaptivePageSizes::default();
        adaptive.back_off(ObjectKind::Orders, PageSizes::default());
        assert_eq!(adaptive.current(ObjectKind::Orders).line_items(), 25);
        assert_eq!(adaptive.current(ObjectKind::Products), PageSizes::default());
    }

    #[test]
    fn sizes_grow_back_to_the_default_after_successes() {
        let adaptive = AdaptivePageSizes::default();
        let kind = ObjectKind::Orders;
        let mut sizes = PageSizes::default();
        for _ in 0..2 {
            sizes = adaptive.back_off(kind, sizes).unwrap();
        }
        let mut batches = Vec::new();
        for _ in 0..3 {
            batches.push(adaptive.current(kind).batch(kind));
            for _ in 0..SUCCESSES_BEFORE_GROWTH {
                adaptive.record_success(kind);
            }
        }
        assert_eq!(batches, [12, 25, 50]);
        assert_eq!(adaptive.current(kind), PageSizes::default());
    }

    #[test]
    fn a_rejection_restarts_the_count_of_successes() {
        let adaptive = AdaptivePageSizes::default();
        let kind = ObjectKind::Orders;
        adaptive.back_off(kind, PageSizes::default());
        for _ in 1..SUCCESSES_BEFORE_GROWTH {
            adaptive.record_success(kind);
        }
        adaptive.back_off(kind, adaptive.current(kind));
        adaptive.record_success(kind);
        assert_eq!(adaptive.current(kind).batch(kind), 12);
    }

    #[test]
    fn concurrent_rejections_at_the_same_sizes_halve_once() {
        let adaptive = AdaptivePageSizes::default();
        for _ in 0..2 {
            adaptive.back_off(ObjectKind::Orders, PageSizes::default());
        }
        assert_eq!(
            adaptive
                .current(ObjectKind::Orders)
                .batch(ObjectKind::Orders),
            25
        );
    }
}

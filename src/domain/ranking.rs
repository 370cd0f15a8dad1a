//! The customers with the highest sales in a range of days, held in memory. A ranking holds only its first rows and
//! an upper bound for all other customers, so that a change of a few customers is applied without reading the others
//! again.

use rust_decimal::Decimal;

use super::ids::CustomerId;

/// How many rows a ranking holds. More than [`MAX_ASKED`], so that some customers may drop out before the ranking
/// must be read again.
pub const KEPT: usize = 300;
/// The maximum number of rows that a query returns.
pub const MAX_ASKED: usize = 100;

/// A customer of a ranking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankedCustomer {
    /// The customer.
    pub customer: CustomerId,
    /// The customer's sales in the range.
    pub total_spent: Decimal,
    /// The number of the customer's orders in the range.
    pub orders: i64,
}

impl RankedCustomer {
    /// The sort key: the highest one comes first.
    const fn key(&self) -> (Decimal, CustomerId) {
        (self.total_spent, self.customer)
    }

    /// Whether the customer is ranked. A customer without an order in the range is ranked if the sales of earlier
    /// orders grew.
    fn counts(&self) -> bool {
        self.orders > 0 || self.total_spent > Decimal::ZERO
    }
}

/// The first rows of a ranking.
#[derive(Clone, Debug)]
pub struct Ranking {
    version: i64,
    first: Vec<RankedCustomer>,
    /// The upper bound: no customer outside `first` has a higher key. `None`: there are no other customers.
    others_below: Option<(Decimal, CustomerId)>,
}

impl Ranking {
    /// Builds a ranking from its rows in order: all rows, or at least [`KEPT`] and one more.
    #[must_use]
    pub fn new(version: i64, rows: Vec<RankedCustomer>) -> Self {
        let mut ranking = Self {
            version,
            first: rows,
            others_below: None,
        };
        ranking.cut_to(KEPT);
        ranking
    }

    /// The data version of the shop that the ranking shows.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// The first `count` rows.
    #[must_use]
    pub fn first(&self, count: usize) -> &[RankedCustomer] {
        self.first.get(..count).unwrap_or(&self.first)
    }

    /// Brings the ranking to a later version. `changed` holds the present values of every customer who changed, zero
    /// included. `false`: too few rows are certain, and the ranking must be read again.
    #[must_use]
    pub fn change(&mut self, version: i64, changed: Vec<RankedCustomer>) -> bool {
        self.version = version;
        self.first.retain(|ranked| {
            !changed
                .iter()
                .any(|change| change.customer == ranked.customer)
        });
        let others_below = self.others_below;
        self.first.extend(changed.into_iter().filter(|change| {
            change.counts() && others_below.is_none_or(|others| change.key() >= others)
        }));
        self.first
            .sort_unstable_by_key(|ranked| std::cmp::Reverse(ranked.key()));
        if self.first.len() > 2 * KEPT {
            self.cut_to(KEPT);
        }
        self.others_below.is_none() || self.first.len() >= MAX_ASKED
    }

    fn cut_to(&mut self, count: usize) {
        if let Some(next) = self.first.get(count) {
            self.others_below = Some(next.key());
            self.first.truncate(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn ranked(customer: i64, spent: i64) -> RankedCustomer {
        RankedCustomer {
            customer: CustomerId::new(customer),
            total_spent: Decimal::from(spent),
            orders: i64::from(spent > 0),
        }
    }

    fn whole(spent: &BTreeMap<i64, i64>) -> Vec<RankedCustomer> {
        let mut rows: Vec<_> = spent
            .iter()
            .map(|(&id, &spent)| ranked(id, spent))
            .collect();
        rows.retain(RankedCustomer::counts);
        rows.sort_by_key(|row| std::cmp::Reverse(row.key()));
        rows
    }

    proptest! {
        #[test]
        fn a_ranking_that_was_changed_is_the_one_that_would_be_read(
            start in prop::collection::btree_map(0_i64..900, -3_i64..50, 0..900),
            changes in prop::collection::vec(prop::collection::btree_map(0_i64..900, -3_i64..50, 1..60), 1..12),
        ) {
            let mut spent = start;
            let mut ranking = Ranking::new(0, whole(&spent));
            for (version, change) in (1..).zip(changes) {
                spent.extend(&change);
                let changed = change.iter().map(|(&id, &spent)| ranked(id, spent)).collect();
                if !ranking.change(version, changed) {
                    ranking = Ranking::new(version, whole(&spent));
                }
                let expected = whole(&spent);
                let expected = expected.get(..MAX_ASKED).unwrap_or(&expected);
                prop_assert_eq!(ranking.first(MAX_ASKED), expected);
                prop_assert_eq!(ranking.version(), version);
            }
        }
    }
}

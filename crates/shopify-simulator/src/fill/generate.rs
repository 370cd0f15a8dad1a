//! A believable past, the same for the same seed and parameters, never of the wall clock.
//!
//! Orders grow over time and follow the week, the hour and the season. Most customers come once; those who
//! come back do so in proportion to how often they came before, which gives the long tail of real shops.

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

use super::past::Past;
use crate::shop::Shop;

/// What to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The same seed gives the same store.
    pub seed: u64,
    /// How many orders.
    pub orders: u64,
    /// The first day, in the shop's time zone.
    pub start: NaiveDate,
    /// The last day, in the shop's time zone. Nothing happens after it.
    pub end: NaiveDate,
    /// How many products.
    pub products: usize,
}

impl Generation {
    /// So many orders over two years up to a day, of a catalogue that fits.
    pub fn of(orders: u64, end: NaiveDate) -> Self {
        let products = usize::try_from(orders / 50).unwrap_or(2000).clamp(24, 2000);
        Self {
            seed: 1,
            orders,
            start: end - TimeDelta::days(730),
            end,
            products,
        }
    }
}

/// The weight of a day: growth, weekday and season.
pub(super) fn weight(day: NaiveDate, generation: &Generation) -> u64 {
    let days = |from: NaiveDate, to: NaiveDate| {
        u64::try_from(to.signed_duration_since(from).num_days()).unwrap_or(0)
    };
    let whole = days(generation.start, generation.end).max(1);
    let growth = 100 + 200 * days(generation.start, day) / whole;
    let week = match day.weekday() {
        Weekday::Mon => 105,
        Weekday::Tue | Weekday::Wed => 95,
        Weekday::Thu => 100,
        Weekday::Fri => 110,
        Weekday::Sat => 80,
        Weekday::Sun => 115,
    };
    let season = match day.month() {
        11 => 140,
        12 => 150,
        1 | 2 | 8 => 85,
        _ => 100,
    };
    growth * week * season
}

impl Shop {
    /// Fills the shop with a generated past.
    pub fn generate(&self, generation: &Generation) {
        let mut ids = self.store().ids;
        let mut past = Past::new(self.terms(), self.facts().zone, generation, &mut ids);
        past.live(generation, &mut ids);
        self.change(|store| {
            store.ids = ids;
            store.customers.load(past.customers);
            store.products.load(past.catalogue.products);
            store.orders.load(past.orders);
        });
    }
}

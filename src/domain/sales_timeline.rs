//! A shop's sales day by day, in one currency, held in memory: the figures of any range of days and of any series are sums
//! over the timeline. A timeline shows one version of the shop's data, and the changed rows bring it to a later version.

use std::collections::btree_map::Range;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use super::calendar::{CalendarInterval, DayRange};
use super::metrics::SalesSummary;
use super::money::Currency;
use super::sales_figures::SalesFigures;

/// A range of fewer days has no complete month.
const SHORTEST_MONTH: i64 = 28;

/// A changed row of the rollups. It holds the present value, not a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimelineChange {
    /// The figures of a day in one currency.
    Sales {
        /// The day.
        day: NaiveDate,
        /// The currency; a timeline counts only the orders of another currency.
        currency: Currency,
        /// The figures.
        figures: Box<SalesFigures>,
    },
    /// How many customers placed their first order in the timeline's currency on `day`, by the day of their first order
    /// in any currency.
    FirstOrders {
        /// The day.
        day: NaiveDate,
        /// The day of their first order in any currency.
        first_order_day: NaiveDate,
        /// How many customers.
        customers: i64,
    },
    /// How many customers placed an order on `day`, by the day of their previous order.
    RepeatOrders {
        /// The day.
        day: NaiveDate,
        /// The day of the previous order.
        previous_day: NaiveDate,
        /// How many customers.
        customers: i64,
    },
    /// How many customers placed their first order ever on `day`, in the timeline's currency, by the day of their next
    /// order.
    SecondOrders {
        /// The day of the first order.
        day: NaiveDate,
        /// The day of the next order: `day` itself after two orders on that day, `None` without a second order.
        second_order_day: Option<NaiveDate>,
        /// How many customers.
        customers: i64,
    },
}

/// The timeline of a shop.
#[derive(Clone, Debug)]
pub struct SalesTimeline {
    version: i64,
    currency: Currency,
    days: BTreeMap<NaiveDate, Day>,
    /// The sums of each month by its first day, because a year is summed from months.
    months: BTreeMap<NaiveDate, SalesFigures>,
    starts: HashMap<NaiveDate, DateTime<Utc>>,
}

#[derive(Clone, Debug, Default)]
struct Day {
    figures: SalesFigures,
    /// Orders in other currencies.
    other_orders: Vec<(Currency, i64)>,
    /// Customers by the day of their first order in any currency.
    first: Counts,
    /// Customers by the day of their previous order.
    repeat: Counts,
    /// Customers with their first order ever on this day, by the day of their second order.
    second: Counts,
    /// Customers with their first order ever on this day and no second order.
    without_second: i64,
}

impl Day {
    /// Customers with their first order ever on this day and no further order up to `day`.
    fn only_first_up_to(&self, day: NaiveDate) -> i64 {
        let next = day.succ_opt().unwrap_or(day);
        self.without_second + self.second.total() - self.second.before(next)
    }
}

/// Counts by day, in the order of the days, as prefix sums.
#[derive(Clone, Debug, Default)]
struct Counts(Vec<Count>);

#[derive(Clone, Copy, Debug)]
struct Count {
    /// Counted from the first day of the era.
    day: i32,
    /// The sum of this day and all days before.
    prefix_sum: u32,
}

impl Counts {
    fn before(&self, day: NaiveDate) -> i64 {
        self.prefix_sum(self.index_of(day.num_days_from_ce()))
            .into()
    }

    /// The number of counts of earlier days. In a large shop nearly every day has a count. The first and the last day
    /// therefore bound the index closely: at most the number of days since the first, at least the number of counts
    /// less the days up to the last. A plain binary search would read a dozen distant memory locations for each day.
    fn index_of(&self, day: i32) -> usize {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return 0;
        };
        let days = |from: i32, to: i32| usize::try_from(to - from).unwrap_or_default();
        let at_most = days(first.day, day).min(self.0.len());
        let later = if day <= last.day {
            days(day, last.day) + 1
        } else {
            0
        };
        let at_least = self.0.len().saturating_sub(later);
        let between = self.0.get(at_least..at_most).unwrap_or_default();
        at_least + between.partition_point(|count| count.day < day)
    }

    fn total(&self) -> i64 {
        self.prefix_sum(self.0.len()).into()
    }

    fn prefix_sum(&self, index: usize) -> u32 {
        let last = index.checked_sub(1).and_then(|last| self.0.get(last));
        last.map_or(0, |count| count.prefix_sum)
    }

    fn set(&mut self, day: NaiveDate, customers: i64) {
        let customers = u32::try_from(customers).unwrap_or(0);
        let day = day.num_days_from_ce();
        let index = self.index_of(day);
        let before = self.prefix_sum(index);
        match self.0.get(index) {
            Some(count) if count.day == day => {}
            _ => self.0.insert(
                index,
                Count {
                    day,
                    prefix_sum: before,
                },
            ),
        }
        let Some(rest) = self.0.get_mut(index..) else {
            return;
        };
        let old = rest.first().map_or(before, |count| count.prefix_sum) - before;
        for count in rest {
            count.prefix_sum = count.prefix_sum - old + customers;
        }
    }
}

impl SalesTimeline {
    /// An empty timeline whose version is below every data version, so that every row counts as changed since then.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self {
            version: -1,
            currency,
            days: BTreeMap::new(),
            months: BTreeMap::new(),
            starts: HashMap::new(),
        }
    }

    /// The version of the shop's data that the timeline shows.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// The currency of all amounts.
    #[must_use]
    pub const fn currency(&self) -> &Currency {
        &self.currency
    }

    /// Brings the timeline to a later version.
    pub fn change(&mut self, version: i64, changes: impl IntoIterator<Item = TimelineChange>) {
        for change in changes {
            match change {
                TimelineChange::Sales {
                    day,
                    currency,
                    figures,
                } if currency == self.currency => self.set_sales(day, *figures),
                TimelineChange::Sales {
                    day,
                    currency,
                    figures,
                } => self.set_other_orders(day, currency, figures.orders),
                TimelineChange::FirstOrders {
                    day,
                    first_order_day,
                    customers,
                } => self.day(day).first.set(first_order_day, customers),
                TimelineChange::RepeatOrders {
                    day,
                    previous_day,
                    customers,
                } => self.day(day).repeat.set(previous_day, customers),
                TimelineChange::SecondOrders {
                    day,
                    second_order_day: Some(second),
                    customers,
                } => self.day(day).second.set(second, customers),
                TimelineChange::SecondOrders {
                    day,
                    second_order_day: None,
                    customers,
                } => self.day(day).without_second = customers,
            }
        }
        self.version = version;
    }

    fn day(&mut self, day: NaiveDate) -> &mut Day {
        self.days.entry(day).or_default()
    }

    fn set_sales(&mut self, day: NaiveDate, figures: SalesFigures) {
        let old = std::mem::replace(&mut self.day(day).figures, figures);
        let month = CalendarInterval::Month.first_day(day);
        *self.months.entry(month).or_default() += figures - old;
    }

    fn set_other_orders(&mut self, day: NaiveDate, currency: Currency, orders: i64) {
        let others = &mut self.day(day).other_orders;
        others.retain(|(other, _)| *other != currency);
        others.push((currency, orders));
    }

    /// The approximate size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let counts: usize = self
            .days
            .values()
            .map(|day| day.first.0.capacity() + day.repeat.0.capacity() + day.second.0.capacity())
            .sum();
        self.days.len() * (size_of::<Day>() + size_of::<NaiveDate>()) * 3 / 2
            + self.months.len() * (size_of::<SalesFigures>() + size_of::<NaiveDate>()) * 3 / 2
            + counts * size_of::<Count>()
            + self.starts.len() * size_of::<(NaiveDate, DateTime<Utc>)>() * 2
    }

    /// The given days whose start is not cached.
    #[must_use]
    pub fn without_start(&self, days: &[NaiveDate]) -> Vec<NaiveDate> {
        let days = days.iter().copied();
        days.filter(|day| !self.starts.contains_key(day)).collect()
    }

    /// Caches the starts of days.
    pub fn note_starts(&mut self, starts: impl IntoIterator<Item = (NaiveDate, DateTime<Utc>)>) {
        self.starts.extend(starts);
    }

    /// The start of a day. `None`: it is not cached.
    #[must_use]
    pub fn start(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        self.starts.get(&day).copied()
    }

    /// The figures of a range. A customer who ordered on several of its days is one customer.
    #[must_use]
    pub fn figures(&self, range: DayRange) -> SalesSummary {
        let mut summary = self.figures_without_customers(range);
        let mut only_first = 0;
        for (_, day) in self.days_of(range) {
            let first = day.first.total();
            summary.customers += first + day.repeat.before(range.from());
            summary.new_customers += first - day.first.before(range.from());
            only_first += day.only_first_up_to(range.to());
        }
        summary.returning_customers = summary.customers - only_first;
        summary
    }

    /// The figures of a range. Without `with_customers`, all counts of customers are zero: counting customers takes
    /// most of the time, and reads several times as much memory.
    #[must_use]
    pub fn figures_with(&self, range: DayRange, with_customers: bool) -> SalesSummary {
        if with_customers {
            self.figures(range)
        } else {
            self.figures_without_customers(range)
        }
    }

    fn figures_without_customers(&self, range: DayRange) -> SalesSummary {
        SalesSummary {
            currency: self.currency.clone(),
            sales: self.sum(range),
            customers: 0,
            new_customers: 0,
            returning_customers: 0,
        }
    }

    fn sum(&self, range: DayRange) -> SalesFigures {
        if range.days() < SHORTEST_MONTH {
            return self.sum_days(range);
        }
        let mut sum = SalesFigures::default();
        for (month, piece) in range.pieces(CalendarInterval::Month) {
            if piece != CalendarInterval::Month.days(month) {
                sum += self.sum_days(piece);
            } else if let Some(figures) = self.months.get(&month) {
                sum += *figures;
            }
        }
        sum
    }

    fn sum_days(&self, range: DayRange) -> SalesFigures {
        let mut sum = SalesFigures::default();
        for (_, day) in self.days_of(range) {
            sum += day.figures;
        }
        sum
    }

    /// The figures of each calendar interval in a range, with the first day of the interval. Days outside the range count
    /// in no interval.
    #[must_use]
    pub fn series(
        &self,
        range: DayRange,
        interval: CalendarInterval,
        with_customers: bool,
    ) -> Vec<(NaiveDate, SalesSummary)> {
        range
            .pieces(interval)
            .map(|(first_day, piece)| (first_day, self.figures_with(piece, with_customers)))
            .collect()
    }

    /// How many orders of a range are in another currency. No figure includes them.
    #[must_use]
    pub fn orders_in_other_currencies(&self, range: DayRange) -> i64 {
        let days = self.days_of(range);
        days.flat_map(|(_, day)| &day.other_orders)
            .map(|(_, orders)| orders)
            .sum()
    }

    /// The first day with a sale, a return or an order.
    #[must_use]
    pub fn first_sale(&self) -> Option<NaiveDate> {
        let mut days = self.days.iter();
        days.find(|(_, day)| !day.figures.is_zero())
            .map(|(day, _)| *day)
    }

    fn days_of(&self, range: DayRange) -> Range<'_, NaiveDate, Day> {
        self.days.range(range.from()..=range.to())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(739_000 + i32::try_from(number).unwrap()).unwrap()
    }

    fn timeline() -> SalesTimeline {
        SalesTimeline::new(Currency::parse("EUR").unwrap())
    }

    fn range(from: u32, to: u32) -> DayRange {
        DayRange::new(day(from), day(to)).unwrap()
    }

    #[test]
    fn a_count_that_is_set_again_replaces_the_count_before() {
        let mut counts = Counts::default();
        for (of, customers) in [(5, 2), (1, 3), (9, 4), (5, 1), (9, 0)] {
            counts.set(day(of), customers);
        }
        let before = |of| counts.before(day(of));
        assert_eq!([before(1), before(2), before(6), before(10)], [0, 3, 4, 4]);
        assert_eq!(counts.total(), 4);
    }

    /// The rows of the counts for the order days of each customer, in ascending order.
    fn changes_of(customers: &[Vec<u32>]) -> Vec<TimelineChange> {
        let mut repeats: BTreeMap<(u32, Option<u32>), i64> = BTreeMap::new();
        let mut seconds: BTreeMap<(u32, Option<u32>), i64> = BTreeMap::new();
        for orders in customers {
            let mut before = None;
            for &on in orders {
                if before != Some(on) {
                    *repeats.entry((on, before)).or_default() += 1;
                }
                before = Some(on);
            }
            if let Some(&first) = orders.first() {
                let second = orders.get(1).copied();
                *seconds.entry((first, second)).or_default() += 1;
            }
        }
        let repeats = repeats
            .into_iter()
            .map(|((on, before), customers)| match before {
                None => TimelineChange::FirstOrders {
                    day: day(on),
                    first_order_day: day(on),
                    customers,
                },
                Some(before) => TimelineChange::RepeatOrders {
                    day: day(on),
                    previous_day: day(before),
                    customers,
                },
            });
        let seconds =
            seconds.into_iter().map(
                |((first, second), customers)| TimelineChange::SecondOrders {
                    day: day(first),
                    second_order_day: second.map(day),
                    customers,
                },
            );
        repeats.chain(seconds).collect()
    }

    #[test]
    fn a_customer_with_the_first_and_second_order_in_the_range_is_new_and_returning() {
        let mut timeline = timeline();
        timeline.change(
            1,
            changes_of(&[vec![3, 5], vec![4], vec![5, 5], vec![1, 9]]),
        );
        let counts = |from, to| {
            let figures = timeline.figures(range(from, to));
            [
                figures.customers,
                figures.new_customers,
                figures.returning_customers,
            ]
        };
        assert_eq!(counts(0, 10), [4, 4, 3]);
        assert_eq!(counts(3, 5), [3, 3, 2]);
        assert_eq!(counts(4, 5), [3, 2, 2]);
        assert_eq!(counts(9, 9), [1, 0, 1]);
        assert_eq!(counts(1, 4), [3, 3, 0]);
    }

    proptest! {
        /// Counts customers by the definitions, from the days of each customer's orders.
        #[test]
        fn the_customers_of_any_range_are_those_of_its_orders(
            customers in prop::collection::vec(prop::collection::vec(0_u32..40, 0..6), 0..30),
            from in 0_u32..40,
            days in 0_u32..40,
        ) {
            let to = from + days;
            let customers: Vec<_> = customers.into_iter().map(|mut days| { days.sort_unstable(); days }).collect();
            let mut timeline = timeline();
            timeline.change(1, changes_of(&customers));
            let figures = timeline.figures(range(from, to));
            let inside = |on: &u32| (from..=to).contains(on);
            let count = |of: &dyn Fn(&[u32]) -> bool| {
                i64::try_from(customers.iter().filter(|days| of(days)).count()).unwrap()
            };
            prop_assert_eq!(figures.customers, count(&|days| days.iter().any(inside)));
            prop_assert_eq!(figures.new_customers, count(&|days| days.first().is_some_and(inside)));
            prop_assert_eq!(figures.returning_customers, count(&|days| days.iter().skip(1).any(inside)));
        }
    }

    #[test]
    fn the_points_of_a_series_add_up_to_the_range() {
        let mut timeline = timeline();
        let currency = timeline.currency().clone();
        let changes = |times: i64| {
            let figures = move |orders: i64| SalesFigures {
                orders,
                gross_sales: Decimal::new(orders * 1_005, 2),
                ..SalesFigures::default()
            };
            let currency = currency.clone();
            (0..60_u32).map(move |number| TimelineChange::Sales {
                day: day(number),
                currency: currency.clone(),
                figures: Box::new(figures(i64::from(number) * times)),
            })
        };
        timeline.change(2, changes(3));
        timeline.change(3, changes(1));
        let whole = timeline.figures(range(3, 57));
        for interval in CalendarInterval::ALL {
            let series = timeline.series(range(3, 57), interval, true);
            assert_eq!(series, timeline.series(range(3, 57), interval, false));
            let mut sum = SalesFigures::default();
            for (_, summary) in &series {
                sum += summary.sales;
            }
            assert_eq!(sum, whole.sales);
        }
        assert_eq!(
            whole.sales.gross_sales,
            Decimal::new((3..=57).sum::<i64>() * 1_005, 2)
        );
        assert_eq!(
            (timeline.version(), timeline.first_sale()),
            (3, Some(day(1)))
        );
    }

    #[test]
    fn orders_of_other_currencies_are_counted_apart() {
        let mut timeline = timeline();
        let change = |code: &str, orders| TimelineChange::Sales {
            day: day(2),
            currency: Currency::parse(code).unwrap(),
            figures: Box::new(SalesFigures {
                orders,
                ..SalesFigures::default()
            }),
        };
        timeline.change(1, [change("EUR", 5), change("USD", 2), change("CHF", 1)]);
        timeline.change(2, [change("USD", 3)]);
        assert_eq!(timeline.orders_in_other_currencies(range(1, 3)), 4);
        assert_eq!(timeline.figures(range(1, 3)).sales.orders, 5);
    }
}

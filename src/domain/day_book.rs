//! A store's figures day by day, in one currency, held in memory: what any range of days or series is summed
//! from. A book is of one version of the store's data, and is brought to a later one by the days that changed.

use std::collections::btree_map::Range;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::{CalendarInterval, DayRange};
use super::metrics::SalesFigures;
use super::money::Currency;

/// How a book is written in one piece: to be raised with every change of that.
pub const FORM: i16 = 1;

/// Amounts are kept in ten-thousandths, as the database has them.
pub(crate) const SCALE: u32 = 4;

/// A range of fewer days has no whole month in it.
const SHORTEST_MONTH: i64 = 28;

/// A row that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayChange {
    /// What was sold on a day, in the book's currency. The fields about customers say nothing.
    Sales(NaiveDate, Box<SalesFigures>),
    /// How many orders of a day are in all other currencies together.
    OtherCurrencies(NaiveDate, i64),
    /// How many customers ordered for the first time in this currency on `day`, their first order in any
    /// being on `first_order_day`.
    FirstCustomers {
        /// The day.
        day: NaiveDate,
        /// The day of their first order.
        first_order_day: NaiveDate,
        /// How many there are now.
        customers: i64,
    },
    /// How many customers ordered on `day`, and before it last on `previous_day`.
    ReturningCustomers {
        /// The day.
        day: NaiveDate,
        /// The day of their order before.
        previous_day: NaiveDate,
        /// How many there are now.
        customers: i64,
    },
}

/// The book.
#[derive(Clone, Debug)]
pub struct DayBook {
    version: i64,
    currency: Currency,
    days: BTreeMap<NaiveDate, Day>,
    /// What the days of each month come to, by its first day: years are summed from months.
    months: BTreeMap<NaiveDate, Sums>,
    starts: HashMap<NaiveDate, DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Day {
    sums: Sums,
    other_orders: i64,
    /// By the day of their first order in any currency.
    first: Counts,
    /// By the day of their order before.
    returning: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    orders: i64,
    units_sold: i64,
    gross_sales: i128,
    discounts: i128,
    returns: i128,
    shipping: i128,
    taxes: i128,
    duties: i128,
    fees: i128,
    placed_sales: i128,
}

impl Sums {
    fn of(figures: &SalesFigures) -> Self {
        Self {
            orders: figures.orders,
            units_sold: figures.units_sold,
            gross_sales: ten_thousandths(figures.gross_sales),
            discounts: ten_thousandths(figures.discounts),
            returns: ten_thousandths(figures.returns),
            shipping: ten_thousandths(figures.shipping),
            taxes: ten_thousandths(figures.taxes),
            duties: ten_thousandths(figures.duties),
            fees: ten_thousandths(figures.fees),
            placed_sales: ten_thousandths(figures.placed_sales),
        }
    }

    fn add(&mut self, other: &Self) {
        self.add_times(1, other);
    }

    fn take(&mut self, other: &Self) {
        self.add_times(-1, other);
    }

    fn add_times(&mut self, times: i64, other: &Self) {
        let wide = i128::from(times);
        self.orders += times * other.orders;
        self.units_sold += times * other.units_sold;
        self.gross_sales += wide * other.gross_sales;
        self.discounts += wide * other.discounts;
        self.returns += wide * other.returns;
        self.shipping += wide * other.shipping;
        self.taxes += wide * other.taxes;
        self.duties += wide * other.duties;
        self.fees += wide * other.fees;
        self.placed_sales += wide * other.placed_sales;
    }

    fn figures(self, currency: &Currency, customers: i64, new_customers: i64) -> SalesFigures {
        SalesFigures {
            currency: currency.clone(),
            orders: self.orders,
            units_sold: self.units_sold,
            gross_sales: amount(self.gross_sales),
            discounts: amount(self.discounts),
            returns: amount(self.returns),
            shipping: amount(self.shipping),
            taxes: amount(self.taxes),
            duties: amount(self.duties),
            fees: amount(self.fees),
            placed_sales: amount(self.placed_sales),
            customers,
            new_customers,
        }
    }
}

pub(crate) fn ten_thousandths(mut amount: Decimal) -> i128 {
    amount.rescale(SCALE);
    amount.mantissa()
}

/// A sum so large that no decimal holds it would have to be of more money than there is.
fn amount(ten_thousandths: i128) -> Decimal {
    Decimal::try_from_i128_with_scale(ten_thousandths, SCALE).unwrap_or(Decimal::MAX)
}

/// Counts by a day, in order of the days; few or many, each found by halving.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counts(Vec<Count>);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Count {
    /// Counted from the first of the era.
    day: i32,
    /// Of this day and all before it.
    up_to: u32,
}

/// Days as numbers, counted from the first of the era.
pub(crate) mod day_number {
    use chrono::{Datelike as _, NaiveDate};
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
    pub(crate) fn serialize<S: Serializer>(
        day: &NaiveDate,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(day.num_days_from_ce())
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<NaiveDate, D::Error> {
        let number = i32::deserialize(deserializer)?;
        NaiveDate::from_num_days_from_ce_opt(number).ok_or_else(|| D::Error::custom("no day"))
    }
}

/// A day in one piece.
#[derive(Serialize, Deserialize)]
struct Entry<T>(#[serde(with = "day_number")] NaiveDate, T);

impl Counts {
    fn before(&self, day: NaiveDate) -> i64 {
        self.up_to_place(self.place_of(day.num_days_from_ce()))
            .into()
    }

    /// How many counts are of earlier days. No more than there are days between the first and this one, and no fewer
    /// than the days up to the last leave: in a large store nearly every day has a count, and there is hardly anything
    /// left to halve. Halving alone would look at a dozen places that are far from each other, in each day's counts.
    fn place_of(&self, day: i32) -> usize {
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
        let fewest = self.0.len().saturating_sub(later);
        let between = self.0.get(fewest..at_most).unwrap_or_default();
        fewest + between.partition_point(|count| count.day < day)
    }

    fn all(&self) -> i64 {
        self.up_to_place(self.0.len()).into()
    }

    fn up_to_place(&self, place: usize) -> u32 {
        let last = place.checked_sub(1).and_then(|last| self.0.get(last));
        last.map_or(0, |count| count.up_to)
    }

    fn set(&mut self, day: NaiveDate, customers: i64) {
        let customers = u32::try_from(customers).unwrap_or(0);
        let day = day.num_days_from_ce();
        let place = self.place_of(day);
        let before = self.up_to_place(place);
        match self.0.get(place) {
            Some(count) if count.day == day => {}
            _ => self.0.insert(place, Count { day, up_to: before }),
        }
        let Some(rest) = self.0.get_mut(place..) else {
            return;
        };
        let was = rest.first().map_or(before, |count| count.up_to) - before;
        for count in rest {
            count.up_to = count.up_to - was + customers;
        }
    }
}

impl DayBook {
    /// An empty book, of no version: everything has changed since.
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

    /// The version of the store's data that the book is of.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// What its amounts are counted in.
    #[must_use]
    pub const fn currency(&self) -> &Currency {
        &self.currency
    }

    /// Brings the book to a later version.
    pub fn change(&mut self, version: i64, changes: impl IntoIterator<Item = DayChange>) {
        for change in changes {
            match change {
                DayChange::Sales(day, figures) => {
                    let sums = Sums::of(&figures);
                    let before = &mut self.days.entry(day).or_default().sums;
                    let month = self.months.entry(CalendarInterval::Month.first_day(day));
                    let month = month.or_default();
                    month.take(before);
                    month.add(&sums);
                    *before = sums;
                }
                DayChange::OtherCurrencies(day, orders) => {
                    self.days.entry(day).or_default().other_orders = orders;
                }
                DayChange::FirstCustomers {
                    day,
                    first_order_day,
                    customers,
                } => {
                    let first = &mut self.days.entry(day).or_default().first;
                    first.set(first_order_day, customers);
                }
                DayChange::ReturningCustomers {
                    day,
                    previous_day,
                    customers,
                } => {
                    let returning = &mut self.days.entry(day).or_default().returning;
                    returning.set(previous_day, customers);
                }
            }
        }
        self.version = version;
    }

    /// The book in one piece. Its version and currency are kept beside it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let days = self.days.iter();
        let days: Vec<_> = days.map(|(day, figures)| Entry(*day, figures)).collect();
        // Into memory nothing fails; an empty piece would be read as none.
        postcard::to_allocvec(&days).unwrap_or_default()
    }

    /// Reads a piece. `None`: it is none of this form.
    #[must_use]
    pub fn from_bytes(currency: Currency, version: i64, bytes: &[u8]) -> Option<Self> {
        let days: Vec<Entry<Day>> = postcard::from_bytes(bytes).ok()?;
        let mut months: BTreeMap<NaiveDate, Sums> = BTreeMap::new();
        for Entry(day, figures) in &days {
            let month = CalendarInterval::Month.first_day(*day);
            months.entry(month).or_default().add(&figures.sums);
        }
        Some(Self {
            version,
            currency,
            days: days
                .into_iter()
                .map(|Entry(day, figures)| (day, figures))
                .collect(),
            months,
            starts: HashMap::new(),
        })
    }

    /// About how many bytes the book takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let counts: usize = self
            .days
            .values()
            .map(|day| day.first.0.capacity() + day.returning.0.capacity())
            .sum();
        self.days.len() * (size_of::<Day>() + size_of::<NaiveDate>()) * 3 / 2
            + self.months.len() * (size_of::<Sums>() + size_of::<NaiveDate>()) * 3 / 2
            + counts * size_of::<Count>()
            + self.starts.len() * size_of::<(NaiveDate, DateTime<Utc>)>() * 2
    }

    /// Those of these days of which it is not noted when they begin.
    #[must_use]
    pub fn without_start(&self, days: &[NaiveDate]) -> Vec<NaiveDate> {
        let days = days.iter().copied();
        days.filter(|day| !self.starts.contains_key(day)).collect()
    }

    /// Notes the instants at which days begin.
    pub fn note_starts(&mut self, starts: impl IntoIterator<Item = (NaiveDate, DateTime<Utc>)>) {
        self.starts.extend(starts);
    }

    /// The instant at which a day begins, where it is noted.
    #[must_use]
    pub fn start(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        self.starts.get(&day).copied()
    }

    /// The figures of a range. Whoever ordered on several of its days is one customer.
    #[must_use]
    pub fn figures(&self, range: DayRange) -> SalesFigures {
        let (mut customers, mut new_customers) = (0, 0);
        for (_, day) in self.days_of(range) {
            let first = day.first.all();
            customers += first + day.returning.before(range.from());
            new_customers += first - day.first.before(range.from());
        }
        self.sums(range)
            .figures(&self.currency, customers, new_customers)
    }

    /// The same, of customers only if asked: counting them takes most of the time, and looks at several times as much
    /// memory. Without, it says that there are none.
    #[must_use]
    pub fn figures_with(&self, range: DayRange, with_customers: bool) -> SalesFigures {
        if with_customers {
            return self.figures(range);
        }
        self.sums(range).figures(&self.currency, 0, 0)
    }

    fn sums(&self, range: DayRange) -> Sums {
        let mut sums = Sums::default();
        if range.days() < SHORTEST_MONTH {
            self.add_days(range, &mut sums);
            return sums;
        }
        for (month, piece) in range.pieces(CalendarInterval::Month) {
            let whole = CalendarInterval::Month.days(month);
            if piece != whole {
                self.add_days(piece, &mut sums);
            } else if let Some(of_month) = self.months.get(&month) {
                sums.add(of_month);
            }
        }
        sums
    }

    fn add_days(&self, range: DayRange, sums: &mut Sums) {
        for (_, day) in self.days_of(range) {
            sums.add(&day.sums);
        }
    }

    /// The figures of the calendar intervals that a range is cut into, each with the first day of its interval.
    /// Days outside the range are in none of them.
    #[must_use]
    pub fn series(
        &self,
        range: DayRange,
        interval: CalendarInterval,
        with_customers: bool,
    ) -> Vec<(NaiveDate, SalesFigures)> {
        range
            .pieces(interval)
            .map(|(first_day, piece)| (first_day, self.figures_with(piece, with_customers)))
            .collect()
    }

    /// How many orders of a range are in another currency, and so in no figure.
    #[must_use]
    pub fn orders_in_other_currencies(&self, range: DayRange) -> i64 {
        self.days_of(range).map(|(_, day)| day.other_orders).sum()
    }

    /// The first day on which anything was sold or taken back.
    #[must_use]
    pub fn first_sale(&self) -> Option<NaiveDate> {
        let mut days = self.days.iter();
        days.find(|(_, day)| day.sums != Sums::default())
            .map(|(day, _)| *day)
    }

    fn days_of(&self, range: DayRange) -> Range<'_, NaiveDate, Day> {
        self.days.range(range.from()..=range.to())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(739_000 + i32::try_from(number).unwrap()).unwrap()
    }

    fn book() -> DayBook {
        DayBook::new(Currency::parse("EUR").unwrap())
    }

    fn range(from: u32, to: u32) -> DayRange {
        DayRange::new(day(from), day(to)).unwrap()
    }

    #[test]
    fn a_count_that_is_set_again_takes_the_place_of_the_one_before() {
        let mut counts = Counts::default();
        for (of, customers) in [(5, 2), (1, 3), (9, 4), (5, 1), (9, 0)] {
            counts.set(day(of), customers);
        }
        let before = |of| counts.before(day(of));
        assert_eq!([before(1), before(2), before(6), before(10)], [0, 3, 4, 4]);
        assert_eq!(counts.all(), 4);
    }

    proptest! {
        /// Against the definition: who ordered on which days.
        #[test]
        fn distinct_and_new_customers_of_any_range_are_those_of_the_orders(
            customers in prop::collection::vec(prop::collection::btree_set(0_u32..40, 0..6), 0..30),
            from in 0_u32..40,
            days in 0_u32..40,
        ) {
            let to = from + days;
            let mut counts: BTreeMap<(u32, Option<u32>), i64> = BTreeMap::new();
            for ordered in &customers {
                let mut before = None;
                for &on in ordered {
                    *counts.entry((on, before)).or_default() += 1;
                    before = Some(on);
                }
            }
            let changes = counts.into_iter().map(|((on, before), customers)| match before {
                None => DayChange::FirstCustomers { day: day(on), first_order_day: day(on), customers },
                Some(before) => DayChange::ReturningCustomers { day: day(on), previous_day: day(before), customers },
            });
            let mut book = book();
            book.change(1, changes);
            let figures = book.figures(range(from, to));
            let currency = book.currency().clone();
            let piece = DayBook::from_bytes(currency.clone(), 1, &book.to_bytes()).unwrap();
            prop_assert_eq!(&piece.figures(range(from, to)), &figures);
            prop_assert!(DayBook::from_bytes(currency, 1, b"").is_none());
            let inside = |on: &u32| (from..=to).contains(on);
            let distinct = customers.iter().filter(|ordered| ordered.iter().any(inside)).count();
            let new = customers.iter().filter(|ordered| ordered.first().is_some_and(inside)).count();
            prop_assert_eq!(figures.customers, i64::try_from(distinct).unwrap());
            prop_assert_eq!(figures.new_customers, i64::try_from(new).unwrap());
        }
    }

    #[test]
    fn the_points_of_a_series_add_up_to_the_range() {
        let mut book = book();
        let figures = |orders: i64| SalesFigures {
            gross_sales: Decimal::new(orders * 1_005, 2),
            orders,
            ..book.figures(range(0, 0))
        };
        let changes = |times: i64| {
            let of_day = |number: u32| Box::new(figures(i64::from(number) * times));
            let changes = (0..60).map(|number| DayChange::Sales(day(number), of_day(number)));
            changes.collect::<Vec<_>>()
        };
        let (before, now) = (changes(3), changes(1));
        book.change(2, before);
        book.change(3, now);
        let currency = book.currency().clone();
        let piece = DayBook::from_bytes(currency, 3, &book.to_bytes()).unwrap();
        let whole = book.figures(range(3, 57));
        assert_eq!(piece.figures(range(3, 57)), whole);
        for interval in CalendarInterval::ALL {
            let series = book.series(range(3, 57), interval, true);
            assert_eq!(series, book.series(range(3, 57), interval, false));
            let orders: i64 = series.iter().map(|(_, figures)| figures.orders).sum();
            let gross: Decimal = series.iter().map(|(_, figures)| figures.gross_sales).sum();
            assert_eq!((orders, gross), (whole.orders, whole.gross_sales));
        }
        assert_eq!(
            whole.gross_sales,
            Decimal::new((3..=57).sum::<i64>() * 1_005, 2)
        );
        assert_eq!((book.version(), book.first_sale()), (3, Some(day(1))));
    }
}

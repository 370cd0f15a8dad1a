//! Calendar days of a store: ranges of them, the ranges they are compared with, and the intervals they are cut
//! into. A day here is already the store's own; which instants it covers only the database knows.

use chrono::{Datelike as _, Days as DayCount, Months, NaiveDate};

/// The longest range that can be asked for.
pub const LONGEST_RANGE_YEARS: i32 = 100;
/// The most points that a series holds.
pub const MAX_POINTS: usize = 1000;
/// The most days that are cut into hours.
pub const MAX_DAYS_BY_HOUR: i64 = 14;
/// Days before the first of these years or after the last are a slip of the keyboard.
pub const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// A range of days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DayRange {
    from: NaiveDate,
    to: NaiveDate,
}

/// Why two days are no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DayRangeError {
    /// It ends before it begins.
    #[error("The range begins on {from}, after it ends on {to}: swap the two days.")]
    Reversed {
        /// Its beginning.
        from: NaiveDate,
        /// Its end.
        to: NaiveDate,
    },
    /// It is longer than anything a store could have.
    #[error(
        "The range is longer than {LONGEST_RANGE_YEARS} years: ask for a shorter one, or for ALL_TIME."
    )]
    TooLong,
    /// A day is in a year that no store has known.
    #[error("The day {0} is outside the years {first} to {last}.", first = YEARS.start(), last = YEARS.end())]
    OutsideYears(NaiveDate),
}

impl DayRange {
    /// The days from one to another, both included.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self, DayRangeError> {
        if let Some(strange) = [from, to]
            .into_iter()
            .find(|day| !YEARS.contains(&day.year()))
        {
            return Err(DayRangeError::OutsideYears(strange));
        }
        if from > to {
            return Err(DayRangeError::Reversed { from, to });
        }
        if years_earlier(to, LONGEST_RANGE_YEARS) >= from {
            return Err(DayRangeError::TooLong);
        }
        Ok(Self { from, to })
    }

    /// A single day.
    #[must_use]
    pub const fn single(day: NaiveDate) -> Self {
        Self { from: day, to: day }
    }

    /// The days up to `to` and including it, from `from` or from `to` itself if that is earlier.
    fn up_to(from: NaiveDate, to: NaiveDate) -> Self {
        Self {
            from: from.min(to),
            to,
        }
    }

    /// The first day.
    #[must_use]
    pub const fn from(self) -> NaiveDate {
        self.from
    }

    /// The last day.
    #[must_use]
    pub const fn to(self) -> NaiveDate {
        self.to
    }

    /// How many days there are: at least one.
    #[must_use]
    pub fn days(self) -> i64 {
        (self.to - self.from).num_days() + 1
    }

    /// The range that this one is compared with.
    #[must_use]
    pub fn compared(self, comparison: Comparison) -> Self {
        match comparison {
            Comparison::PreviousPeriod => {
                let to = days_earlier(self.from, 1);
                Self {
                    from: days_earlier(self.from, self.days().unsigned_abs()),
                    to,
                }
            }
            Comparison::PreviousYear => Self {
                from: years_earlier(self.from, 1),
                to: years_earlier(self.to, 1),
            },
        }
    }

    /// The first days of the calendar intervals that the range touches, in order: no gap, no repetition. The
    /// first may lie before the range.
    pub fn cut(self, interval: CalendarInterval) -> impl Iterator<Item = NaiveDate> {
        std::iter::successors(Some(interval.first_day(self.from)), move |day| {
            interval.next(*day)
        })
        .take_while(move |day| *day <= self.to)
    }

    /// The same intervals, each with its part of the range.
    pub fn pieces(self, interval: CalendarInterval) -> impl Iterator<Item = (NaiveDate, Self)> {
        self.cut(interval).map(move |first_day| {
            let whole = interval.days(first_day);
            let piece = Self {
                from: whole.from.max(self.from),
                to: whole.to.min(self.to),
            };
            (first_day, piece)
        })
    }
}

/// What a range is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// As many days, right before.
    PreviousPeriod,
    /// The same dates a year earlier; 28 February for 29 February.
    PreviousYear,
}

/// A range that moves with the present day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// The present day.
    Today,
    /// The day before.
    Yesterday,
    /// So many days, the present one included.
    LastDays(u16),
    /// From the first of the month.
    MonthToDate,
    /// From the first of the quarter.
    QuarterToDate,
    /// From 1 January.
    YearToDate,
    /// The whole month before the present one.
    LastMonth,
    /// From the first day with a sale.
    AllTime,
}

impl Preset {
    /// The days that are meant, given the present day and the first one with a sale.
    #[must_use]
    pub fn days(self, today: NaiveDate, first_sale: Option<NaiveDate>) -> DayRange {
        let since = |from| DayRange::up_to(from, today);
        match self {
            Self::Today => DayRange::single(today),
            Self::Yesterday => DayRange::single(days_earlier(today, 1)),
            Self::LastDays(days) => since(days_earlier(today, u64::from(days).saturating_sub(1))),
            Self::MonthToDate => since(CalendarInterval::Month.first_day(today)),
            Self::QuarterToDate => since(CalendarInterval::Quarter.first_day(today)),
            Self::YearToDate => since(CalendarInterval::Year.first_day(today)),
            Self::LastMonth => {
                let to = days_earlier(CalendarInterval::Month.first_day(today), 1);
                DayRange::up_to(CalendarInterval::Month.first_day(to), to)
            }
            Self::AllTime => since(first_sale.unwrap_or(today)),
        }
    }
}

/// What a series is cut into, from a day upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarInterval {
    /// Calendar days.
    Day,
    /// ISO weeks: they begin on Monday.
    Week,
    /// Calendar months.
    Month,
    /// Quarters of the calendar year.
    Quarter,
    /// Calendar years.
    Year,
}

impl CalendarInterval {
    /// Every interval, the shortest first.
    pub const ALL: [Self; 5] = [
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// The interval as `date_trunc` and the API (in capitals) name it.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The first day of the interval that a day lies in.
    #[must_use]
    pub fn first_day(self, day: NaiveDate) -> NaiveDate {
        let month = |month| NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day);
        match self {
            Self::Day => day,
            Self::Week => days_earlier(day, day.weekday().num_days_from_monday().into()),
            Self::Month => month(day.month()),
            Self::Quarter => month((day.month() - 1) / 3 * 3 + 1),
            Self::Year => month(1),
        }
    }

    /// The days of the interval that begins on this day.
    pub(super) fn days(self, first_day: NaiveDate) -> DayRange {
        let next = self.next(first_day).unwrap_or(NaiveDate::MAX);
        DayRange {
            from: first_day,
            to: days_earlier(next, 1),
        }
    }

    /// The first day of the interval after the one that begins on this day.
    fn next(self, first_day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => first_day.checked_add_days(DayCount::new(1)),
            Self::Week => first_day.checked_add_days(DayCount::new(7)),
            Self::Month => first_day.checked_add_months(Months::new(1)),
            Self::Quarter => first_day.checked_add_months(Months::new(3)),
            Self::Year => first_day.checked_add_months(Months::new(12)),
        }
    }

    /// The shortest interval that cuts the range into no more points than a series holds.
    #[must_use]
    pub fn shortest_for(range: DayRange) -> Self {
        Self::ALL
            .into_iter()
            .find(|interval| range.cut(*interval).nth(MAX_POINTS).is_none())
            .unwrap_or(Self::Year)
    }
}

/// Days of stores are far from the ends of what chrono can count.
fn days_earlier(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(DayCount::new(days))
        .unwrap_or(NaiveDate::MIN)
}

fn years_earlier(day: NaiveDate, years: i32) -> NaiveDate {
    let year = day.year() - years;
    day.with_year(year)
        .or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
        .unwrap_or(NaiveDate::MIN)
}

#[cfg(test)]
mod tests;

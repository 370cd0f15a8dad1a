//! Calendar days of a shop: ranges, comparison ranges and intervals. A day is already in the shop's
//! time zone. Only the database can convert it to instants.

use chrono::{Datelike as _, Days as DayCount, Months, NaiveDate};

/// The maximum length of a range.
pub const MAX_RANGE_YEARS: i32 = 100;
/// The maximum number of points in a series.
pub const MAX_POINTS: usize = 1000;
/// The maximum number of days in an hourly series.
pub const MAX_DAYS_BY_HOUR: i64 = 14;
/// Days outside these years are typing errors.
pub const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// A range of days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DayRange {
    from: NaiveDate,
    to: NaiveDate,
}

/// Why two days are not a valid range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DayRangeError {
    /// The range ends before it begins.
    #[error("The range begins on {from}, after it ends on {to}: swap the two days.")]
    Reversed {
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// The range is too long.
    #[error("The range is longer than {MAX_RANGE_YEARS} years: use a shorter one, or ALL_TIME.")]
    TooLong,
    /// The day is outside the valid years.
    #[error("The day {0} is outside the years {first} to {last}.", first = YEARS.start(), last = YEARS.end())]
    OutsideYears(NaiveDate),
}

impl DayRange {
    /// The range from one day to another, both included.
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
        if years_earlier(to, MAX_RANGE_YEARS) >= from {
            return Err(DayRangeError::TooLong);
        }
        Ok(Self { from, to })
    }

    /// A single day.
    #[must_use]
    pub const fn single(day: NaiveDate) -> Self {
        Self { from: day, to: day }
    }

    /// The range that ends on `to` and begins on `from`, or on `to` if that is earlier.
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

    /// The number of days, at least one.
    #[must_use]
    pub fn days(self) -> i64 {
        (self.to - self.from).num_days() + 1
    }

    /// The comparison range.
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

    /// The first days of the calendar intervals that overlap the range, in order and without gaps.
    /// The first one may be before the range.
    pub fn cut(self, interval: CalendarInterval) -> impl Iterator<Item = NaiveDate> {
        std::iter::successors(Some(interval.first_day(self.from)), move |day| {
            interval.next(*day)
        })
        .take_while(move |day| *day <= self.to)
    }

    /// The same intervals, each reduced to its overlap with the range.
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

/// The kinds of comparison ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same number of days, immediately before.
    PreviousPeriod,
    /// The same dates one year earlier. 29 February becomes 28 February.
    PreviousYear,
}

/// A range relative to today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Today.
    Today,
    /// Yesterday.
    Yesterday,
    /// The last days, including today.
    LastDays(u16),
    /// From the first day of the month.
    MonthToDate,
    /// From the first day of the quarter.
    QuarterToDate,
    /// From 1 January.
    YearToDate,
    /// The whole previous month.
    LastMonth,
    /// From the first day with a sale.
    AllTime,
}

impl Preset {
    /// Resolves the preset, given today and the first day with a sale.
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

/// The interval of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarInterval {
    /// Calendar days.
    Day,
    /// ISO weeks, which start on Monday.
    Week,
    /// Calendar months.
    Month,
    /// Calendar quarters.
    Quarter,
    /// Calendar years.
    Year,
}

impl CalendarInterval {
    /// Every interval, shortest first.
    pub const ALL: [Self; 5] = [
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// The name of the interval in `date_trunc` and, in capitals, in the API.
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

    /// The first day of the interval that contains a day.
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

    /// The first day of the next interval.
    fn next(self, first_day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => first_day.checked_add_days(DayCount::new(1)),
            Self::Week => first_day.checked_add_days(DayCount::new(7)),
            Self::Month => first_day.checked_add_months(Months::new(1)),
            Self::Quarter => first_day.checked_add_months(Months::new(3)),
            Self::Year => first_day.checked_add_months(Months::new(12)),
        }
    }

    /// The shortest interval that divides the range into few enough points for a series.
    #[must_use]
    pub fn shortest_for(range: DayRange) -> Self {
        Self::ALL
            .into_iter()
            .find(|interval| range.cut(*interval).nth(MAX_POINTS).is_none())
            .unwrap_or(Self::Year)
    }
}

/// Days of shops are far from the limits of chrono.
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

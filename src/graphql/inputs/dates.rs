//! Ranges of days and intervals.

use async_graphql::{Enum, InputObject, OneofObject};

use crate::domain::calendar::{self, CalendarInterval, DayRange, Preset};
use crate::domain::day_book::DayBook;
use crate::graphql::error::ApiError;
use crate::graphql::scalars::Day;
use crate::graphql::snapshot::Reading;

/// A range of days of the shop's calendar: two days, or a preset that moves with the present day.
#[derive(Clone, Copy, Debug, OneofObject)]
pub(crate) enum DateRangeInput {
    /// From one day to another.
    Between(DaysInput),
    /// A range that moves with the present day.
    Preset(DatePreset),
}

/// Two days of the shop's calendar, both included: at most 100 years, in the years 1900 to 2199.
#[derive(Clone, Copy, Debug, InputObject)]
pub(crate) struct DaysInput {
    /// The first day.
    from: Day,
    /// The last day; not before the first.
    to: Day,
}

/// A range that moves with the present day in the shop's time zone. All but `YESTERDAY` and `LAST_MONTH` end with
/// the present day, as far as it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum DatePreset {
    /// The present day.
    Today,
    /// The day before the present one.
    Yesterday,
    /// Seven days, the present one included.
    #[graphql(name = "LAST_7_DAYS")]
    Last7Days,
    /// Thirty days, the present one included.
    #[graphql(name = "LAST_30_DAYS")]
    Last30Days,
    /// Ninety days, the present one included.
    #[graphql(name = "LAST_90_DAYS")]
    Last90Days,
    /// 365 days, the present one included.
    #[graphql(name = "LAST_365_DAYS")]
    Last365Days,
    /// From the first of the month to the present day.
    MonthToDate,
    /// From the first of January, April, July or October to the present day.
    QuarterToDate,
    /// From the first of January to the present day.
    YearToDate,
    /// The whole calendar month before the present one.
    LastMonth,
    /// From the first day with a sale to the present day.
    AllTime,
}

impl From<DatePreset> for Preset {
    fn from(preset: DatePreset) -> Self {
        match preset {
            DatePreset::Today => Self::Today,
            DatePreset::Yesterday => Self::Yesterday,
            DatePreset::Last7Days => Self::LastDays(7),
            DatePreset::Last30Days => Self::LastDays(30),
            DatePreset::Last90Days => Self::LastDays(90),
            DatePreset::Last365Days => Self::LastDays(365),
            DatePreset::MonthToDate => Self::MonthToDate,
            DatePreset::QuarterToDate => Self::QuarterToDate,
            DatePreset::YearToDate => Self::YearToDate,
            DatePreset::LastMonth => Self::LastMonth,
            DatePreset::AllTime => Self::AllTime,
        }
    }
}

/// What a range is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "calendar::Comparison")]
pub(crate) enum Comparison {
    /// As many days, right before the range.
    PreviousPeriod,
    /// The same dates a year earlier; 28 February for 29 February.
    PreviousYear,
}

/// What a series is cut into. Calendar intervals follow the shop's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum Interval {
    /// Hours, counted from the beginning of each day: 23 or 25 of them on the days on which clocks change. For
    /// ranges of at most 14 days.
    Hour,
    /// Calendar days.
    Day,
    /// ISO weeks, which begin on Monday.
    Week,
    /// Calendar months.
    Month,
    /// Quarters of the calendar year.
    Quarter,
    /// Calendar years.
    Year,
}

impl Interval {
    /// The calendar interval; `None` for hours.
    pub(in crate::graphql) const fn calendar(self) -> Option<CalendarInterval> {
        Some(match self {
            Self::Hour => return None,
            Self::Day => CalendarInterval::Day,
            Self::Week => CalendarInterval::Week,
            Self::Month => CalendarInterval::Month,
            Self::Quarter => CalendarInterval::Quarter,
            Self::Year => CalendarInterval::Year,
        })
    }
}

/// The days that are meant; the last 30 when nothing is said.
pub(in crate::graphql) async fn resolve_range(
    reading: &mut Reading,
    range: Option<DateRangeInput>,
) -> Result<DayRange, ApiError> {
    let shop = reading.shop();
    match range.unwrap_or(DateRangeInput::Preset(DatePreset::Last30Days)) {
        DateRangeInput::Between(days) => DayRange::new(days.from.0, days.to.0)
            .map_err(|error| ApiError::bad_input("range", error.to_string())),
        DateRangeInput::Preset(preset) => {
            let first_sale = if preset == DatePreset::AllTime {
                reading.ask_book(DayBook::first_sale).await?
            } else {
                None
            };
            Ok(Preset::from(preset).days(shop.today, first_sale))
        }
    }
}

//! Date ranges and intervals.

use async_graphql::{Enum, InputObject, OneofObject};

use crate::domain::calendar::{self, CalendarInterval, DayRange, Preset};
use crate::domain::sales_timeline::SalesTimeline;
use crate::graphql::error::ApiError;
use crate::graphql::read_snapshot::ReadSnapshot;
use crate::graphql::scalars::Day;

/// A range of calendar days in the shop's time zone. Give exactly one of the two kinds.
#[derive(Clone, Copy, Debug, OneofObject)]
pub(crate) enum DateRangeInput {
    /// A range between two fixed days.
    Between(DaysInput),
    /// A range relative to today.
    Preset(DatePreset),
}

/// A range between two calendar days, both included. At most 100 years, within the years 1900 to
/// 2199.
#[derive(Clone, Copy, Debug, InputObject)]
pub(crate) struct DaysInput {
    /// The first day.
    from: Day,
    /// The last day. Must not be before the first.
    to: Day,
}

/// A range relative to today in the shop's time zone. All presets except `YESTERDAY` and
/// `LAST_MONTH` include today so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum DatePreset {
    /// Today.
    Today,
    /// Yesterday.
    Yesterday,
    /// The last 7 days, including today.
    #[graphql(name = "LAST_7_DAYS")]
    Last7Days,
    /// The last 30 days, including today.
    #[graphql(name = "LAST_30_DAYS")]
    Last30Days,
    /// The last 90 days, including today.
    #[graphql(name = "LAST_90_DAYS")]
    Last90Days,
    /// The last 365 days, including today.
    #[graphql(name = "LAST_365_DAYS")]
    Last365Days,
    /// From the first day of this month to today.
    MonthToDate,
    /// From the first day of this calendar quarter to today.
    QuarterToDate,
    /// From 1 January to today.
    YearToDate,
    /// The whole previous calendar month.
    LastMonth,
    /// From the first day with a sale to today.
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

/// The range to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "calendar::Comparison")]
pub(crate) enum Comparison {
    /// The same number of days, immediately before the range.
    PreviousPeriod,
    /// The same dates one year earlier. 29 February becomes 28 February.
    PreviousYear,
}

/// The length of the intervals of a series. Calendar intervals follow the shop's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum Interval {
    /// Hours, counted from the start of each day. A day has 23 or 25 hours when the clocks change.
    /// Only for ranges of at most 14 days.
    Hour,
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

impl Interval {
    /// The calendar interval. `None` for hours.
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

/// Resolves a range, or the last 30 days by default.
pub(in crate::graphql) async fn resolve_range(
    reading: &mut ReadSnapshot,
    range: Option<DateRangeInput>,
) -> Result<DayRange, ApiError> {
    let shop = reading.shop();
    match range.unwrap_or(DateRangeInput::Preset(DatePreset::Last30Days)) {
        DateRangeInput::Between(days) => DayRange::new(days.from.0, days.to.0)
            .map_err(|error| ApiError::bad_input("range", error.to_string())),
        DateRangeInput::Preset(preset) => {
            let first_sale = if preset == DatePreset::AllTime {
                reading.query_timeline(SalesTimeline::first_sale).await?
            } else {
                None
            };
            Ok(Preset::from(preset).days(shop.today, first_sale))
        }
    }
}

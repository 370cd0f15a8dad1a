use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn range(from: &str, to: &str) -> DayRange {
    DayRange::new(day(from), day(to)).unwrap()
}

#[test]
fn a_range_has_both_its_ends() {
    assert_eq!(range("2026-03-01", "2026-03-01").days(), 1);
    assert_eq!(range("2028-02-01", "2028-02-29").days(), 29);
}

#[test]
fn a_range_that_makes_no_sense_is_refused() {
    let new = |from, to| DayRange::new(day(from), day(to)).unwrap_err();
    assert_eq!(
        new("2026-03-02", "2026-03-01").to_string(),
        "The range begins on 2026-03-02, after it ends on 2026-03-01: swap the two days."
    );
    assert_eq!(new("1926-03-01", "2026-03-01"), DayRangeError::TooLong);
    assert_eq!(range("1926-03-02", "2026-03-01").days(), 36_525);
    assert_eq!(
        new("1026-03-02", "2026-03-01").to_string(),
        "The day 1026-03-02 is outside the years 1900 to 2199."
    );
}

#[test]
fn presets_are_counted_from_the_present_day() {
    let days = |preset: Preset| preset.days(day("2026-03-31"), Some(day("2025-11-05")));
    for (preset, from, to) in [
        (Preset::Today, "2026-03-31", "2026-03-31"),
        (Preset::Yesterday, "2026-03-30", "2026-03-30"),
        (Preset::LastDays(7), "2026-03-25", "2026-03-31"),
        (Preset::LastDays(30), "2026-03-02", "2026-03-31"),
        (Preset::LastDays(365), "2025-04-01", "2026-03-31"),
        (Preset::MonthToDate, "2026-03-01", "2026-03-31"),
        (Preset::QuarterToDate, "2026-01-01", "2026-03-31"),
        (Preset::YearToDate, "2026-01-01", "2026-03-31"),
        (Preset::LastMonth, "2026-02-01", "2026-02-28"),
        (Preset::AllTime, "2025-11-05", "2026-03-31"),
    ] {
        assert_eq!(days(preset), range(from, to), "{preset:?}");
    }
    let today = day("2026-03-31");
    assert_eq!(Preset::AllTime.days(today, None), DayRange::single(today));
    assert_eq!(
        Preset::AllTime.days(today, Some(day("2027-01-01"))),
        DayRange::single(today)
    );
}

#[test]
fn a_year_earlier_than_a_leap_day_is_the_28th() {
    assert_eq!(
        range("2028-02-29", "2028-03-31").compared(Comparison::PreviousYear),
        range("2027-02-28", "2027-03-31")
    );
}

#[test]
fn weeks_begin_on_monday_and_cover_the_edges() {
    let weeks: Vec<_> = range("2026-03-01", "2026-03-09")
        .cut(CalendarInterval::Week)
        .collect();
    assert_eq!(
        weeks,
        [day("2026-02-23"), day("2026-03-02"), day("2026-03-09")]
    );
}

#[test]
fn the_shortest_interval_that_fits_is_found() {
    let shortest = |from, to| CalendarInterval::shortest_for(range(from, to));
    assert_eq!(
        shortest("2024-01-01", "2026-09-26"),
        CalendarInterval::Day,
        "1,000 days"
    );
    assert_eq!(shortest("2024-01-01", "2026-09-27"), CalendarInterval::Week);
    assert_eq!(
        shortest("1930-01-01", "2026-09-27"),
        CalendarInterval::Quarter
    );
}

fn any_range() -> impl Strategy<Value = DayRange> {
    (0u64..40_000, 0u64..5_000).prop_map(|(from, days)| {
        let from = day("1960-01-01") + DayCount::new(from);
        DayRange::new(from, from + DayCount::new(days)).unwrap()
    })
}

proptest! {
    #[test]
    fn a_series_has_no_gaps_and_no_overlaps(range in any_range()) {
        for interval in CalendarInterval::ALL {
            let points: Vec<_> = range.cut(interval).collect();
            prop_assert_eq!(points[0], interval.first_day(range.from()));
            let mut day = range.from();
            let mut seen = vec![interval.first_day(day)];
            while day < range.to() {
                day = day + DayCount::new(1);
                let first = interval.first_day(day);
                prop_assert!(first <= day && interval.first_day(first) == first);
                if seen.last() != Some(&first) {
                    seen.push(first);
                }
            }
            prop_assert_eq!(points, seen);
        }
    }

    #[test]
    fn the_previous_period_is_as_long_and_touches(range in any_range()) {
        let previous = range.compared(Comparison::PreviousPeriod);
        prop_assert_eq!(previous.days(), range.days());
        prop_assert_eq!(previous.to() + DayCount::new(1), range.from());
    }

    #[test]
    fn the_previous_year_is_in_order(range in any_range()) {
        let previous = range.compared(Comparison::PreviousYear);
        prop_assert!(previous.from() <= previous.to());
        prop_assert_eq!(previous.from().year() + 1, range.from().year());
        prop_assert!((previous.days() - range.days()).abs() <= 1);
    }
}

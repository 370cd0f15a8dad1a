//! How a search compares instants: what quoting, zones and missing time parts do to it.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{Comparison, FieldKind};
use crate::clock::Moment;

/// The instants a term lets through, both ends included; an end left out is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Between(Option<Moment>, Option<Moment>),
    Nothing,
    /// The value is no instant at all.
    NotATime,
}

const LAST_MILLI: i64 = 1;
const SECOND: i64 = 1000;

/// What a term lets through.
///
/// - Unquoted: the time part is dropped and the day is the shop's.
/// - Quoted with an offset other than `Z`: nothing.
/// - `>` is `>=` and `<` is `<=`.
/// - A [`FieldKind::Day`] field is compared by the shop's whole days.
pub(crate) fn span(
    value: &str,
    quoted: bool,
    comparison: Comparison,
    kind: FieldKind,
    zone: Tz,
) -> Span {
    let Some(date) = value
        .get(..10)
        .and_then(|text| text.parse::<NaiveDate>().ok())
    else {
        return Span::NotATime;
    };
    let time = value.get(10..).unwrap_or_default();
    if !quoted || time.is_empty() {
        return of_day(date, comparison, zone);
    }
    let instant = match (value.parse::<Moment>(), time.strip_suffix(['Z', 'z'])) {
        (Ok(instant), Some(_)) => instant,
        (Ok(_), None) => return Span::Nothing,
        (Err(_), _) => match format!("{value}Z").parse::<Moment>() {
            Ok(wall) => Moment::local(wall.to_utc().naive_utc(), zone),
            Err(_) => return Span::NotATime,
        },
    };
    if kind == FieldKind::Day {
        return of_day(instant.day_in(zone), comparison, zone);
    }
    let first = instant.second();
    let last = Moment::from_millis(first.millis() + SECOND - LAST_MILLI);
    match comparison {
        Comparison::Is => Span::Between(Some(first), Some(last)),
        Comparison::More | Comparison::MoreOrEqual => Span::Between(Some(first), None),
        Comparison::Less | Comparison::LessOrEqual => Span::Between(None, Some(last)),
    }
}

fn of_day(day: NaiveDate, comparison: Comparison, zone: Tz) -> Span {
    let first = Moment::start_of(day, zone);
    let next = day.succ_opt().unwrap_or(day);
    let last = Moment::from_millis(Moment::start_of(next, zone).millis() - LAST_MILLI);
    match comparison {
        Comparison::Is => Span::Between(Some(first), Some(last)),
        Comparison::More | Comparison::MoreOrEqual => Span::Between(Some(first), None),
        Comparison::Less | Comparison::LessOrEqual => Span::Between(None, Some(last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: &str, to: &str) -> Span {
        let read = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        Span::Between(read(from), read(to))
    }

    fn of(value: &str, quoted: bool, comparison: Comparison, kind: FieldKind) -> Span {
        span(value, quoted, comparison, kind, chrono_tz::Asia::Kolkata)
    }

    #[test]
    fn quoted_utc_times_are_exact_and_strict_signs_are_not_strict() {
        let time = "2026-03-01T19:00:00Z";
        let at_least = between(time, "");
        assert_eq!(
            of(time, true, Comparison::MoreOrEqual, FieldKind::Time),
            at_least
        );
        assert_eq!(of(time, true, Comparison::More, FieldKind::Time), at_least);
        let at_most = between("", "2026-03-01T19:00:00.999Z");
        assert_eq!(of(time, true, Comparison::Less, FieldKind::Time), at_most);
    }

    #[test]
    fn unquoted_times_lose_their_time_and_use_the_shops_zone() {
        let span = of(
            "2026-03-01T19:00:00Z",
            false,
            Comparison::MoreOrEqual,
            FieldKind::Time,
        );
        assert_eq!(span, between("2026-02-28T18:30:00Z", ""));
    }

    #[test]
    fn other_offsets_match_nothing() {
        let span = of(
            "2026-03-01T19:00:00+02:00",
            true,
            Comparison::More,
            FieldKind::Time,
        );
        assert_eq!(span, Span::Nothing);
    }

    #[test]
    fn day_fields_match_whole_days_of_the_shop() {
        let span = of(
            "2026-03-01T19:00:00Z",
            true,
            Comparison::Less,
            FieldKind::Day,
        );
        assert_eq!(span, between("", "2026-03-02T18:29:59.999Z"));
    }
}

//! The scalars of the schema and their formats.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Datelike as _, NaiveDate, SecondsFormat, Utc};

/// An exact decimal number. It is a string, so that clients do not round it: `"1234.50"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecimalText(pub String);

/// An exact decimal number. It is a string, so that clients do not round it: `"1234.50"`.
#[Scalar(name = "Decimal")]
impl ScalarType for DecimalText {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        text.parse::<rust_decimal::Decimal>()
            .map(|decimal| Self(decimal.to_string()))
            .map_err(|_| InputValueError::custom("Expected a decimal number such as \"1234.50\"."))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A 64-bit integer, written as a JSON number. JavaScript's `JSON.parse` rounds numbers above
/// 9,007,199,254,740,991; other languages read every digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Long(pub i64);

/// A 64-bit integer, written as a JSON number. JavaScript's `JSON.parse` rounds numbers above
/// 9,007,199,254,740,991; other languages read every digit.
#[Scalar]
impl ScalarType for Long {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => number
                .as_i64()
                .map(Self)
                .ok_or_else(|| InputValueError::custom("Expected a 64-bit integer.")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}

/// A calendar day in the shop's time zone, as year-month-day: `"2026-11-23"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub NaiveDate);

impl Day {
    /// The text in responses.
    pub(super) fn text(self) -> String {
        let (year, month, day) = (self.0.year(), self.0.month(), self.0.day());
        let Ok(year @ 0..=9_999) = u32::try_from(year) else {
            return self.0.to_string();
        };
        // A response may contain hundreds of days, and setting the digits directly is faster than
        // formatting.
        let digits = [
            year / 1_000,
            year / 100,
            year / 10,
            year,
            month / 10,
            month,
            day / 10,
            day,
        ];
        let mut text = String::with_capacity(10);
        for (place, digit) in digits.into_iter().enumerate() {
            if place == 4 || place == 6 {
                text.push('-');
            }
            text.extend(char::from_digit(digit % 10, 10));
        }
        text
    }
}

/// A calendar day in the shop's time zone, as year-month-day: `"2026-11-23"`.
#[Scalar(name = "Date")]
impl ScalarType for Day {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        parse_day(text).map(Self).ok_or_else(|| {
            InputValueError::custom("Expected a calendar day such as \"2026-11-23\".")
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.text())
    }
}

/// Requires exactly four, two and two digits. chrono also accepts `+2026-1-2`.
fn parse_day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (day.format("%Y-%m-%d").to_string() == text && text.len() == 10).then_some(day)
}

/// An instant in RFC 3339 format. Output is in UTC: `"2026-11-23T18:30:00Z"`. Input may have any
/// offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub DateTime<Utc>);

impl Instant {
    /// The text in responses.
    pub(super) fn text(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

/// An instant in RFC 3339 format. Output is in UTC: `"2026-11-23T18:30:00Z"`. Input may have any
/// offset.
#[Scalar(name = "DateTime")]
impl ScalarType for Instant {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        DateTime::parse_from_rfc3339(text)
            .map(|instant| Self(instant.to_utc()))
            .map_err(|_| {
                InputValueError::custom("Expected an instant such as \"2026-11-23T18:30:00Z\".")
            })
    }

    fn to_value(&self) -> Value {
        Value::String(self.text())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Option<Day> {
        Day::parse(Value::String(text.to_owned())).ok()
    }

    #[test]
    fn a_64_bit_integer_keeps_every_digit() {
        for number in [i64::MIN, 0, 9_007_199_254_740_993, i64::MAX] {
            let value = Long(number).to_value();
            assert_eq!(value.to_string(), number.to_string());
            assert_eq!(Long::parse(value).ok(), Some(Long(number)));
        }
        for wrong in ["9223372036854775808", "1.5", "\"1\"", "null"] {
            let value = Value::from_json(serde_json::from_str(wrong).unwrap()).unwrap();
            assert!(Long::parse(value).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_has_one_spelling() {
        let valid = NaiveDate::from_ymd_opt(2028, 2, 29).unwrap();
        assert_eq!(day("2028-02-29"), Some(Day(valid)));
        for wrong in [
            "2027-02-29",
            "2026-1-2",
            "+2026-01-02",
            "2026-01-02T00:00:00Z",
            "20260102",
            "",
        ] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_day_is_written_as_chrono_does(number in -800_000_i32..4_000_000) {
            let day = NaiveDate::from_num_days_from_ce_opt(number).unwrap();
            prop_assert_eq!(Day(day).text(), day.to_string());
        }
    }

    #[test]
    fn an_instant_is_written_in_utc() {
        let instant =
            Instant::parse(Value::String("2026-03-02T00:30:00+05:30".to_owned())).unwrap();
        assert_eq!(
            instant.to_value(),
            Value::String("2026-03-01T19:00:00Z".to_owned())
        );
    }
}

//! Numbers as Shopify writes them. Amounts are strings ("15.0"); a stand-in may write JSON numbers, which are
//! taken where they are exact.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// An exact amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount(pub(super) Decimal);

/// A count of 64 bits, written as a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally(pub(super) i64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;
        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an exact decimal number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                Decimal::from_str_exact(text)
                    .map(Amount)
                    .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount(number.into()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount(number.into()))
            }

            // Up to fifteen digits, the shortest text of the number is the text that was sent.
            fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
                let text = number.to_string();
                if text.bytes().filter(u8::is_ascii_digit).count() > 15 {
                    return Err(E::invalid_value(Unexpected::Float(number), &self));
                }
                self.visit_str(&text)
            }
        }
        deserializer.deserialize_any(AmountVisitor)
    }
}

impl<'de> Deserialize<'de> for Tally {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TallyVisitor;
        impl Visitor<'_> for TallyVisitor {
            type Value = Tally;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Tally, E> {
                text.parse()
                    .map(Tally)
                    .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Tally, E> {
                i64::try_from(number)
                    .map(Tally)
                    .map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
        }
        deserializer.deserialize_any(TallyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(json: &str) -> Option<String> {
        serde_json::from_str::<Amount>(json)
            .ok()
            .map(|amount| amount.0.to_string())
    }

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (json, expected) in [
            (r#""15.0""#, "15.0"),
            (r#""-0.05""#, "-0.05"),
            (r#""12345678901234567.89""#, "12345678901234567.89"),
            ("15", "15"),
            ("-3", "-3"),
            ("10.1", "10.1"),
            ("0.3", "0.3"),
        ] {
            assert_eq!(amount(json).as_deref(), Some(expected), "{json}");
        }
        for wrong in [
            r#""""#,
            r#""1,5""#,
            r#""abc""#,
            "12345678901234567.89",
            "true",
            "null",
        ] {
            assert_eq!(amount(wrong), None, "{wrong}");
        }
    }
}

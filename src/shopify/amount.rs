//! Numbers in Shopify's format. Amounts are strings ("15.0"). JSON numbers are accepted if they are
//! exact.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// An exact amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount(pub(super) Decimal);

/// A 64-bit count, serialised as a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnsignedInt64(pub(super) i64);

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

            // With at most 15 digits, the shortest text of the number equals the text that was
            // sent.
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

impl<'de> Deserialize<'de> for UnsignedInt64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UnsignedInt64Visitor;
        impl Visitor<'_> for UnsignedInt64Visitor {
            type Value = UnsignedInt64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<UnsignedInt64, E> {
                text.parse()
                    .map(UnsignedInt64)
                    .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<UnsignedInt64, E> {
                i64::try_from(number)
                    .map(UnsignedInt64)
                    .map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
        }
        deserializer.deserialize_any(UnsignedInt64Visitor)
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

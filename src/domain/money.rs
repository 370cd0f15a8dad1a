//! Money: an exact decimal amount in a currency. Amounts in different currencies cannot be added.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

/// A currency code of ISO 4217, or one of Shopify's own such as `USDC`: three or four capital
/// letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type, serde::Serialize)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct Currency(String);

/// The text is not a currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a currency code: {0:?}")]
pub struct CurrencyError(String);

impl Currency {
    /// Parses a code of three or four capital letters.
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        if matches!(code.len(), 3 | 4) && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(code.to_owned()))
        } else {
            Err(CurrencyError(code.chars().take(20).collect()))
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0
    }

    /// Converts into the code.
    #[must_use]
    pub fn into_code(self) -> String {
        self.0
    }

    /// The number of decimals of the currency's smallest unit (ISO 4217): 2 for most, 0 for yen, 3
    /// for Kuwaiti dinar.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        match self.0.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl<'a> serde::Deserialize<'a> for Currency {
    fn deserialize<D: serde::Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

/// Serialises an amount as the sixteen bytes that it has in memory, scale included, for formats that are not read by
/// people. Use it with `#[serde(with = "decimal_bytes")]`.
pub(crate) mod decimal_bytes {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        amount: &Decimal,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        amount.serialize().serialize(serializer)
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Decimal, D::Error> {
        <[u8; 16]>::deserialize(deserializer).map(Decimal::deserialize)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount in a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// The exact amount.
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
}

/// The currencies of two amounts differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot add {1} to {0}")]
pub struct CurrencyMismatch(Currency, Currency);

impl Money {
    /// An amount in a currency.
    #[must_use]
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The sum of two amounts in the same currency.
    pub fn add(&self, other: &Self) -> Result<Self, CurrencyMismatch> {
        if self.currency == other.currency {
            Ok(Self::new(self.amount + other.amount, self.currency.clone()))
        } else {
            Err(CurrencyMismatch(
                self.currency.clone(),
                other.currency.clone(),
            ))
        }
    }

    /// The amount as text: with at least the decimals of the currency ("1062.00", "500" for yen),
    /// and more only if the exact amount has more. Never rounded.
    #[must_use]
    pub fn written_amount(&self) -> String {
        let mantissa = self.amount.mantissa();
        let [mut decimals, least] = [self.amount.scale(), self.currency.decimals()]
            .map(|decimals| usize::try_from(decimals).unwrap_or_default());
        // A response may contain hundreds of amounts. Setting their digits directly is faster than
        // 128-bit arithmetic.
        let mut digits = String::with_capacity(32);
        digits.push_str(itoa::Buffer::new().format(mantissa.unsigned_abs()));
        if digits.len() <= decimals {
            digits.insert_str(0, &"0".repeat(decimals + 1 - digits.len()));
        }
        while decimals > least && digits.ends_with('0') {
            digits.pop();
            decimals -= 1;
        }
        while decimals < least {
            digits.push('0');
            decimals += 1;
        }
        if decimals > 0 {
            digits.insert(digits.len() - decimals, '.');
        }
        if mantissa < 0 {
            digits.insert(0, '-');
        }
        digits
    }

    /// The amount divided by a count and rounded to the currency's smallest unit, halves away from
    /// zero. Zero if the count is zero.
    #[must_use]
    pub fn per(&self, count: i64) -> Self {
        let amount = self
            .amount
            .checked_div(Decimal::from(count))
            .unwrap_or_default();
        let amount = amount.round_dp_with_strategy(
            self.currency.decimals(),
            RoundingStrategy::MidpointAwayFromZero,
        );
        Self::new(amount, self.currency.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount: &str, currency: &str) -> Money {
        Money::new(amount.parse().unwrap(), Currency::parse(currency).unwrap())
    }

    #[test]
    fn amounts_are_written_with_the_decimals_of_their_currency() {
        assert_eq!(money("1062", "INR").written_amount(), "1062.00");
        assert_eq!(money("10.3000", "USD").written_amount(), "10.30");
        assert_eq!(money("10.3333", "USD").written_amount(), "10.3333");
        assert_eq!(money("500.0000", "JPY").written_amount(), "500");
        assert_eq!(money("-0.5", "KWD").written_amount(), "-0.500");
        assert_eq!(money("0", "EUR").written_amount(), "0.00");
        assert_eq!(money("0.0000", "JPY").written_amount(), "0");
        assert_eq!(money("-0.00", "USD").written_amount(), "0.00");
        assert_eq!(money("0.0005", "USD").written_amount(), "0.0005");
        assert_eq!(money("-0.05", "USD").written_amount(), "-0.05");
        assert_eq!(money("100", "JPY").written_amount(), "100");
        assert_eq!(
            money("-79228162514264337593543950.335", "USD").written_amount(),
            "-79228162514264337593543950.335"
        );
    }

    #[test]
    fn a_code_is_that_of_a_currency_or_a_coin() {
        for code in ["INR", "USDC"] {
            assert_eq!(Currency::parse(code).unwrap().code(), code);
        }
        for code in ["", "IN", "inr", "?INR", "USDCX"] {
            assert!(Currency::parse(code).is_err(), "{code}");
        }
    }

    #[test]
    fn an_average_is_rounded_once_and_zero_of_nothing() {
        assert_eq!(money("100", "USD").per(3).written_amount(), "33.33");
        assert_eq!(money("0.25", "USD").per(2).written_amount(), "0.13");
        assert_eq!(money("100", "USD").per(0).written_amount(), "0.00");
    }

    #[test]
    fn two_currencies_do_not_add() {
        assert!(money("1", "USD").add(&money("1", "EUR")).is_err());
        assert_eq!(
            money("1", "USD").add(&money("2.50", "USD")),
            Ok(money("3.50", "USD"))
        );
    }

    proptest! {
        #[test]
        fn amounts_are_written_exactly(units: i64, scale in 0_u32..10, place in 0_usize..3) {
            let (currency, least) = [("JPY", 0), ("USD", 2), ("KWD", 3)].get(place).copied().unwrap();
            let amount = Decimal::new(units, scale);
            let written = Money::new(amount, Currency::parse(currency).unwrap()).written_amount();
            let read: Decimal = written.parse().unwrap();
            prop_assert_eq!(read, amount);
            prop_assert_eq!(read.scale(), amount.normalize().scale().max(least));
            prop_assert_eq!(read.to_string(), written);
        }
    }
}

//! Exact money: amounts as whole ten-thousandths, currencies as their three letters.
//!
//! No floating point anywhere. A computed amount is rounded to what the currency can pay; an amount
//! given literally keeps up to four decimals.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Ten-thousandths in one whole unit of a currency.
const UNIT: i64 = 10_000;

/// An amount of money in ten-thousandths of its currency's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// An amount of so many whole units.
    pub const fn whole(units: i64) -> Self {
        Self(units.saturating_mul(UNIT))
    }

    /// An amount of so many hundredths.
    pub const fn hundredths(hundredths: i64) -> Self {
        Self(hundredths.saturating_mul(100))
    }

    /// The amount times a number of pieces.
    #[must_use]
    pub fn times(self, pieces: i32) -> Self {
        Self(self.0.saturating_mul(i64::from(pieces)))
    }

    /// The part `part / whole` of the amount, rounded to what the currency can pay.
    #[must_use]
    pub fn share(self, part: i64, whole: i64, currency: Currency) -> Self {
        let step = currency.smallest();
        let divisor = i128::from(whole) * i128::from(step);
        if divisor == 0 {
            return Self::ZERO;
        }
        let product = i128::from(self.0) * i128::from(part);
        Self(narrow(divide_rounded(product, divisor) * i128::from(step)))
    }

    /// The amount's percentage, rounded to what the currency can pay.
    #[must_use]
    pub fn percent(self, percent: Percent, currency: Currency) -> Self {
        self.share(percent.0, Percent::WHOLE, currency)
    }

    /// The tax inside an amount that includes it.
    #[must_use]
    pub fn tax_inside(self, percent: Percent, currency: Currency) -> Self {
        self.share(percent.0, Percent::WHOLE + percent.0, currency)
    }

    /// Whether the amount is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The amount in ten-thousandths.
    pub(crate) const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// Writes the amount as Shopify's `Decimal` does: trailing zeros cut, at least one decimal.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let digits = self.0.unsigned_abs();
        if self.0 < 0 {
            out.push(b'-');
        }
        write_number(out, digits / UNIT.unsigned_abs());
        out.push(b'.');
        let mut fraction = digits % UNIT.unsigned_abs();
        let mut place = UNIT.unsigned_abs() / 10;
        loop {
            out.push(digit(fraction / place));
            fraction %= place;
            place /= 10;
            if fraction == 0 || place == 0 {
                break;
            }
        }
    }

    /// The amount as Shopify's `Money` scalar: with the currency's own number of decimals.
    pub(crate) fn fixed(self, currency: Currency) -> String {
        let mut text = self.to_string();
        if let Some(point) = text.find('.') {
            let decimals = usize::try_from(currency.decimals()).unwrap_or(2);
            if decimals == 0 {
                text.truncate(point);
            } else {
                while text.len() < point + 1 + decimals {
                    text.push('0');
                }
            }
        }
        text
    }
}

fn digit(value: u64) -> u8 {
    b'0' + u8::try_from(value % 10).unwrap_or(0)
}

/// Writes a whole number without the formatting machinery: bulk files hold millions of them.
pub(crate) fn write_number(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        out.push(digit(value));
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(written) = out.get_mut(start..) {
        written.reverse();
    }
}

fn divide_rounded(value: i128, divisor: i128) -> i128 {
    let half = divisor.abs() / 2;
    if (value < 0) == (divisor < 0) {
        (value.abs() + half) / divisor.abs()
    } else {
        -((value.abs() + half) / divisor.abs())
    }
}

fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}

/// A text that is no amount, currency or percentage.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not {1}")]
pub struct NotThat(String, &'static str);

/// Reads a decimal text as a whole number of `1 / unit`.
fn read_decimal(text: &str, unit: i64) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty()
        || !digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let mut value = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for byte in fraction.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        place /= 10;
        if place == 0 && byte != b'0' {
            return None;
        }
        value = value.checked_add(i64::from(byte - b'0').checked_mul(place)?)?;
    }
    Some(if negative { -value } else { value })
}

impl FromStr for Amount {
    type Err = NotThat;
    fn from_str(text: &str) -> Result<Self, NotThat> {
        read_decimal(text, UNIT)
            .map(Self)
            .ok_or_else(|| NotThat(text.to_owned(), "an amount of at most four decimals"))
    }
}

/// A percentage, exact to a thousandth: 18, 8.875.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percent(i64);

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All of it.
    const WHOLE: i64 = 100_000;

    /// A whole percentage.
    pub const fn whole(percent: i64) -> Self {
        Self(percent * 1000)
    }
}

impl FromStr for Percent {
    type Err = NotThat;
    fn from_str(text: &str) -> Result<Self, NotThat> {
        read_decimal(text, 1000)
            .map(Self)
            .ok_or_else(|| NotThat(text.to_owned(), "a percentage of at most three decimals"))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", Amount(self.0 * 10))
    }
}

/// A currency's three letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The pound.
    pub const GBP: Self = Self(*b"GBP");

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimals the currency has.
    fn decimals(self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }

    /// The smallest amount that can be paid, in ten-thousandths.
    fn smallest(self) -> i64 {
        10_i64.pow(4 - self.decimals())
    }
}

impl FromStr for Currency {
    type Err = NotThat;
    fn from_str(text: &str) -> Result<Self, NotThat> {
        <[u8; 3]>::try_from(text.as_bytes())
            .ok()
            .filter(|letters| letters.iter().all(u8::is_ascii_uppercase))
            .map(Self)
            .ok_or_else(|| NotThat(text.to_owned(), "a currency's three capital letters"))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Reads a text or a whole number, never a float: an amount in JSON is written as a string.
struct TextVisitor<T>(std::marker::PhantomData<T>, &'static str);

impl<T: FromStr<Err = NotThat>> de::Visitor<'_> for TextVisitor<T> {
    type Value = T;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.1)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        value.to_string().parse().map_err(E::custom)
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        value.to_string().parse().map_err(E::custom)
    }
}

macro_rules! as_text {
    ($type:ty, $expected:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextVisitor(std::marker::PhantomData, $expected))
            }
        }
    };
}

as_text!(Amount, "an amount as a string");
as_text!(Percent, "a percentage as a string");
as_text!(Currency, "a currency's three letters");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_shopify_writes_them() {
        for (given, written) in [
            ("15", "15.0"),
            ("15.50", "15.5"),
            ("-0.05", "-0.05"),
            ("1062.00", "1062.0"),
            ("0.1234", "0.1234"),
            ("100.05", "100.05"),
        ] {
            assert_eq!(given.parse::<Amount>().unwrap().to_string(), written);
        }
        assert!("1e3".parse::<Amount>().is_err());
        assert!("0.12345".parse::<Amount>().is_err());
        assert!("1.2.3".parse::<Amount>().is_err());
    }

    #[test]
    fn shares_are_rounded_to_what_the_currency_can_pay() {
        let ten = Amount::whole(10);
        assert_eq!(ten.share(1, 3, "GBP".parse().unwrap()).to_string(), "3.33");
        assert_eq!(ten.share(2, 3, "JPY".parse().unwrap()).to_string(), "7.0");
        assert_eq!(
            ten.share(-1, 3, "KWD".parse().unwrap()).to_string(),
            "-3.333"
        );
        assert_eq!(ten.fixed("GBP".parse().unwrap()), "10.00");
        assert_eq!(ten.fixed("JPY".parse().unwrap()), "10");
    }
}

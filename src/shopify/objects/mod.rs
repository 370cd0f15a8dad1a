//! Shopify's objects as JSON, and their conversion to records of the domain. Lines of a bulk result
//! and responses to queries have the same shape, so one set of types reads both.

mod customer;
mod ledger;
mod order;
mod product;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::amount::Amount;
use super::error::ShopifyError;
use crate::domain::money::Currency;

pub(super) use customer::Customer;
pub(super) use ledger::{Agreement, AgreementEdge, AgreementEdges, Sale};
pub(super) use order::{LineItem, Order};
pub(super) use product::{Product, Variant};

type Result<T> = std::result::Result<T, ShopifyError>;

/// One page of a connection.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection<T> {
    pub(super) nodes: Vec<T>,
    pub(super) page_info: PageInfo,
}

/// Whether a page has a next one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl PageInfo {
    pub(super) fn new(has_next_page: bool, end_cursor: Option<String>) -> Self {
        Self {
            has_next_page,
            end_cursor,
        }
    }

    /// The cursor of the next page. A missing cursor would lose rows, and a repeated one would never
    /// end, so both are errors.
    pub(super) fn next(self, after: Option<&str>) -> Result<Option<String>> {
        if !self.has_next_page {
            return Ok(None);
        }
        match self.end_cursor {
            Some(cursor) if Some(cursor.as_str()) != after => Ok(Some(cursor)),
            _ => Err(ShopifyError::Unreadable(
                "a page has no cursor to the next page".to_owned(),
            )),
        }
    }
}

/// An object of which only the id is requested.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: FromStr, T::Err: fmt::Display")]
struct Reference<T> {
    #[serde(deserialize_with = "gid")]
    id: T,
}

/// An amount in the shop's currency. Shopify also has it in the customer's currency, which is not
/// requested.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MoneyBag {
    shop_money: ShopMoney,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShopMoney {
    amount: Amount,
    #[serde(default)]
    currency_code: Option<String>,
}

impl MoneyBag {
    fn amount(&self) -> rust_decimal::Decimal {
        self.shop_money.amount.0
    }

    fn currency(&self) -> Result<Currency> {
        let code = self.shop_money.currency_code.as_deref().unwrap_or_default();
        Currency::parse(code).or(Err(ShopifyError::Unconvertible("currency")))
    }
}

/// Reads an id from its gid.
fn gid<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    deserializer.deserialize_str(GidVisitor(PhantomData))
}

/// Reads an optional id from its gid. Queries do not request the ids of parents.
fn optional_gid<'de, D, T>(deserializer: D) -> std::result::Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    gid(deserializer).map(Some)
}

struct GidVisitor<T>(PhantomData<T>);

impl<T> Visitor<'_> for GidVisitor<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a gid")
    }

    fn visit_str<E: Error>(self, text: &str) -> std::result::Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

fn parent<T>(parent: Option<T>) -> Result<T> {
    parent.ok_or(ShopifyError::Unconvertible("child without a parent"))
}

fn count(number: i64) -> Result<i32> {
    i32::try_from(number).or(Err(ShopifyError::Unconvertible("quantity")))
}

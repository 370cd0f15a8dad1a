//! What is asked of an order, and why it may be refused.

use serde::Deserialize;

use crate::amount::Amount;
use crate::clock::Moment;

/// Why an operation did nothing.
#[derive(Debug, thiserror::Error)]
pub enum BusinessError {
    /// There is no such order.
    #[error("there is no order {0}")]
    NoSuchOrder(u64),
    /// There is no such customer.
    #[error("there is no customer {0}")]
    NoSuchCustomer(u64),
    /// There is no such product.
    #[error("there is no product {0}")]
    NoSuchProduct(u64),
    /// There is no such variant.
    #[error("there is no variant {0}")]
    NoSuchVariant(u64),
    /// There is no such line item.
    #[error("the order has no line item {0}")]
    NoSuchLine(u64),
    /// A line needs a variant, or a title and a price.
    #[error("a line needs a variant, or a title and a price")]
    NoArticle,
    /// More units are taken back than are left.
    #[error("line item {0} has only {1} left")]
    TooMany(u64, i32),
    /// More shipping is taken back than was paid.
    #[error("only {0} of the shipping is left")]
    TooMuchShipping(Amount),
    /// A sale names a line that the order does not have.
    #[error("a sale names line {0}, which the order does not have")]
    NoLineAt(u32),
    /// A sale of a line item names none.
    #[error("a {0} sale needs a line")]
    LineMissing(&'static str),
    /// The order was cancelled before.
    #[error("the order is cancelled")]
    Cancelled,
}

/// Units of a line to add or remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditLine {
    /// The line item.
    pub line: u64,
    /// How many units more; negative for fewer.
    pub by: i32,
}

/// Units of a line to take back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundLine {
    /// The line item.
    pub line: u64,
    /// How many units.
    pub quantity: i32,
}

/// What to give back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RefundRequest {
    /// Units of lines.
    pub lines: Vec<RefundLine>,
    /// Shipping, tax included.
    pub shipping: Amount,
    /// An amount that belongs to no line: an ADJUSTMENT sale.
    pub adjustment: Amount,
    /// Whether the agreement is a RETURN instead of a REFUND.
    pub is_return: bool,
    /// When; now when left out.
    pub at: Option<Moment>,
}

/// A change that only moves an order or its look. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrderChange {
    /// New tags.
    pub tags: Option<Vec<String>>,
    /// The customer: redacted or merged orders change it.
    pub customer: Option<u64>,
    /// Takes the customer away.
    pub no_customer: bool,
    /// Whether it was paid.
    pub paid: Option<bool>,
    /// Whether everything was sent.
    pub fulfilled: Option<bool>,
    /// When `updatedAt` shall say; now when left out.
    pub at: Option<Moment>,
}

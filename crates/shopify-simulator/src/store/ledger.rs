//! The rows of an order's ledger: agreements and their sales.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::clock::Moment;

/// Why an agreement was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The order was placed.
    Order,
    /// The order was edited.
    OrderEdit,
    /// Something was refunded.
    Refund,
    /// Something was returned.
    Return,
    /// A reason of a later version.
    Unknown,
}

impl Reason {
    /// The name in Shopify's schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "ORDER",
            Self::OrderEdit => "ORDER_EDIT",
            Self::Refund => "REFUND",
            Self::Return => "RETURN",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// An agreement: the sales of one moment of an order.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// The number in the global id.
    pub id: u64,
    /// When it was made.
    pub happened_at: Moment,
    /// Why.
    pub reason: Reason,
    /// Its sales.
    pub sales: Vec<Sale>,
}

/// What a sale did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SaleAction {
    /// Bought.
    Order,
    /// Taken back.
    Return,
    /// Changed.
    Update,
    /// An action of a later version.
    Unknown,
}

impl SaleAction {
    /// The name in Shopify's schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "ORDER",
            Self::Return => "RETURN",
            Self::Update => "UPDATE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// What a sale is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SaleKind {
    /// A product.
    Product,
    /// Shipping.
    Shipping,
    /// A gift card.
    GiftCard,
    /// A tip.
    Tip,
    /// A duty.
    Duty,
    /// A fee.
    Fee,
    /// An additional fee.
    AdditionalFee,
    /// An amount that belongs to no line.
    Adjustment,
    /// A kind of a later version.
    Unknown,
}

impl SaleKind {
    /// The line type in Shopify's schema.
    pub const fn line_type(self) -> &'static str {
        match self {
            Self::Product => "PRODUCT",
            Self::Shipping => "SHIPPING",
            Self::GiftCard => "GIFT_CARD",
            Self::Tip => "TIP",
            Self::Duty => "DUTY",
            Self::Fee => "FEE",
            Self::AdditionalFee => "ADDITIONAL_FEE",
            Self::Adjustment => "ADJUSTMENT",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether Shopify's type of the sale has a line item.
    pub(crate) const fn has_line(self) -> bool {
        matches!(self, Self::Product | Self::GiftCard | Self::Tip)
    }
}

/// One row of the ledger.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The number in the global id.
    pub id: u64,
    /// What it is about.
    pub kind: SaleKind,
    /// What it did.
    pub action: SaleAction,
    /// Units; none for shipping, duties, fees and adjustments.
    pub quantity: Option<i32>,
    /// The place of the line item in the order.
    pub line: Option<u32>,
    /// The amount after discounts and taxes.
    pub total: Amount,
    /// The taxes in it.
    pub tax: Amount,
    /// The discounts before taxes.
    pub discount: Amount,
    /// The discounts after taxes: nearly always nothing.
    pub discount_after_taxes: Amount,
}

//! Orders with their line items, refunds and ledger.
//!
//! The ledger is the truth: what an order's current state says (remaining quantities, statuses, what was
//! paid) is kept beside it by the operations of `business`, never the other way round.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Agreement, Reason, Record, Sale};
use crate::amount::{Amount, Currency};
use crate::clock::Moment;

/// What a line item sold, as it was called when it was sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// The product, unless the line was free-hand.
    pub product: Option<u64>,
    /// The variant, unless the line was free-hand.
    pub variant: Option<u64>,
    /// The product's title.
    pub title: Box<str>,
    /// The variant's title; none for a product's only variant.
    pub variant_title: Option<Box<str>>,
    /// The merchant's own number.
    pub sku: Option<Box<str>>,
}

/// What kind of thing a line item is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineKind {
    /// A product.
    #[default]
    Product,
    /// A gift card.
    GiftCard,
    /// A tip, which Shopify keeps as a line item.
    Tip,
}

/// A line item.
#[derive(Clone, Debug)]
pub struct LineItem {
    /// The number in the global id.
    pub id: u64,
    /// What was sold.
    pub article: Arc<Article>,
    /// What kind of thing it is.
    pub kind: LineKind,
    /// Units ordered, later added ones included, removed ones not subtracted.
    pub quantity: i32,
    /// Units left after edits and refunds.
    pub current_quantity: i32,
    /// The price of one unit before discounts.
    pub unit_price: Amount,
    /// All discounts of the line, its share of the order's among them.
    pub discount: Amount,
}

/// A refund: what was given back, in money.
#[derive(Clone, Debug)]
pub struct Refund {
    /// The number in the global id.
    pub id: u64,
    /// When it was processed.
    pub processed_at: Moment,
    /// The money given back.
    pub total: Amount,
}

/// Whether the order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FinancialStatus {
    /// Nothing was paid yet.
    Pending,
    /// Paid.
    Paid,
    /// Some of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// Cancelled before it was paid.
    Voided,
}

impl FinancialStatus {
    /// The name in Shopify's schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Paid => "PAID",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Refunded => "REFUNDED",
            Self::Voided => "VOIDED",
        }
    }
}

/// An order.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "Shopify's own flags, each by itself"
)]
pub struct Order {
    /// The number in the global id.
    pub id: u64,
    /// The number in the name.
    pub number: u32,
    /// When Shopify made the record.
    pub created_at: Moment,
    /// When the order was placed: earlier than `created_at` for an imported one.
    pub processed_at: Moment,
    /// When anything last changed.
    pub updated_at: Moment,
    /// When it was cancelled.
    pub cancelled_at: Option<Moment>,
    /// Who placed it; none for a guest.
    pub customer: Option<u64>,
    /// Whether it is a test.
    pub test: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether everything was sent.
    pub fulfilled: bool,
    /// The shop's currency when the order was placed.
    pub currency: Currency,
    /// Where it came from: web, pos.
    pub source: Arc<str>,
    /// The codes the customer gave.
    pub discount_codes: Box<[Box<str>]>,
    /// Tags, in the order given.
    pub tags: Box<[Box<str>]>,
    /// What was paid, before refunds.
    pub received: Amount,
    /// Whether it was paid at all: an order of nothing is paid.
    pub paid: bool,
    /// Its line items.
    pub line_items: Vec<LineItem>,
    /// Its refunds.
    pub refunds: Vec<Refund>,
    /// Its ledger.
    pub agreements: Vec<Agreement>,
}

impl Order {
    /// All sales of the ledger.
    pub fn sales(&self) -> impl Iterator<Item = &Sale> {
        self.agreements
            .iter()
            .flat_map(|agreement| &agreement.sales)
    }

    /// The total when it was placed: the sum of the agreement that placed it.
    pub fn original_total(&self) -> Amount {
        self.total_for(|reason| reason == Reason::Order)
    }

    /// The total with its edits, before returns.
    pub fn total(&self) -> Amount {
        self.total_for(|reason| matches!(reason, Reason::Order | Reason::OrderEdit))
    }

    fn total_for(&self, counts: impl Fn(Reason) -> bool) -> Amount {
        self.agreements
            .iter()
            .filter(|agreement| counts(agreement.reason))
            .flat_map(|agreement| &agreement.sales)
            .map(|sale| sale.total)
            .sum()
    }

    /// The money given back.
    pub fn refunded(&self) -> Amount {
        self.refunds.iter().map(|refund| refund.total).sum()
    }

    /// Whether it is paid, as the admin says.
    pub fn financial_status(&self) -> FinancialStatus {
        let refunded = self.refunded();
        if !self.paid {
            if self.cancelled_at.is_some() {
                return FinancialStatus::Voided;
            }
            return FinancialStatus::Pending;
        }
        if refunded.is_zero() {
            FinancialStatus::Paid
        } else if refunded < self.received {
            FinancialStatus::PartiallyRefunded
        } else {
            FinancialStatus::Refunded
        }
    }
}

impl Record for Order {
    fn id(&self) -> u64 {
        self.id
    }
    fn created_at(&self) -> Moment {
        self.created_at
    }
    fn updated_at(&self) -> Moment {
        self.updated_at
    }
    fn processed_at(&self) -> Moment {
        self.processed_at
    }
    fn is_deleted(&self) -> bool {
        self.deleted
    }
}

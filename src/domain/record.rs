//! What is kept of a store's objects, as they come from Shopify: one record per object, children naming
//! their parent. A bulk file and an answer of a query turn into the same records, so there is one mapping
//! and one way into the database. Instants are UTC; amounts are in the shop's currency, signed.

use chrono::serde::{ts_microseconds, ts_microseconds_option};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId};
use super::money::{Currency, decimal_bytes};
use super::sale::{AgreementReason, SaleAction, SaleLineType};

/// One object of a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A customer.
    Customer(CustomerRecord),
    /// A product, without its variants.
    Product(ProductRecord),
    /// A variant of a product.
    Variant(VariantRecord),
    /// An order with its refunds, without its lines and its ledger. Elsewhere, because it takes several times the room of
    /// any other, and there are more of those.
    Order(Box<OrderRecord>),
    /// A line of an order.
    LineItem(LineItemRecord),
    /// An agreement of an order, without its sales.
    Agreement(AgreementRecord),
    /// A sale of an agreement.
    Sale(SaleRecord),
}

/// A customer of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRecord {
    /// Shopify's number.
    pub id: CustomerId,
    /// The name to show; the address or the phone number where there is no name.
    pub display_name: String,
    /// Null without one, and where the app may not see it.
    pub email: Option<String>,
    /// The merchant's tags.
    pub tags: Vec<String>,
    /// When it was made.
    #[serde(with = "ts_microseconds")]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "ts_microseconds")]
    pub updated_at: DateTime<Utc>,
}

/// A product of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRecord {
    /// Shopify's number.
    pub id: ProductId,
    /// Its name.
    pub title: String,
    /// `ACTIVE`, `ARCHIVED`, `DRAFT`, `UNLISTED`, or what Shopify adds.
    pub status: String,
    /// Who makes it; may be empty.
    pub vendor: String,
    /// What the merchant files it under; may be empty.
    pub product_type: String,
    /// When it was made.
    #[serde(with = "ts_microseconds")]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "ts_microseconds")]
    pub updated_at: DateTime<Utc>,
}

/// A variant of a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// The product it belongs to.
    pub product: ProductId,
    /// Shopify's number.
    pub id: VariantId,
    /// Its name: `Small / Red`.
    pub title: String,
    /// The merchant's number for it.
    pub sku: Option<String>,
    /// Its price, in the shop's currency.
    #[serde(with = "decimal_bytes")]
    pub price: Decimal,
    /// Its place among the product's variants, from 1.
    pub position: i32,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// Shopify's number.
    pub id: OrderId,
    /// What the merchant calls it: `#1001`.
    pub name: String,
    /// Who placed it; a guest's order has no customer.
    pub customer: Option<CustomerId>,
    /// When it came into Shopify.
    #[serde(with = "ts_microseconds")]
    pub created_at: DateTime<Utc>,
    /// When it was placed; earlier than `created_at` where it was imported.
    #[serde(with = "ts_microseconds")]
    pub processed_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "ts_microseconds")]
    pub updated_at: DateTime<Utc>,
    /// When it was cancelled.
    #[serde(with = "ts_microseconds_option")]
    pub cancelled_at: Option<DateTime<Utc>>,
    /// A test order is in no figure.
    pub test: bool,
    /// The shop's currency when the order was placed.
    pub currency: Currency,
    /// `PAID`, `REFUNDED`, …
    pub financial_status: Option<String>,
    /// `FULFILLED`, `UNFULFILLED`, …
    pub fulfillment_status: Option<String>,
    /// Where it came from: `web`, `pos`.
    pub source_name: Option<String>,
    /// The codes that were used.
    pub discount_codes: Vec<String>,
    /// The merchant's tags.
    pub tags: Vec<String>,
    /// What was asked for it when it was placed, taxes and shipping included.
    #[serde(with = "decimal_bytes")]
    pub total_price: Decimal,
    /// What was paid, less what was paid back.
    #[serde(with = "decimal_bytes")]
    pub net_payment: Decimal,
    /// What was paid back.
    pub refunds: Vec<RefundRecord>,
}

/// Money that went back to the customer. A fact of its own: the figures come from the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefundRecord {
    /// Shopify's number.
    pub id: RefundId,
    /// When it was processed.
    #[serde(with = "ts_microseconds")]
    pub processed_at: DateTime<Utc>,
    /// How much.
    #[serde(with = "decimal_bytes")]
    pub total_refunded: Decimal,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineItemRecord {
    /// The order it belongs to.
    pub order: OrderId,
    /// Shopify's number.
    pub id: LineItemId,
    /// The product's name when it was sold.
    pub title: String,
    /// The variant's name when it was sold.
    pub variant_title: Option<String>,
    /// The merchant's number for it.
    pub sku: Option<String>,
    /// How many were ordered.
    pub quantity: i32,
    /// How many are left after edits and removals.
    pub current_quantity: i32,
    /// Price × quantity, before discounts.
    #[serde(with = "decimal_bytes")]
    pub original_total: Decimal,
    /// The same after the line's own discounts.
    #[serde(with = "decimal_bytes")]
    pub discounted_total: Decimal,
    /// Null for a custom line or a deleted product.
    pub product: Option<ProductId>,
    /// Null for a custom line or a deleted variant.
    pub variant: Option<VariantId>,
}

/// An agreement: an event of an order that sales belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementRecord {
    /// The order it belongs to.
    pub order: OrderId,
    /// The whole gid: agreements of two types may share a number.
    pub gid: String,
    /// When it came about.
    #[serde(with = "ts_microseconds")]
    pub happened_at: DateTime<Utc>,
    /// Why.
    pub reason: AgreementReason,
}

/// A row of the sales ledger, signed, in shop money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaleRecord {
    /// The gid of the agreement it belongs to.
    pub agreement_gid: String,
    /// The whole gid.
    pub gid: String,
    /// What it does.
    pub action: SaleAction,
    /// What it is of.
    pub line_type: SaleLineType,
    /// Null where nothing is counted (shipping, adjustments).
    pub quantity: Option<i32>,
    /// What the amounts are counted in.
    pub currency: Currency,
    /// After discounts and taxes.
    #[serde(with = "decimal_bytes")]
    pub total: Decimal,
    /// The taxes in it.
    #[serde(with = "decimal_bytes")]
    pub tax: Decimal,
    /// The discount before taxes that was taken off.
    #[serde(with = "decimal_bytes")]
    pub discount: Decimal,
    /// The line it is of; only PRODUCT sales name it.
    pub line_item: Option<LineItemId>,
}

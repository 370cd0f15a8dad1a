//! Shopify's objects as they are stored: one record per object, in which children name their
//! parent. Bulk results and responses to queries become the same records, so there is one way into
//! the database. Instants are UTC. Amounts are signed and in the shop's currency.

use chrono::serde::{ts_microseconds, ts_microseconds_option};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId};
use super::money::{Currency, decimal_bytes};
use super::sale::{AgreementReason, SaleAction, SaleLineType};

/// One object of a shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A customer.
    Customer(CustomerRecord),
    /// A product, without its variants.
    Product(ProductRecord),
    /// A variant of a product.
    Variant(VariantRecord),
    /// An order with its refunds, without its line items and its ledger. Boxed, because it is
    /// several times larger than the other, more frequent records.
    Order(Box<OrderRecord>),
    /// A line item of an order.
    LineItem(LineItemRecord),
    /// An agreement of an order, without its sales.
    Agreement(AgreementRecord),
    /// A sale of an agreement.
    Sale(SaleRecord),
}

/// A customer of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRecord {
    /// Shopify's id.
    pub id: CustomerId,
    /// The display name. Shopify uses the email address or phone number if there is no name.
    pub display_name: String,
    /// The email address, if there is one and the app may read it.
    pub email: Option<String>,
    /// The merchant's tags.
    pub tags: Vec<String>,
    /// The time of creation.
    #[serde(with = "ts_microseconds")]
    pub created_at: DateTime<Utc>,
    /// The time of the last change.
    #[serde(with = "ts_microseconds")]
    pub updated_at: DateTime<Utc>,
}

/// A product of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRecord {
    /// Shopify's id.
    pub id: ProductId,
    /// The name.
    pub title: String,
    /// `ACTIVE`, `ARCHIVED`, `DRAFT`, `UNLISTED`, or a status that Shopify adds.
    pub status: String,
    /// The vendor. May be empty.
    pub vendor: String,
    /// The product type. May be empty.
    pub product_type: String,
    /// The time of creation.
    #[serde(with = "ts_microseconds")]
    pub created_at: DateTime<Utc>,
    /// The time of the last change.
    #[serde(with = "ts_microseconds")]
    pub updated_at: DateTime<Utc>,
}

/// A variant of a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// The product.
    pub product: ProductId,
    /// Shopify's id.
    pub id: VariantId,
    /// The name, such as `Small / Red`.
    pub title: String,
    /// The stock keeping unit.
    pub sku: Option<String>,
    /// The price in the shop's currency.
    #[serde(with = "decimal_bytes")]
    pub price: Decimal,
    /// The position among the product's variants, from 1.
    pub position: i32,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// Shopify's id.
    pub id: OrderId,
    /// The name in the shop, such as `#1001`.
    pub name: String,
    /// The customer. Guest orders have none.
    pub customer: Option<CustomerId>,
    /// The time of creation in Shopify.
    #[serde(with = "ts_microseconds")]
    pub created_at: DateTime<Utc>,
    /// The time the order was placed. Earlier than `created_at` for imported orders.
    #[serde(with = "ts_microseconds")]
    pub processed_at: DateTime<Utc>,
    /// The time of the last change.
    #[serde(with = "ts_microseconds")]
    pub updated_at: DateTime<Utc>,
    /// The time of the cancellation.
    #[serde(with = "ts_microseconds_option")]
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Whether this is a test order. No figure includes test orders.
    pub test: bool,
    /// The shop's currency at the time the order was placed.
    pub currency: Currency,
    /// The payment status: `PAID`, `REFUNDED`, …
    pub financial_status: Option<String>,
    /// The fulfillment status: `FULFILLED`, `UNFULFILLED`, …
    pub fulfillment_status: Option<String>,
    /// The sales channel: `web`, `pos`.
    pub source_name: Option<String>,
    /// The discount codes used.
    pub discount_codes: Vec<String>,
    /// The merchant's tags.
    pub tags: Vec<String>,
    /// The total price when the order was placed, with taxes and shipping.
    #[serde(with = "decimal_bytes")]
    pub total_price: Decimal,
    /// Payments received minus payments refunded.
    #[serde(with = "decimal_bytes")]
    pub net_payment: Decimal,
    /// The refunds.
    pub refunds: Vec<RefundRecord>,
}

/// A refund. The figures do not use it; they come from the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefundRecord {
    /// Shopify's id.
    pub id: RefundId,
    /// The time the refund was processed.
    #[serde(with = "ts_microseconds")]
    pub processed_at: DateTime<Utc>,
    /// The amount refunded.
    #[serde(with = "decimal_bytes")]
    pub total_refunded: Decimal,
}

/// A line item of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineItemRecord {
    /// The order.
    pub order: OrderId,
    /// Shopify's id.
    pub id: LineItemId,
    /// The product's name at the time of the order.
    pub title: String,
    /// The variant's name at the time of the order.
    pub variant_title: Option<String>,
    /// The stock keeping unit.
    pub sku: Option<String>,
    /// The quantity ordered.
    pub quantity: i32,
    /// The quantity after edits and removals.
    pub current_quantity: i32,
    /// Unit price × quantity, before discounts.
    #[serde(with = "decimal_bytes")]
    pub original_total: Decimal,
    /// Unit price × quantity, after the discounts on this line.
    #[serde(with = "decimal_bytes")]
    pub discounted_total: Decimal,
    /// The product. `None` for a custom item or a deleted product.
    pub product: Option<ProductId>,
    /// The variant. `None` for a custom item or a deleted variant.
    pub variant: Option<VariantId>,
}

/// An agreement: an event of an order with sales.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementRecord {
    /// The order.
    pub order: OrderId,
    /// The whole gid: agreements of two types may have the same number.
    pub gid: String,
    /// The time of the event.
    #[serde(with = "ts_microseconds")]
    pub happened_at: DateTime<Utc>,
    /// The reason of the event.
    pub reason: AgreementReason,
}

/// A row of the sales ledger. Amounts are signed and in the shop's currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaleRecord {
    /// The gid of the agreement it belongs to.
    pub agreement_gid: String,
    /// The whole gid.
    pub gid: String,
    /// The action.
    pub action: SaleAction,
    /// The type of what was sold.
    pub line_type: SaleLineType,
    /// The quantity. `None` for sales without one, such as shipping and adjustments.
    pub quantity: Option<i32>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The total after discounts and taxes.
    #[serde(with = "decimal_bytes")]
    pub total: Decimal,
    /// The taxes in the total.
    #[serde(with = "decimal_bytes")]
    pub tax: Decimal,
    /// The discount, before taxes.
    #[serde(with = "decimal_bytes")]
    pub discount: Decimal,
    /// The line item. Only PRODUCT sales have one.
    pub line_item: Option<LineItemId>,
}

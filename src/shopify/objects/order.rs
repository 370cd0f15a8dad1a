//! Orders, their refunds and their line items.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::ledger::AgreementEdges;
use super::{Connection, MoneyBag, Reference, Result, count, gid, optional_gid, parent};
use crate::domain::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId};
use crate::domain::record::{LineItemRecord, OrderRecord, RefundRecord};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::shopify) struct Order {
    #[serde(deserialize_with = "gid")]
    pub(in crate::shopify) id: OrderId,
    name: String,
    created_at: DateTime<Utc>,
    processed_at: DateTime<Utc>,
    pub(in crate::shopify) updated_at: DateTime<Utc>,
    cancelled_at: Option<DateTime<Utc>>,
    test: bool,
    display_financial_status: Option<String>,
    display_fulfillment_status: Option<String>,
    source_name: Option<String>,
    discount_codes: Vec<String>,
    tags: Vec<String>,
    total_price_set: MoneyBag,
    net_payment_set: MoneyBag,
    customer: Option<Reference<CustomerId>>,
    refunds: Vec<Refund>,
    /// Only in responses to queries. A bulk result has a line for each line item.
    #[serde(default)]
    pub(in crate::shopify) line_items: Option<Connection<LineItem>>,
    /// Only in responses to queries. A bulk result has a line for each agreement.
    #[serde(default)]
    pub(in crate::shopify) agreements: Option<AgreementEdges>,
}

impl Order {
    pub(in crate::shopify) fn into_record(self) -> Result<OrderRecord> {
        Ok(OrderRecord {
            id: self.id,
            name: self.name,
            customer: self.customer.map(|customer| customer.id),
            created_at: self.created_at,
            processed_at: self.processed_at,
            updated_at: self.updated_at,
            cancelled_at: self.cancelled_at,
            test: self.test,
            currency: self.total_price_set.currency()?,
            financial_status: self.display_financial_status,
            fulfillment_status: self.display_fulfillment_status,
            source_name: self.source_name,
            discount_codes: self.discount_codes,
            tags: self.tags,
            total_price: self.total_price_set.amount(),
            net_payment: self.net_payment_set.amount(),
            refunds: self.refunds.into_iter().map(RefundRecord::from).collect(),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    #[serde(deserialize_with = "gid")]
    id: RefundId,
    processed_at: DateTime<Utc>,
    total_refunded_set: MoneyBag,
}

impl From<Refund> for RefundRecord {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id,
            processed_at: refund.processed_at,
            total_refunded: refund.total_refunded_set.amount(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::shopify) struct LineItem {
    #[serde(default, rename = "__parentId", deserialize_with = "optional_gid")]
    pub(in crate::shopify) parent: Option<OrderId>,
    #[serde(deserialize_with = "gid")]
    pub(in crate::shopify) id: LineItemId,
    title: String,
    variant_title: Option<String>,
    sku: Option<String>,
    quantity: i64,
    current_quantity: i64,
    product: Option<Reference<ProductId>>,
    variant: Option<Reference<VariantId>>,
    original_total_set: MoneyBag,
    discounted_total_set: MoneyBag,
}

impl LineItem {
    pub(in crate::shopify) fn into_record(self) -> Result<LineItemRecord> {
        Ok(LineItemRecord {
            order: parent(self.parent)?,
            id: self.id,
            title: self.title,
            variant_title: self.variant_title,
            sku: self.sku,
            quantity: count(self.quantity)?,
            current_quantity: count(self.current_quantity)?,
            original_total: self.original_total_set.amount(),
            discounted_total: self.discounted_total_set.amount(),
            product: self.product.map(|product| product.id),
            variant: self.variant.map(|variant| variant.id),
        })
    }
}

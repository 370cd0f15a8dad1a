//! The rows of objects and their children as JSON, which `json_populate_recordset` turns into rows of their tables. A field
//! has the name of its column.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::assemble::{AssembledOrder, LedgerEntry};
use crate::db::staging::encoding::content_hash;
use crate::db::{DbError, Result};
use crate::domain::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId};
use crate::domain::record::{
    CustomerRecord, LineItemRecord, OrderRecord, ProductRecord, RefundRecord, VariantRecord,
};

/// Rows as a JSON array.
pub(super) fn json<T: Serialize>(rows: &[T]) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| DbError::Corrupt(error.to_string()))
}

/// PostgreSQL cannot store a NUL in a text: it is left out.
fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', ""))
    } else {
        Cow::Borrowed(text)
    }
}

fn texts(list: &[String]) -> Vec<Cow<'_, str>> {
    list.iter().map(|one| text(one)).collect()
}

/// A row of `customers`.
#[derive(Serialize)]
pub(super) struct CustomerRow<'a> {
    id: CustomerId,
    display_name: Cow<'a, str>,
    email: Option<Cow<'a, str>>,
    tags: Vec<Cow<'a, str>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    content_hash: i64,
}

impl<'a> CustomerRow<'a> {
    pub(super) fn new(customer: &'a CustomerRecord) -> Result<Self> {
        Ok(Self {
            id: customer.id,
            display_name: text(&customer.display_name),
            email: customer.email.as_deref().map(text),
            tags: texts(&customer.tags),
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            content_hash: content_hash(customer)?,
        })
    }
}

/// A row of `products`.
#[derive(Serialize)]
pub(super) struct ProductRow<'a> {
    id: ProductId,
    title: Cow<'a, str>,
    status: Cow<'a, str>,
    vendor: Cow<'a, str>,
    product_type: Cow<'a, str>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    content_hash: i64,
}

impl<'a> ProductRow<'a> {
    /// `content_hash` is of the product and its variants.
    pub(super) fn new(product: &'a ProductRecord, content_hash: i64) -> Self {
        Self {
            id: product.id,
            title: text(&product.title),
            status: text(&product.status),
            vendor: text(&product.vendor),
            product_type: text(&product.product_type),
            created_at: product.created_at,
            updated_at: product.updated_at,
            content_hash,
        }
    }
}

/// A row of `product_variants`.
#[derive(Serialize)]
pub(super) struct VariantRow<'a> {
    product_id: ProductId,
    id: VariantId,
    title: Cow<'a, str>,
    sku: Option<Cow<'a, str>>,
    price: Decimal,
    position: i32,
}

impl<'a> From<&'a VariantRecord> for VariantRow<'a> {
    fn from(variant: &'a VariantRecord) -> Self {
        Self {
            product_id: variant.product,
            id: variant.id,
            title: text(&variant.title),
            sku: variant.sku.as_deref().map(text),
            price: variant.price,
            position: variant.position,
        }
    }
}

/// A row of `orders`. The database adds the local day.
#[derive(Serialize)]
pub(super) struct OrderRow<'a> {
    id: OrderId,
    name: Cow<'a, str>,
    customer_id: Option<CustomerId>,
    created_at: DateTime<Utc>,
    processed_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    cancelled_at: Option<DateTime<Utc>>,
    test: bool,
    currency: &'a str,
    financial_status: Option<Cow<'a, str>>,
    fulfillment_status: Option<Cow<'a, str>>,
    source_name: Option<Cow<'a, str>>,
    discount_codes: Vec<Cow<'a, str>>,
    tags: Vec<Cow<'a, str>>,
    total_price: Decimal,
    net_payment: Decimal,
    has_product: bool,
    row_hash: i64,
    children_hash: i64,
}

impl<'a> From<&'a AssembledOrder> for OrderRow<'a> {
    fn from(assembled: &'a AssembledOrder) -> Self {
        let OrderRecord {
            id,
            name,
            customer,
            created_at,
            processed_at,
            updated_at,
            cancelled_at,
            test,
            currency,
            financial_status,
            fulfillment_status,
            source_name,
            discount_codes,
            tags,
            total_price,
            net_payment,
            refunds: _,
        } = &assembled.order;
        Self {
            id: *id,
            name: text(name),
            customer_id: *customer,
            created_at: *created_at,
            processed_at: *processed_at,
            updated_at: *updated_at,
            cancelled_at: *cancelled_at,
            test: *test,
            currency: currency.code(),
            financial_status: financial_status.as_deref().map(text),
            fulfillment_status: fulfillment_status.as_deref().map(text),
            source_name: source_name.as_deref().map(text),
            discount_codes: texts(discount_codes),
            tags: texts(tags),
            total_price: *total_price,
            net_payment: *net_payment,
            has_product: assembled.has_product(),
            row_hash: assembled.row_hash,
            children_hash: assembled.children_hash,
        }
    }
}

/// A row of `line_items`.
#[derive(Serialize)]
pub(super) struct LineItemRow<'a> {
    order_id: OrderId,
    id: LineItemId,
    title: Cow<'a, str>,
    variant_title: Option<Cow<'a, str>>,
    sku: Option<Cow<'a, str>>,
    quantity: i32,
    current_quantity: i32,
    original_total: Decimal,
    discounted_total: Decimal,
    product_id: Option<ProductId>,
    variant_id: Option<VariantId>,
}

impl<'a> From<&'a LineItemRecord> for LineItemRow<'a> {
    fn from(line: &'a LineItemRecord) -> Self {
        Self {
            order_id: line.order,
            id: line.id,
            title: text(&line.title),
            variant_title: line.variant_title.as_deref().map(text),
            sku: line.sku.as_deref().map(text),
            quantity: line.quantity,
            current_quantity: line.current_quantity,
            original_total: line.original_total,
            discounted_total: line.discounted_total,
            product_id: line.product,
            variant_id: line.variant,
        }
    }
}

/// A row of `refunds`.
#[derive(Serialize)]
pub(super) struct RefundRow {
    order_id: OrderId,
    id: RefundId,
    processed_at: DateTime<Utc>,
    total_refunded: Decimal,
}

impl RefundRow {
    pub(super) const fn new(order: OrderId, refund: &RefundRecord) -> Self {
        Self {
            order_id: order,
            id: refund.id,
            processed_at: refund.processed_at,
            total_refunded: refund.total_refunded,
        }
    }
}

/// A row of `sales`. The database adds the local day, and the product and variant of the line item.
#[derive(Serialize)]
pub(super) struct SaleRow<'a> {
    order_id: OrderId,
    position: i32,
    agreement: Cow<'a, str>,
    happened_at: DateTime<Utc>,
    reason: &'a str,
    action_type: &'a str,
    line_type: &'a str,
    quantity: Option<i32>,
    currency: &'a str,
    total: Decimal,
    tax: Decimal,
    discount: Decimal,
    line_item_id: Option<LineItemId>,
}

impl<'a> SaleRow<'a> {
    pub(super) fn new(order: OrderId, entry: &LedgerEntry<'a>) -> Self {
        let gid = &entry.agreement.gid;
        let sale = entry.sale;
        Self {
            order_id: order,
            position: entry.position,
            agreement: text(gid.strip_prefix("gid://shopify/").unwrap_or(gid)),
            happened_at: entry.happened_at,
            reason: entry.agreement.reason.word(),
            action_type: sale.action.word(),
            line_type: sale.line_type.word(),
            quantity: sale.quantity,
            currency: sale.currency.code(),
            total: sale.total,
            tax: sale.tax,
            discount: sale.discount,
            line_item_id: sale.line_item,
        }
    }
}

//! An order given literally, every amount of its ledger as written: for tests that check number by number.

use std::sync::Arc;

use serde::Deserialize;

use super::place::boxed;
use super::requests::BusinessError;
use crate::amount::{Amount, Currency};
use crate::clock::Moment;
use crate::store::{
    Agreement, Article, LineItem, LineKind, Order, Reason, Refund, Sale, SaleAction, SaleKind,
    Store,
};

/// A line item as given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LiteralLine {
    /// The title; `Article` when left out.
    pub title: Option<String>,
    /// The variant's title.
    pub variant_title: Option<String>,
    /// The merchant's own number.
    pub sku: Option<String>,
    /// The product, whether the shop has it or not.
    pub product: Option<u64>,
    /// The variant, whether the shop has it or not.
    pub variant: Option<u64>,
    /// Units.
    pub quantity: i32,
    /// Units left; `quantity` when left out.
    pub current_quantity: Option<i32>,
    /// The price of one.
    pub unit_price: Amount,
    /// All discounts.
    pub discount: Amount,
    /// What kind of thing it is.
    pub kind: LineKind,
}

/// A sale as given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LiteralSale {
    /// What it is about.
    pub kind: SaleKind,
    /// What it did.
    pub action: SaleAction,
    /// The place of its line; needed by products, gift cards and tips.
    #[serde(default)]
    pub line: Option<u32>,
    /// Units.
    #[serde(default)]
    pub quantity: Option<i32>,
    /// After discounts and taxes.
    pub total: Amount,
    /// The taxes.
    #[serde(default)]
    pub tax: Amount,
    /// The discounts before taxes.
    #[serde(default)]
    pub discount: Amount,
    /// The discounts after taxes.
    #[serde(default)]
    pub discount_after_taxes: Amount,
}

/// An agreement as given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LiteralAgreement {
    /// Why.
    pub reason: Reason,
    /// When.
    pub happened_at: Moment,
    /// Its sales.
    #[serde(default)]
    pub sales: Vec<LiteralSale>,
}

/// A refund as given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LiteralRefund {
    /// When.
    pub processed_at: Moment,
    /// The money given back.
    pub total: Amount,
}

/// An order as given. With the id of an order that exists it takes that one's place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LiteralOrder {
    /// The number in the global id; the next one when left out.
    pub id: Option<u64>,
    /// The customer, made when the shop has none of that id; a guest when left out.
    pub customer: Option<u64>,
    /// Whether it is a test.
    pub test: bool,
    /// The currency; the shop's when left out.
    pub currency: Option<Currency>,
    /// When it was placed; now when left out.
    pub processed_at: Option<Moment>,
    /// When the record was made; `processed_at` when left out.
    pub created_at: Option<Moment>,
    /// When it last changed; the latest of all its times when left out.
    pub updated_at: Option<Moment>,
    /// When it was cancelled.
    pub cancelled_at: Option<Moment>,
    /// What was paid; the total of the ORDER agreement when left out.
    pub received: Option<Amount>,
    /// Its line items.
    pub lines: Vec<LiteralLine>,
    /// Its ledger.
    pub agreements: Vec<LiteralAgreement>,
    /// Its refunds.
    pub refunds: Vec<LiteralRefund>,
    /// Tags.
    pub tags: Vec<String>,
}

fn item(store: &mut Store, line: &LiteralLine) -> LineItem {
    LineItem {
        id: store.ids.line_item(),
        article: Arc::new(Article {
            product: line.product,
            variant: line.variant,
            title: line.title.as_deref().unwrap_or("Article").into(),
            variant_title: line.variant_title.as_deref().map(Into::into),
            sku: line.sku.as_deref().map(Into::into),
        }),
        kind: line.kind,
        quantity: line.quantity,
        current_quantity: line.current_quantity.unwrap_or(line.quantity),
        unit_price: line.unit_price,
        discount: line.discount,
    }
}

fn sale(store: &mut Store, given: &LiteralSale, lines: usize) -> Result<Sale, BusinessError> {
    match given.line {
        Some(place) if usize::try_from(place).is_ok_and(|place| place >= lines) => {
            return Err(BusinessError::NoLineAt(place));
        }
        None if given.kind.has_line() => {
            return Err(BusinessError::LineMissing(given.kind.line_type()));
        }
        _ => {}
    }
    Ok(Sale {
        id: store.ids.sale(),
        kind: given.kind,
        action: given.action,
        quantity: given.quantity,
        line: given.line,
        total: given.total,
        tax: given.tax,
        discount: given.discount,
        discount_after_taxes: given.discount_after_taxes,
    })
}

/// Makes an order; the caller puts it into the store.
pub(crate) fn literal(
    store: &mut Store,
    given: &LiteralOrder,
    currency: Currency,
    now: Moment,
) -> Result<Order, BusinessError> {
    let id = given.id.unwrap_or_else(|| store.ids.order());
    let number = store.orders.any(id).map(|order| order.number);
    let number = number.unwrap_or_else(|| store.ids.number());
    let mut order = Order::empty(id, number, given.currency.unwrap_or(currency), now);
    order.processed_at = given.processed_at.unwrap_or(now);
    order.created_at = given.created_at.unwrap_or(order.processed_at);
    order.cancelled_at = given.cancelled_at;
    order.customer = given.customer;
    order.test = given.test;
    order.tags = boxed(&given.tags);
    order.line_items = given.lines.iter().map(|line| item(store, line)).collect();
    for agreement in &given.agreements {
        let sales = agreement
            .sales
            .iter()
            .map(|one| sale(store, one, given.lines.len()));
        let sales = sales.collect::<Result<_, _>>()?;
        order.agreements.push(Agreement {
            id: store.ids.agreement(),
            happened_at: agreement.happened_at,
            reason: agreement.reason,
            sales,
        });
    }
    for refund in &given.refunds {
        let id = store.ids.refund();
        order.refunds.push(Refund {
            id,
            processed_at: refund.processed_at,
            total: refund.total,
        });
    }
    let events = order
        .agreements
        .iter()
        .map(|agreement| agreement.happened_at);
    let last = events
        .chain(order.cancelled_at)
        .fold(order.created_at, Ord::max);
    order.updated_at = given.updated_at.unwrap_or(last);
    order.received = given.received.unwrap_or_else(|| order.original_total());
    order.paid = !order.received.is_zero() || order.original_total().is_zero();
    Ok(order)
}

//! The whole store as JSON lines, for a recomputation that shares no code with the program under test.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use super::{answer, with_type};
use crate::simulator::Shops;
use crate::store::{Customer, Order, Product, Store};

/// How many bytes are sent at a time.
const CHUNK: usize = 256 * 1024;
/// How many bytes wait for a slow reader.
const PIPE: usize = 1024 * 1024;

pub(crate) async fn export(State(shops): State<Arc<Shops>>, Path(label): Path<String>) -> Response {
    let Some(shop) = shops.get(&label) else {
        return answer(
            StatusCode::NOT_FOUND,
            &json!({ "error": "there is no such shop" }),
        );
    };
    let (store, facts) = (shop.store(), shop.facts());
    let first = json!({
        "type": "shop",
        "id": facts.id,
        "name": facts.name,
        "domain": facts.domain,
        "currency": facts.currency,
        "timeZone": facts.zone_name(),
    });
    let (reader, mut writer) = tokio::io::duplex(PIPE);
    let tracker = tokio_util::task::TaskTracker::new();
    tracker.spawn(async move {
        let mut text = format!("{first}\n");
        let mut place = 0;
        let total = store.customers.len() + store.products.len() + store.orders.len();
        while place < total {
            while place < total && text.len() < CHUNK {
                if let Some(line) = line(&store, place) {
                    text.push_str(&line.to_string());
                    text.push('\n');
                }
                place += 1;
            }
            if writer.write_all(text.as_bytes()).await.is_err() {
                return;
            }
            text.clear();
        }
        // A shop without anything still has its first line.
        let _ = writer.write_all(text.as_bytes()).await;
        let _ = writer.shutdown().await;
    });
    let body = Body::from_stream(ReaderStream::new(reader));
    with_type(StatusCode::OK, body, "application/jsonl")
}

/// The line at a place: customers first, then products, then orders.
fn line(store: &Store, place: usize) -> Option<Value> {
    let (customers, products) = (store.customers.len(), store.products.len());
    if place < customers {
        store.customers.at(place).map(|row| customer(row))
    } else if place < customers + products {
        store.products.at(place - customers).map(|row| product(row))
    } else {
        store
            .orders
            .at(place - customers - products)
            .map(|row| order(row))
    }
}

/// A customer as the export and the control API show it.
pub(crate) fn customer(customer: &Customer) -> Value {
    json!({
        "type": "customer",
        "id": customer.id,
        "name": customer.display_name,
        "email": customer.email,
        "createdAt": customer.created_at,
        "updatedAt": customer.updated_at,
        "tags": customer.tags,
        "deleted": customer.deleted,
    })
}

/// A product as the export and the control API show it.
pub(crate) fn product(product: &Product) -> Value {
    let variants = product.variants.iter().map(|variant| {
        json!({
            "id": variant.id,
            "title": variant.title,
            "sku": variant.sku,
            "price": variant.price,
        })
    });
    json!({
        "type": "product",
        "id": product.id,
        "title": product.title,
        "status": product.status,
        "vendor": product.vendor,
        "productType": product.product_type,
        "createdAt": product.created_at,
        "updatedAt": product.updated_at,
        "deleted": product.deleted,
        "variants": variants.collect::<Vec<_>>(),
    })
}

/// An order as the export and the control API show it.
pub(crate) fn order(order: &Order) -> Value {
    let lines = order.line_items.iter().map(|line| {
        json!({
            "id": line.id,
            "kind": line.kind,
            "title": line.article.title,
            "sku": line.article.sku,
            "product": line.article.product,
            "variant": line.article.variant,
            "quantity": line.quantity,
            "currentQuantity": line.current_quantity,
            "unitPrice": line.unit_price,
            "discount": line.discount,
        })
    });
    let agreements = order.agreements.iter().map(|agreement| {
        let sales = agreement.sales.iter().map(|sale| {
            json!({
                "id": sale.id,
                "kind": sale.kind,
                "action": sale.action,
                "quantity": sale.quantity,
                "line": sale.line,
                "total": sale.total,
                "tax": sale.tax,
                "discount": sale.discount,
                "discountAfterTaxes": sale.discount_after_taxes,
            })
        });
        json!({
            "id": agreement.id,
            "reason": agreement.reason,
            "happenedAt": agreement.happened_at,
            "sales": sales.collect::<Vec<_>>(),
        })
    });
    let refunds = order.refunds.iter().map(|refund| {
        json!({ "id": refund.id, "processedAt": refund.processed_at, "total": refund.total })
    });
    json!({
        "type": "order",
        "id": order.id,
        "name": format!("#{}", order.number),
        "customer": order.customer,
        "test": order.test,
        "deleted": order.deleted,
        "currency": order.currency,
        "createdAt": order.created_at,
        "processedAt": order.processed_at,
        "updatedAt": order.updated_at,
        "cancelledAt": order.cancelled_at,
        "originalTotal": order.original_total(),
        "received": order.received,
        "lines": lines.collect::<Vec<_>>(),
        "refunds": refunds.collect::<Vec<_>>(),
        "agreements": agreements.collect::<Vec<_>>(),
    })
}

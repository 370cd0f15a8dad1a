//! What deliveries say: a few fields of Shopify's many, under Shopify's names.

use serde_json::{Map, Value, json};

use crate::bulk::BulkRecord;
use crate::clock::Moment;
use crate::graphql::ShopFacts;
use crate::store::{Customer, Order, Product};

fn text(moment: Moment) -> String {
    moment.to_string()
}

pub(crate) fn order(order: &Order) -> Value {
    json!({
        "id": order.id,
        "admin_graphql_api_id": format!("gid://shopify/Order/{}", order.id),
        "name": format!("#{}", order.number),
        "created_at": text(order.created_at),
        "updated_at": text(order.updated_at),
        "test": order.test,
    })
}

pub(crate) fn customer(customer: &Customer) -> Value {
    json!({
        "id": customer.id,
        "admin_graphql_api_id": format!("gid://shopify/Customer/{}", customer.id),
        "email": customer.email,
        "created_at": text(customer.created_at),
        "updated_at": text(customer.updated_at),
    })
}

pub(crate) fn product(product: &Product) -> Value {
    json!({
        "id": product.id,
        "admin_graphql_api_id": format!("gid://shopify/Product/{}", product.id),
        "title": product.title,
        "created_at": text(product.created_at),
        "updated_at": text(product.updated_at),
    })
}

pub(crate) fn refund(order: &Order) -> Value {
    json!({
        "id": order.refunds.last().map_or(0, |refund| refund.id),
        "order_id": order.id,
        "created_at": text(order.updated_at),
    })
}

/// The shop itself: the payload of `shop/update` and of `app/uninstalled`.
pub(crate) fn shop(shop: &ShopFacts, now: Moment) -> Value {
    json!({
        "id": shop.id,
        "name": shop.name,
        "currency": shop.currency.to_string(),
        "iana_timezone": shop.zone_name(),
        "myshopify_domain": shop.domain,
        "updated_at": text(now),
    })
}

/// A bulk operation that has ended. Unlike its node it says its status in small letters, and has no address.
pub(crate) fn bulk_operation(operation: &BulkRecord) -> Value {
    let small = |word: &str| word.to_lowercase();
    json!({
        "admin_graphql_api_id": format!("gid://shopify/BulkOperation/{}", operation.id),
        "created_at": text(operation.created_at),
        "completed_at": operation.completed_at.map(text),
        "status": small(operation.status.as_str()),
        "error_code": operation.error_code.as_deref().map(small),
        "type": "query",
    })
}

/// The same with these fields alone; all of them when none is named.
pub(crate) fn only(payload: &Value, fields: &[String]) -> Value {
    match payload {
        Value::Object(object) if !fields.is_empty() => {
            let kept = object.iter().filter(|(name, _)| fields.contains(*name));
            Value::Object(
                kept.map(|(name, value)| (name.clone(), value.clone()))
                    .collect::<Map<_, _>>(),
            )
        }
        other => other.clone(),
    }
}

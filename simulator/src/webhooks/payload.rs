//! What deliveries say: a few fields of Shopify's many, under Shopify's names.

use serde_json::{Map, Value, json};

use crate::clock::Moment;
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

//! Objects as the store writes them, for the tests.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::data;
use crate::domain::record::Record;

pub(super) fn bag(amount: &str) -> Value {
    json!({ "shopMoney": { "amount": amount, "currencyCode": "USD" } })
}

pub(super) fn customer(id: i64) -> Value {
    json!({
        "__typename": "Customer", "id": format!("gid://shopify/Customer/{id}"),
        "displayName": "Casey Contact", "defaultEmailAddress": { "emailAddress": "casey@example.com" },
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z", "tags": ["vip"]
    })
}

pub(super) fn product(id: i64) -> Value {
    json!({
        "__typename": "Product", "id": format!("gid://shopify/Product/{id}"), "title": "Tea",
        "status": "UNLISTED", "vendor": "", "productType": "",
        "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-02T00:00:00Z"
    })
}

pub(super) fn variant(id: i64) -> Value {
    json!({
        "__typename": "ProductVariant", "id": format!("gid://shopify/ProductVariant/{id}"),
        "title": "Small", "sku": null, "price": "19.99", "position": id
    })
}

pub(super) fn order(id: i64, updated_at: &str) -> Value {
    json!({
        "__typename": "Order", "id": format!("gid://shopify/Order/{id}"), "name": "#1001",
        "createdAt": "2026-01-02T03:04:05Z", "processedAt": "2026-01-02T03:04:05Z",
        "updatedAt": updated_at, "cancelledAt": null, "test": false, "currencyCode": "CAD",
        "displayFinancialStatus": null, "displayFulfillmentStatus": "A_NEW_STATUS",
        "sourceName": "web", "discountCodes": [], "tags": ["a"],
        "totalPriceSet": bag("20.5"), "netPaymentSet": { "shopMoney": { "amount": "15.5" } },
        "customer": null,
        "refunds": [{
            "id": "gid://shopify/Refund/5", "processedAt": "2026-01-05T00:00:00Z",
            "totalRefundedSet": { "shopMoney": { "amount": "5.0" } }
        }]
    })
}

pub(super) fn line(id: i64) -> Value {
    json!({
        "__typename": "LineItem", "id": format!("gid://shopify/LineItem/{id}"), "title": "Tea",
        "variantTitle": null, "sku": "A-1", "quantity": 2, "currentQuantity": 1,
        "product": { "id": "gid://shopify/Product/6" }, "variant": null,
        "originalTotalSet": { "shopMoney": { "amount": "20.5" } },
        "discountedTotalSet": { "shopMoney": { "amount": "18.5" } }
    })
}

pub(super) fn agreement(id: i64) -> Value {
    json!({
        "__typename": "OrderAgreement", "id": format!("gid://shopify/OrderAgreement/{id}"),
        "happenedAt": "2026-01-02T03:04:05Z", "reason": "ORDER"
    })
}

pub(super) fn sale(id: i64) -> Value {
    json!({
        "__typename": "ProductSale", "id": format!("gid://shopify/Sale/{id}"), "actionType": "ORDER",
        "lineType": "PRODUCT", "quantity": 2, "totalAmount": bag("20.5"),
        "totalTaxAmount": { "shopMoney": { "amount": "1.5" } },
        "totalDiscountAmountBeforeTaxes": { "shopMoney": { "amount": "2.0" } },
        "lineItem": { "id": "gid://shopify/LineItem/1" }
    })
}

/// The object with these fields besides.
pub(super) fn with(mut object: Value, more: &Value) -> Value {
    let object_fields = object.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        object_fields.insert(name.clone(), value.clone());
    }
    object
}

/// A page of nodes; `next` is the cursor of the one after it.
pub(super) fn page(nodes: Vec<Value>, next: Option<&str>) -> Value {
    let info = json!({ "hasNextPage": next.is_some(), "endCursor": next });
    Value::from_iter([("nodes", Value::from(nodes)), ("pageInfo", info)])
}

/// A page of agreements, each with its cursor.
pub(super) fn edges(nodes: Vec<(&str, Value)>, next: Option<&str>) -> Value {
    let edges: Vec<Value> = nodes
        .into_iter()
        .map(|(cursor, node)| json!({ "cursor": cursor, "node": node }))
        .collect();
    json!({ "edges": edges, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next } })
}

/// The answer of a query for nodes.
pub(super) fn nodes(nodes: &[Value]) -> ResponseTemplate {
    data(json!({ "nodes": nodes }))
}

/// A record in few words.
fn word(record: &Record) -> String {
    match record {
        Record::Customer(it) => format!("customer {}", it.id),
        Record::Product(it) => format!("product {}", it.id),
        Record::Variant(it) => format!("variant {} of {}", it.id, it.product),
        Record::Order(it) => format!("order {}", it.id),
        Record::LineItem(it) => format!("line {} of {}", it.id, it.order),
        Record::Agreement(it) => format!("{} of {}", gid_end(&it.gid), it.order),
        Record::Sale(it) => format!("{} of {}", gid_end(&it.gid), gid_end(&it.agreement_gid)),
    }
}

fn gid_end(gid: &str) -> &str {
    gid.strip_prefix("gid://shopify/").unwrap()
}

pub(super) fn words(records: &[Record]) -> Vec<String> {
    records.iter().map(word).collect()
}

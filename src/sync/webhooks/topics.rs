//! Reads the event of a delivery, from verified bytes only, and no more of them than needed.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::db::jobs::JobKind;
use crate::domain::ids::PrivacyRequestId;
use crate::domain::shop::ShopDomain;
use crate::domain::sync::ObjectKind;
use crate::shopify::webhook_signature::Verified;

/// The event that a delivery reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WebhookEvent {
    /// An object changed.
    Changed(ObjectKind, i64),
    /// An object was deleted.
    Deleted(ObjectKind, i64),
    /// A customer was merged into another one, with all orders.
    CustomersMerged { kept: i64, gone: i64 },
    /// The shop's own record changed.
    ShopChanged,
    /// A customer asks for the stored data.
    DataRequest { customer: i64, orders: Vec<i64> },
    /// A customer's personal fields have to be deleted.
    RedactCustomer { customer: i64, orders: Vec<i64> },
    /// All data of the shop has to be deleted.
    RedactShop,
    /// The app was uninstalled.
    Uninstalled,
    /// A bulk operation finished.
    BulkOperationFinished,
    /// A topic that needs no work, or that this version does not read.
    Ignored,
}

impl WebhookEvent {
    /// The objects to fetch, and whether Shopify reported them as deleted.
    pub(super) fn refetches(&self) -> Vec<(ObjectKind, i64, bool)> {
        match *self {
            Self::Changed(kind, id) => vec![(kind, id, false)],
            Self::Deleted(kind, id) => vec![(kind, id, true)],
            Self::CustomersMerged { kept, gone } => [kept, gone]
                .map(|customer| (ObjectKind::Customers, customer, false))
                .to_vec(),
            _ => Vec::new(),
        }
    }

    /// The job that the event causes. A privacy request gets this id.
    pub(super) const fn job(&self, request: PrivacyRequestId) -> Option<JobKind> {
        match self {
            Self::Changed(..) | Self::Deleted(..) | Self::CustomersMerged { .. } => {
                Some(JobKind::Refetch)
            }
            Self::DataRequest { .. } | Self::RedactCustomer { .. } => {
                Some(JobKind::Privacy { request })
            }
            Self::RedactShop => Some(JobKind::RedactShop { by_operator: false }),
            Self::Uninstalled => Some(JobKind::Uninstall),
            Self::ShopChanged | Self::BulkOperationFinished | Self::Ignored => None,
        }
    }
}

/// Why a delivery could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is no JSON, or lacks a field that its topic has.
    Malformed,
    /// Its body is about another shop than its header.
    OtherShop,
}

/// The shop that the header of a delivery names.
#[derive(Clone, Debug)]
pub(super) struct NamedShop {
    pub(super) domain: ShopDomain,
    /// The number in its Shopify id.
    pub(super) number: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Customer {
    id: i64,
}

#[derive(Debug, Deserialize)]
struct OrderEdit {
    order_id: i64,
}

#[derive(Debug, Default, Deserialize)]
struct Payload {
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(default)]
    order_id: Option<i64>,
    #[serde(default)]
    updated_at: Option<IgnoredAny>,
    #[serde(default)]
    shop_domain: Option<String>,
    #[serde(default)]
    myshopify_domain: Option<String>,
    #[serde(default)]
    customer: Option<serde_json::Value>,
    #[serde(default)]
    orders_to_redact: Vec<i64>,
    #[serde(default)]
    orders_requested: Vec<i64>,
    #[serde(default)]
    order_edit: Option<OrderEdit>,
    #[serde(default)]
    admin_graphql_api_customer_kept_id: Option<String>,
    #[serde(default)]
    admin_graphql_api_customer_deleted_id: Option<String>,
}

impl Payload {
    fn id(&self) -> Result<i64, Unreadable> {
        let id = self.id.as_ref().and_then(serde_json::Value::as_i64);
        id.ok_or(Unreadable::Malformed)
    }

    /// Whether the body is about this shop. Shopify does not sign the header that names the shop.
    fn is_about(&self, shop: &NamedShop) -> bool {
        match self.myshopify_domain.as_ref().or(self.shop_domain.as_ref()) {
            Some(named) => ShopDomain::parse(named).is_ok_and(|named| named == shop.domain),
            None => shop.number.is_some() && self.id().ok() == shop.number,
        }
    }

    fn customer(&self) -> Result<i64, Unreadable> {
        let customer = self.customer.clone().ok_or(Unreadable::Malformed)?;
        let customer: Customer =
            serde_json::from_value(customer).map_err(|_| Unreadable::Malformed)?;
        Ok(customer.id)
    }

    fn merged(&self) -> Result<WebhookEvent, Unreadable> {
        let number = |gid: &Option<String>| gid.as_ref()?.rsplit('/').next()?.parse().ok();
        let kept = number(&self.admin_graphql_api_customer_kept_id);
        let gone = number(&self.admin_graphql_api_customer_deleted_id);
        let (kept, gone) = kept.zip(gone).ok_or(Unreadable::Malformed)?;
        Ok(WebhookEvent::CustomersMerged { kept, gone })
    }

    /// Shopify does not sign the topic: a body with the fields of an existing object is no deletion.
    fn deleted(&self, kind: ObjectKind) -> Result<WebhookEvent, Unreadable> {
        let id = self.id()?;
        Ok(if self.updated_at.is_some() {
            WebhookEvent::Changed(kind, id)
        } else {
            WebhookEvent::Deleted(kind, id)
        })
    }
}

/// Reads a delivery of a topic, for the shop that its header names.
pub(super) fn read(
    topic: &str,
    shop: &NamedShop,
    body: Verified<'_>,
) -> Result<WebhookEvent, Unreadable> {
    let payload: Payload =
        serde_json::from_slice(body.bytes()).map_err(|_| Unreadable::Malformed)?;
    let is_about_a_shop = matches!(
        topic,
        "app/uninstalled"
            | "shop/update"
            | "shop/redact"
            | "customers/redact"
            | "customers/data_request"
    );
    if is_about_a_shop && !payload.is_about(shop) {
        return Err(Unreadable::OtherShop);
    }
    Ok(match topic {
        "orders/delete" => payload.deleted(ObjectKind::Orders)?,
        "customers/delete" => payload.deleted(ObjectKind::Customers)?,
        "products/delete" => payload.deleted(ObjectKind::Products)?,
        "orders/edited" => {
            let edit = payload.order_edit.ok_or(Unreadable::Malformed)?;
            WebhookEvent::Changed(ObjectKind::Orders, edit.order_id)
        }
        "refunds/create" => WebhookEvent::Changed(
            ObjectKind::Orders,
            payload.order_id.ok_or(Unreadable::Malformed)?,
        ),
        "customers/data_request" => WebhookEvent::DataRequest {
            customer: payload.customer()?,
            orders: payload.orders_requested,
        },
        "customers/redact" => WebhookEvent::RedactCustomer {
            customer: payload.customer()?,
            orders: payload.orders_to_redact,
        },
        "shop/redact" => WebhookEvent::RedactShop,
        "app/uninstalled" => WebhookEvent::Uninstalled,
        "shop/update" => WebhookEvent::ShopChanged,
        "bulk_operations/finish" => WebhookEvent::BulkOperationFinished,
        "customers/create" | "customers/update" => {
            WebhookEvent::Changed(ObjectKind::Customers, payload.id()?)
        }
        "customers/merge" => payload.merged()?,
        "products/create" | "products/update" => {
            WebhookEvent::Changed(ObjectKind::Products, payload.id()?)
        }
        "orders/create"
        | "orders/updated"
        | "orders/paid"
        | "orders/cancelled"
        | "orders/fulfilled"
        | "orders/partially_fulfilled" => WebhookEvent::Changed(ObjectKind::Orders, payload.id()?),
        _ => WebhookEvent::Ignored,
    })
}

/// Reads a body under every topic, as if its signature held. Called by `src/fuzzing.rs`.
#[cfg(test)]
pub(in crate::sync) fn fuzz(bytes: &[u8]) {
    use base64::Engine as _;
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"hush");
    let tag = aws_lc_rs::hmac::sign(&key, bytes);
    let signature = base64::engine::general_purpose::STANDARD.encode(tag.as_ref());
    let secrets = [secrecy::SecretString::from("hush")];
    let body = crate::shopify::webhook_signature::verify(bytes, &signature, &secrets).unwrap();
    let named = NamedShop {
        domain: ShopDomain::parse("a.myshopify.com").unwrap(),
        number: Some(99),
    };
    for topic in [
        "orders/create",
        "orders/delete",
        "orders/edited",
        "refunds/create",
        "customers/data_request",
        "customers/redact",
        "shop/redact",
        "shop/update",
        "app/uninstalled",
        "bulk_operations/finish",
        "products/update",
        &String::from_utf8_lossy(bytes),
    ] {
        drop(read(topic, &named, body));
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::shopify::webhook_signature::verify;

    fn of(topic: &str, body: &str) -> Result<WebhookEvent, Unreadable> {
        use base64::Engine as _;
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"hush");
        let tag = aws_lc_rs::hmac::sign(&key, body.as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(tag.as_ref());
        let body = verify(body.as_bytes(), &signature, &[SecretString::from("hush")]).unwrap();
        let named = NamedShop {
            domain: ShopDomain::parse("a.myshopify.com").unwrap(),
            number: Some(99),
        };
        read(topic, &named, body)
    }

    #[test]
    fn a_body_with_the_fields_of_an_existing_object_deletes_nothing() {
        assert_eq!(
            of("orders/delete", r#"{"id":7}"#),
            Ok(WebhookEvent::Deleted(ObjectKind::Orders, 7))
        );
        assert_eq!(
            of(
                "orders/delete",
                r#"{"id":7,"updated_at":"2026-11-23T00:00:00Z"}"#
            ),
            Ok(WebhookEvent::Changed(ObjectKind::Orders, 7))
        );
    }

    #[test]
    fn an_event_of_a_shop_must_name_this_shop() {
        assert_eq!(
            of("shop/redact", r#"{"shop_domain":"a.myshopify.com"}"#),
            Ok(WebhookEvent::RedactShop)
        );
        assert_eq!(
            of("shop/redact", r#"{"shop_domain":"b.myshopify.com"}"#),
            Err(Unreadable::OtherShop)
        );
        assert_eq!(of("shop/redact", "{}"), Err(Unreadable::OtherShop));
        assert_eq!(
            of("app/uninstalled", r#"{"id":99}"#),
            Ok(WebhookEvent::Uninstalled)
        );
        assert_eq!(
            of("app/uninstalled", r#"{"id":7}"#),
            Err(Unreadable::OtherShop)
        );
    }

    #[test]
    fn malformed_bodies_and_unknown_topics_are_distinguished() {
        assert_eq!(of("orders/create", "no json"), Err(Unreadable::Malformed));
        assert_eq!(
            of("orders/create", r#"{"id":"7"}"#),
            Err(Unreadable::Malformed)
        );
        assert_eq!(
            of("orders/create", r#"{"id":7.5}"#),
            Err(Unreadable::Malformed)
        );
        assert_eq!(
            of("themes/publish", r#"{"id":7}"#),
            Ok(WebhookEvent::Ignored)
        );
        assert_eq!(
            of(
                "refunds/create",
                r#"{"id":9,"order_id":820982911946154508}"#
            ),
            Ok(WebhookEvent::Changed(
                ObjectKind::Orders,
                820_982_911_946_154_508
            ))
        );
    }
}

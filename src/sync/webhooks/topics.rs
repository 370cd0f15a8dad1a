//! What a delivery says: read from verified bytes only, and no more of it than is needed.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::db::jobs::JobKind;
use crate::domain::ids::PrivacyRequestId;
use crate::domain::shop::ShopDomain;
use crate::domain::sync::ObjectKind;
use crate::shopify::signature::Verified;

/// What a delivery calls for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// An object changed: fetch it.
    Changed(ObjectKind, i64),
    /// An object is gone.
    Deleted(ObjectKind, i64),
    /// A customer became part of another one, with all their orders.
    Merged { kept: i64, gone: i64 },
    /// The store's own record changed.
    ShopChanged,
    /// A customer asks what is held.
    DataRequest { customer: i64, orders: Vec<i64> },
    /// A customer's personal fields are to go.
    RedactCustomer { customer: i64, orders: Vec<i64> },
    /// Everything of the store is to go.
    RedactShop,
    /// The app was uninstalled.
    Uninstalled,
    /// A bulk operation has ended: whoever waits for one may look.
    BulkFinished,
    /// Nothing that concerns us, or a topic that this version does not know.
    Nothing,
}

impl Call {
    /// The objects that are to be fetched, and whether they were said to be deleted.
    pub(super) fn hints(&self) -> Vec<(ObjectKind, i64, bool)> {
        match *self {
            Self::Changed(kind, id) => vec![(kind, id, false)],
            Self::Deleted(kind, id) => vec![(kind, id, true)],
            Self::Merged { kept, gone } => [kept, gone]
                .map(|customer| (ObjectKind::Customers, customer, false))
                .to_vec(),
            _ => Vec::new(),
        }
    }

    /// What is to be done. A privacy request is noted under this id.
    pub(super) const fn job(&self, request: PrivacyRequestId) -> Option<JobKind> {
        match self {
            Self::Changed(..) | Self::Deleted(..) | Self::Merged { .. } => Some(JobKind::Hints),
            Self::DataRequest { .. } | Self::RedactCustomer { .. } => {
                Some(JobKind::Privacy { request })
            }
            Self::RedactShop => Some(JobKind::RedactShop { by_operator: false }),
            Self::Uninstalled => Some(JobKind::Uninstall),
            Self::ShopChanged | Self::BulkFinished | Self::Nothing => None,
        }
    }
}

/// Why a delivery could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// No JSON, or without the field that its topic promises.
    Malformed,
    /// It speaks of another store than its header.
    OtherShop,
}

/// The store that a delivery's header names.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) domain: ShopDomain,
    /// Its number at Shopify.
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

    /// Whether it speaks of this store. The header that names the store is not signed; this is.
    fn is_about(&self, shop: &Named) -> bool {
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

    fn merged(&self) -> Result<Call, Unreadable> {
        let number = |gid: &Option<String>| gid.as_ref()?.rsplit('/').next()?.parse().ok();
        let kept = number(&self.admin_graphql_api_customer_kept_id);
        let gone = number(&self.admin_graphql_api_customer_deleted_id);
        let (kept, gone) = kept.zip(gone).ok_or(Unreadable::Malformed)?;
        Ok(Call::Merged { kept, gone })
    }

    /// Topics are not signed: a body that shows a living object is no deletion, whatever its header says.
    fn deleted(&self, kind: ObjectKind) -> Result<Call, Unreadable> {
        let id = self.id()?;
        Ok(if self.updated_at.is_some() {
            Call::Changed(kind, id)
        } else {
            Call::Deleted(kind, id)
        })
    }
}

/// Reads a delivery of a topic, for the store that its header names.
pub(super) fn read(topic: &str, shop: &Named, body: Verified<'_>) -> Result<Call, Unreadable> {
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
            Call::Changed(ObjectKind::Orders, edit.order_id)
        }
        "refunds/create" => Call::Changed(
            ObjectKind::Orders,
            payload.order_id.ok_or(Unreadable::Malformed)?,
        ),
        "customers/data_request" => Call::DataRequest {
            customer: payload.customer()?,
            orders: payload.orders_requested,
        },
        "customers/redact" => Call::RedactCustomer {
            customer: payload.customer()?,
            orders: payload.orders_to_redact,
        },
        "shop/redact" => Call::RedactShop,
        "app/uninstalled" => Call::Uninstalled,
        "shop/update" => Call::ShopChanged,
        "bulk_operations/finish" => Call::BulkFinished,
        "customers/create" | "customers/update" => {
            Call::Changed(ObjectKind::Customers, payload.id()?)
        }
        "customers/merge" => payload.merged()?,
        "products/create" | "products/update" => Call::Changed(ObjectKind::Products, payload.id()?),
        "orders/create"
        | "orders/updated"
        | "orders/paid"
        | "orders/cancelled"
        | "orders/fulfilled"
        | "orders/partially_fulfilled" => Call::Changed(ObjectKind::Orders, payload.id()?),
        _ => Call::Nothing,
    })
}

/// Reads a body under every topic, as if its signature held: for what `src/fuzzing.rs` sends.
#[cfg(test)]
pub(in crate::sync) fn fuzz(bytes: &[u8]) {
    use base64::Engine as _;
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"hush");
    let tag = aws_lc_rs::hmac::sign(&key, bytes);
    let signature = base64::engine::general_purpose::STANDARD.encode(tag.as_ref());
    let secrets = [secrecy::SecretString::from("hush")];
    let body = crate::shopify::signature::verify(bytes, &signature, &secrets).unwrap();
    let named = Named {
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
    use crate::shopify::signature::verify;

    fn of(topic: &str, body: &str) -> Result<Call, Unreadable> {
        use base64::Engine as _;
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"hush");
        let tag = aws_lc_rs::hmac::sign(&key, body.as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(tag.as_ref());
        let body = verify(body.as_bytes(), &signature, &[SecretString::from("hush")]).unwrap();
        let named = Named {
            domain: ShopDomain::parse("a.myshopify.com").unwrap(),
            number: Some(99),
        };
        read(topic, &named, body)
    }

    #[test]
    fn a_body_that_shows_a_living_object_deletes_nothing() {
        assert_eq!(
            of("orders/delete", r#"{"id":7}"#),
            Ok(Call::Deleted(ObjectKind::Orders, 7))
        );
        assert_eq!(
            of(
                "orders/delete",
                r#"{"id":7,"updated_at":"2026-11-23T00:00:00Z"}"#
            ),
            Ok(Call::Changed(ObjectKind::Orders, 7))
        );
    }

    #[test]
    fn what_is_about_a_shop_must_be_about_this_one() {
        assert_eq!(
            of("shop/redact", r#"{"shop_domain":"a.myshopify.com"}"#),
            Ok(Call::RedactShop)
        );
        assert_eq!(
            of("shop/redact", r#"{"shop_domain":"b.myshopify.com"}"#),
            Err(Unreadable::OtherShop)
        );
        assert_eq!(of("shop/redact", "{}"), Err(Unreadable::OtherShop));
        assert_eq!(of("app/uninstalled", r#"{"id":99}"#), Ok(Call::Uninstalled));
        assert_eq!(
            of("app/uninstalled", r#"{"id":7}"#),
            Err(Unreadable::OtherShop)
        );
    }

    #[test]
    fn unreadable_bodies_are_told_from_unknown_topics() {
        assert_eq!(of("orders/create", "no json"), Err(Unreadable::Malformed));
        assert_eq!(
            of("orders/create", r#"{"id":"7"}"#),
            Err(Unreadable::Malformed)
        );
        assert_eq!(
            of("orders/create", r#"{"id":7.5}"#),
            Err(Unreadable::Malformed)
        );
        assert_eq!(of("themes/publish", r#"{"id":7}"#), Ok(Call::Nothing));
        assert_eq!(
            of(
                "refunds/create",
                r#"{"id":9,"order_id":820982911946154508}"#
            ),
            Ok(Call::Changed(ObjectKind::Orders, 820_982_911_946_154_508))
        );
    }
}

//! Typed ids, which the compiler keeps apart. XBoard's own ids are UUIDs (version 7, ordered by
//! time). Shopify's are the numbers at the end of its gids, unique only within a shop.

use std::fmt;

use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type, serde::Serialize, serde::Deserialize)]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Generates an id. Ids are ordered by the time of generation.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as a UUID, for serialisation.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The id from a verified token, a signed message or a row of the database.
            #[must_use]
            pub(crate) const fn trusted(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// A connected shop. Comes only from a verified token, a verified webhook or the directory of
    /// shops.
    TenantId
}
uuid_id! {
    /// A user.
    UserId
}
uuid_id! {
    /// A session, which refresh tokens belong to.
    SessionId
}
uuid_id! {
    /// A sync run.
    SyncRunId
}
uuid_id! {
    /// A privacy request of a customer, passed on by Shopify.
    PrivacyRequestId
}

uuid_id! {
    /// An open invitation to a shop.
    InvitationId
}
uuid_id! {
    /// An entry of an audit log.
    AuditEntryId
}

/// The text is not a gid of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a gid of a {expected}: {found:?}")]
pub struct GidError {
    expected: &'static str,
    found: String,
}

macro_rules! shopify_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type, serde::Serialize, serde::Deserialize)]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The id with this number.
            #[must_use]
            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            /// Parses `gid://shopify/…/123`, with or without query parameters.
            pub fn from_gid(gid: &str) -> Result<Self, GidError> {
                gid_number(gid, $kind)
                    .map(Self)
                    .ok_or_else(|| GidError { expected: $kind, found: gid.chars().take(100).collect() })
            }

            /// The number.
            #[must_use]
            pub const fn number(self) -> i64 {
                self.0
            }

            /// The id as a gid.
            #[must_use]
            pub fn gid(self) -> String {
                format!("gid://shopify/{}/{}", $kind, self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = GidError;

            fn from_str(gid: &str) -> Result<Self, GidError> {
                Self::from_gid(gid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

fn gid_number(gid: &str, kind: &str) -> Option<i64> {
    let number = gid
        .strip_prefix("gid://shopify/")?
        .strip_prefix(kind)?
        .strip_prefix('/')?;
    let number = number.split('?').next()?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse().ok()
}

shopify_id! {
    /// A customer of a shop.
    CustomerId, "Customer"
}
shopify_id! {
    /// A product of a shop.
    ProductId, "Product"
}
shopify_id! {
    /// A variant of a product.
    VariantId, "ProductVariant"
}
shopify_id! {
    /// An order of a shop.
    OrderId, "Order"
}
shopify_id! {
    /// A line item of an order.
    LineItemId, "LineItem"
}
shopify_id! {
    /// A refund of an order.
    RefundId, "Refund"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gid_reads_back_as_it_was_written() {
        let id = OrderId::new(450_789_469);
        assert_eq!(OrderId::from_gid(&id.gid()), Ok(id));
        assert_eq!(
            OrderId::from_gid("gid://shopify/Order/1?x=2"),
            Ok(OrderId::new(1))
        );
    }

    #[test]
    fn what_is_no_gid_of_the_kind_is_refused() {
        for wrong in [
            "",
            "1",
            "gid://shopify/Order/",
            "gid://shopify/Order/+1",
            "gid://shopify/Order/x",
            "gid://shopify/Customer/1",
            "gid://shopify/OrderX/1",
            "gid://shopify/Order/99999999999999999999",
        ] {
            assert!(OrderId::from_gid(wrong).is_err(), "{wrong}");
        }
    }
}

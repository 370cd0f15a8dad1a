//! Shopify's search syntax, with the oddities that protocol.md lists.
//!
//! A field that the list does not know is ignored, with a warning and nothing else: a client that does
//! not read the warnings gets everything.

mod filter;
mod parse;
mod rows;
mod times;

pub(crate) use filter::{Filter, Searchable, Shown};
pub(crate) use parse::{Comparison, Expression, Term, parse};

/// Which list is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Customers,
    Orders,
    Products,
}

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// An instant.
    Time,
    /// An instant that is compared by whole days only.
    Day,
    /// A number or a truth.
    Id,
    /// Words.
    Text,
    /// A field of Shopify that the simulator does not answer: refused loudly, not guessed.
    Unsupported,
}

/// Fields that Shopify documents and the simulator refuses.
const UNSUPPORTED_ORDERS: &[&str] = &[
    "cart_token",
    "channel",
    "channel_id",
    "chargeback_status",
    "checkout_token",
    "confirmation_number",
    "credit_card_last4",
    "current_total_price",
    "delivery_method",
    "email",
    "fraud_protection_level",
    "fulfillment_location_id",
    "fulfillment_status",
    "gateway",
    "location_id",
    "payment_id",
    "payment_provider_id",
    "po_number",
    "reference_location_id",
    "return_status",
    "risk_level",
    "sales_channel",
    "source_identifier",
    "subtotal_line_items_quantity",
    "tag_not",
    "total_weight",
];
const UNSUPPORTED_CUSTOMERS: &[&str] = &[
    "accepts_marketing",
    "country",
    "first_name",
    "last_abandoned_order_date",
    "last_name",
    "order_date",
    "orders_count",
    "phone",
    "state",
    "tag_not",
    "total_spent",
];
const UNSUPPORTED_PRODUCTS: &[&str] = &[
    "barcode",
    "bundles",
    "category_id",
    "collection_id",
    "delivery_profile_id",
    "gift_card",
    "handle",
    "inventory_total",
    "is_price_reduced",
    "out_of_stock_somewhere",
    "price",
    "product_publication_status",
    "publication_ids",
    "publishable_status",
    "published_at",
    "published_status",
    "tag",
    "tag_not",
    "tracks_inventory",
    "variant_id",
    "variant_title",
];

impl List {
    /// What a field of the list holds; none for a field that Shopify does not know there.
    pub(crate) fn field(self, name: &str) -> Option<FieldKind> {
        let unsupported = match self {
            Self::Customers => UNSUPPORTED_CUSTOMERS,
            Self::Orders => UNSUPPORTED_ORDERS,
            Self::Products => UNSUPPORTED_PRODUCTS,
        };
        Some(match (self, name) {
            (_, "id") | (Self::Orders, "customer_id" | "test") => FieldKind::Id,
            (Self::Customers, "updated_at" | "customer_date") => FieldKind::Day,
            (Self::Orders, "updated_at" | "created_at" | "processed_at")
            | (Self::Products, "updated_at" | "created_at") => FieldKind::Time,
            (Self::Customers, "email" | "tag")
            | (
                Self::Orders,
                "name" | "status" | "financial_status" | "tag" | "source_name" | "discount_code"
                | "sku",
            )
            | (Self::Products, "title" | "status" | "vendor" | "product_type" | "sku") => {
                FieldKind::Text
            }
            _ if unsupported.contains(&name) => FieldKind::Unsupported,
            _ => return None,
        })
    }
}

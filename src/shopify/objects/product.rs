//! Products and their variants.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::amount::Amount;
use super::{Connection, Result, count, gid, optional_gid, parent};
use crate::domain::ids::{ProductId, VariantId};
use crate::domain::record::{ProductRecord, VariantRecord};

#[expect(
    clippy::struct_field_names,
    reason = "the fields have the names of Shopify's schema"
)]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::shopify) struct Product {
    #[serde(deserialize_with = "gid")]
    pub(in crate::shopify) id: ProductId,
    title: String,
    status: String,
    vendor: String,
    product_type: String,
    created_at: DateTime<Utc>,
    pub(in crate::shopify) updated_at: DateTime<Utc>,
    /// Only in responses to queries. A bulk result has a line for each variant.
    #[serde(default)]
    pub(in crate::shopify) variants: Option<Connection<Variant>>,
}

impl From<Product> for ProductRecord {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            title: product.title,
            status: product.status,
            vendor: product.vendor,
            product_type: product.product_type,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::shopify) struct Variant {
    #[serde(default, rename = "__parentId", deserialize_with = "optional_gid")]
    pub(in crate::shopify) parent: Option<ProductId>,
    #[serde(deserialize_with = "gid")]
    pub(in crate::shopify) id: VariantId,
    title: String,
    sku: Option<String>,
    price: Amount,
    position: i64,
}

impl Variant {
    pub(in crate::shopify) fn into_record(self) -> Result<VariantRecord> {
        Ok(VariantRecord {
            product: parent(self.parent)?,
            id: self.id,
            title: self.title,
            sku: self.sku,
            price: self.price.0,
            position: count(self.position)?,
        })
    }
}

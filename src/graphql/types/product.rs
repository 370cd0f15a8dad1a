//! Products in the API.

use async_graphql::{ID, SimpleObject};

use super::money::Money;
use crate::db::products::ProductRow;
use crate::domain::ids::TenantId;
use crate::graphql::ids::NodeId;
use crate::graphql::read_snapshot::ShopContext;
use crate::graphql::scalars::Long;

/// A product of the shop's catalogue in its current state.
#[expect(clippy::struct_field_names, reason = "Shopify's word")]
#[derive(Clone, Debug, SimpleObject)]
pub struct Product {
    /// The product's id, for `node`.
    #[graphql(owned)]
    pub id: ID,
    /// Shopify's numeric id of the product. Unique only within the shop.
    shopify_id: String,
    /// The product's name.
    title: String,
    /// The product's status, in Shopify's words: `ACTIVE`, `ARCHIVED`, `DRAFT` and others.
    status: String,
    /// The product's vendor. Null if none is set.
    vendor: Option<String>,
    /// The product's type, as set by the merchant. Null if none is set.
    product_type: Option<String>,
    /// The product's net sales of all time: after discounts and returns, without taxes and
    /// shipping. In the shop's currency. Test and deleted orders do not count.
    net_sales: Money,
    /// The number of units sold of all time, in orders in the shop's currency. Returns are not
    /// subtracted. Test and deleted orders do not count.
    units_sold: Long,
}

impl Product {
    pub(in crate::graphql) fn new(tenant: TenantId, row: ProductRow, shop: &ShopContext) -> Self {
        let known = |text: String| (!text.is_empty()).then_some(text);
        Self {
            id: NodeId::Product(row.id).encode(tenant),
            shopify_id: row.id.to_string(),
            title: row.title,
            status: row.status,
            vendor: known(row.vendor),
            product_type: known(row.product_type),
            net_sales: shop.money(row.net_sales).into(),
            units_sold: Long(row.units_sold),
        }
    }
}

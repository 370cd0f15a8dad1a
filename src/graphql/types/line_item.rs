//! Line items in the API.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};

use super::money::Money;
use super::product::Product;
use crate::db::line_items::LineItemRow;
use crate::domain::ids::{ProductId, TenantId};
use crate::domain::money;
use crate::graphql::context::RequestContext;
use crate::graphql::dataloaders::ProductById;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;

/// A line of an order: a quantity of one product, or of a custom item.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct LineItem {
    #[graphql(skip)]
    tenant: TenantId,
    #[graphql(skip)]
    product_number: Option<ProductId>,
    /// The line item's id. Line items are read through their order, not through `node`.
    id: ID,
    /// The product's name at the time of the order.
    title: String,
    /// The variant's name at the time of the order, such as `Small / Red`. Null without a variant.
    variant_title: Option<String>,
    /// The merchant's stock keeping unit (SKU). Null if there is none.
    sku: Option<String>,
    /// The quantity ordered.
    quantity: i32,
    /// The current quantity, after edits and removals.
    current_quantity: i32,
    /// Unit price × quantity, before discounts. In the order's currency.
    original_total: Money,
    /// Unit price × quantity, after discounts on this line but before discounts on the whole order.
    /// In the order's currency.
    discounted_total: Money,
}

impl LineItem {
    pub(in crate::graphql) fn new(
        tenant: TenantId,
        row: LineItemRow,
        currency: &money::Currency,
    ) -> Self {
        let money = |amount| money::Money::new(amount, currency.clone()).into();
        Self {
            tenant,
            product_number: row.product_id,
            id: NodeId::LineItem(row.order_id, row.id).encode(tenant),
            title: row.title,
            variant_title: row.variant_title,
            sku: row.sku,
            quantity: row.quantity,
            current_quantity: row.current_quantity,
            original_total: money(row.original_total),
            discounted_total: money(row.discounted_total),
        }
    }
}

#[ComplexObject]
impl LineItem {
    /// The product sold. Null for a custom item, or if the product has never been synced.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>, ApiError> {
        let Some(product) = self.product_number else {
            return Ok(None);
        };
        let request = RequestContext::of(ctx)?;
        let row = request
            .loaders
            .load(self.tenant, ProductById(product))
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let shop = request.shop_of(self.tenant).await?;
        Ok(Some(Product::new(self.tenant, row, &shop)))
    }
}

//! The lines of orders as the API shows them.

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

/// A line of an order: so many of one product, or of something that is no product.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct LineItem {
    #[graphql(skip)]
    tenant: TenantId,
    #[graphql(skip)]
    product_number: Option<ProductId>,
    /// The line's id. Lines are reached through their order, not through `node`.
    id: ID,
    /// The name of the product when it was sold.
    title: String,
    /// The name of the variant when it was sold, such as `Small / Red`. Null without one.
    variant_title: Option<String>,
    /// The merchant's own number for what was sold. Null without one.
    sku: Option<String>,
    /// How many were ordered.
    quantity: i32,
    /// How many of them are left now, after edits and removals.
    current_quantity: i32,
    /// The price of one times the quantity, before discounts. In the order's currency.
    original_total: Money,
    /// The same after the discounts on this line; those on the whole order are not taken off. In the order's
    /// currency.
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
    /// The product that was sold. Null for a line that is no product, and when the store never told of it.
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

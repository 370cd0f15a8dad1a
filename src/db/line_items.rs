//! The lines of orders as they are read.

use rust_decimal::Decimal;

use super::keyset::Keyset;
use super::{Result, TenantTx};
use crate::domain::ids::{LineItemId, OrderId, ProductId};

/// A line of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct LineItemRow {
    /// The order it is of.
    pub order_id: OrderId,
    /// Shopify's number.
    pub id: LineItemId,
    /// The product's name when it was sold.
    pub title: String,
    /// The variant's name when it was sold.
    pub variant_title: Option<String>,
    /// The merchant's number for it.
    pub sku: Option<String>,
    /// How many were ordered.
    pub quantity: i32,
    /// How many are left after edits and removals.
    pub current_quantity: i32,
    /// Price × quantity.
    pub original_total: Decimal,
    /// The same after the line's own discounts.
    pub discounted_total: Decimal,
    /// Null for a custom line or a deleted product.
    pub product_id: Option<ProductId>,
}

impl TenantTx {
    /// The first lines of each of these orders, at most `limit` of each.
    pub async fn first_line_items_of(
        &mut self,
        orders: &[OrderId],
        limit: i64,
    ) -> Result<Vec<LineItemRow>> {
        let tenant = self.tenant();
        let ids: Vec<_> = orders.iter().map(|id| id.number()).collect();
        Ok(sqlx::query_as!(
            LineItemRow,
            "select l.order_id as \"order_id!: OrderId\", l.id as \"id!: LineItemId\", l.title as \"title!\", \
                    l.variant_title, l.sku, l.quantity as \"quantity!\", l.current_quantity as \"current_quantity!\", \
                    l.original_total as \"original_total!\", l.discounted_total as \"discounted_total!\", \
                    l.product_id as \"product_id: ProductId\" \
             from unnest($2::bigint[]) o(id) cross join lateral ( \
                select * from line_items where tenant_id = $1 and order_id = o.id order by id limit $3) l \
             order by l.order_id, l.id",
            tenant.uuid(),
            &ids,
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Lines of an order.
    pub async fn line_items(
        &mut self,
        order: OrderId,
        keys: &Keyset<LineItemId>,
    ) -> Result<Vec<LineItemRow>> {
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            LineItemRow,
            "select order_id as \"order_id: OrderId\", id as \"id: LineItemId\", title, variant_title, sku, quantity, \
                    current_quantity, original_total, discounted_total, product_id as \"product_id: ProductId\" \
             from line_items where tenant_id = $1 and order_id = $2 \
               and id > coalesce($3::bigint, -1) and id < coalesce($4::bigint, 9223372036854775807) \
             order by case when $5 then -id else id end limit $6",
            tenant.uuid(),
            order.number(),
            keys.above.map(LineItemId::number),
            keys.below.map(LineItemId::number),
            keys.descending,
            keys.limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// How many lines each of these orders has; those without any are left out.
    pub async fn count_line_items_of(&mut self, orders: &[OrderId]) -> Result<Vec<(OrderId, i64)>> {
        let tenant = self.tenant();
        let ids: Vec<_> = orders.iter().map(|id| id.number()).collect();
        let rows = sqlx::query!(
            "select order_id as \"order: OrderId\", count(*) as \"count!\" from line_items \
             where tenant_id = $1 and order_id = any($2) group by order_id",
            tenant.uuid(),
            &ids
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows.into_iter().map(|row| (row.order, row.count)).collect())
    }
}

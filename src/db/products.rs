//! Reads of products with their all-time totals. Lists exclude deleted products. Reads by id include them,
//! because the line items of old orders still reference them.

use rust_decimal::Decimal;

use super::keyset::{Keyset, contains, end};
use super::{Result, TenantTx};
use crate::domain::ids::ProductId;

/// A product with all-time totals.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductRow {
    /// The id in Shopify.
    pub id: ProductId,
    /// The title.
    pub title: String,
    /// `ACTIVE`, `ARCHIVED`, `DRAFT`, …
    pub status: String,
    /// The vendor; may be empty.
    pub vendor: String,
    /// The product type; may be empty.
    pub product_type: String,
    /// Units sold in orders in the shop's currency.
    pub units_sold: i64,
    /// Net sales in the shop's currency.
    pub net_sales: Decimal,
}

/// Conditions on products. A field that is `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// Products with this text in the title.
    pub search: Option<String>,
    /// Products with this status.
    pub status: Option<String>,
    /// Products of this vendor.
    pub vendor: Option<String>,
    /// Products of this type.
    pub product_type: Option<String>,
}

impl TenantTx {
    /// A page of products by title.
    pub async fn products_by_title(
        &mut self,
        filter: &ProductFilter,
        keys: &Keyset<(String, ProductId)>,
    ) -> Result<Vec<ProductRow>> {
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = if keys.descending {
            sqlx::query_file_as!(
                ProductRow,
                "src/db/products/sql/by_title_desc.sql",
                tenant,
                filter.search.as_deref().map(contains),
                filter.status.as_deref(),
                filter.vendor.as_deref(),
                filter.product_type.as_deref(),
                above.as_deref(),
                above_id.map(ProductId::number),
                below.as_deref(),
                below_id.map(ProductId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        } else {
            sqlx::query_file_as!(
                ProductRow,
                "src/db/products/sql/by_title_asc.sql",
                tenant,
                filter.search.as_deref().map(contains),
                filter.status.as_deref(),
                filter.vendor.as_deref(),
                filter.product_type.as_deref(),
                above.as_deref(),
                above_id.map(ProductId::number),
                below.as_deref(),
                below_id.map(ProductId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// A page of products by net sales.
    pub async fn products_by_net_sales(
        &mut self,
        filter: &ProductFilter,
        keys: &Keyset<(Decimal, ProductId)>,
    ) -> Result<Vec<ProductRow>> {
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = if keys.descending {
            sqlx::query_file_as!(
                ProductRow,
                "src/db/products/sql/by_net_sales_desc.sql",
                tenant,
                filter.search.as_deref().map(contains),
                filter.status.as_deref(),
                filter.vendor.as_deref(),
                filter.product_type.as_deref(),
                above,
                above_id.map(ProductId::number),
                below,
                below_id.map(ProductId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        } else {
            sqlx::query_file_as!(
                ProductRow,
                "src/db/products/sql/by_net_sales_asc.sql",
                tenant,
                filter.search.as_deref().map(contains),
                filter.status.as_deref(),
                filter.vendor.as_deref(),
                filter.product_type.as_deref(),
                above,
                above_id.map(ProductId::number),
                below,
                below_id.map(ProductId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// A page of products by units sold.
    pub async fn products_by_units(
        &mut self,
        filter: &ProductFilter,
        keys: &Keyset<(i64, ProductId)>,
    ) -> Result<Vec<ProductRow>> {
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = if keys.descending {
            sqlx::query_file_as!(
                ProductRow,
                "src/db/products/sql/by_units_sold_desc.sql",
                tenant,
                filter.search.as_deref().map(contains),
                filter.status.as_deref(),
                filter.vendor.as_deref(),
                filter.product_type.as_deref(),
                above,
                above_id.map(ProductId::number),
                below,
                below_id.map(ProductId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        } else {
            sqlx::query_file_as!(
                ProductRow,
                "src/db/products/sql/by_units_sold_asc.sql",
                tenant,
                filter.search.as_deref().map(contains),
                filter.status.as_deref(),
                filter.vendor.as_deref(),
                filter.product_type.as_deref(),
                above,
                above_id.map(ProductId::number),
                below,
                below_id.map(ProductId::number),
                keys.limit,
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// The number of products that match the filter.
    pub async fn count_products(&mut self, filter: &ProductFilter) -> Result<i64> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_file_scalar!(
            "src/db/products/sql/count.sql",
            tenant,
            filter.search.as_deref().map(contains),
            filter.status.as_deref(),
            filter.vendor.as_deref(),
            filter.product_type.as_deref(),
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Products by id, including deleted products. Unknown ids are skipped.
    pub async fn products_by_id(&mut self, ids: &[ProductId]) -> Result<Vec<ProductRow>> {
        let tenant = self.tenant();
        let ids: Vec<_> = ids.iter().map(|id| id.number()).collect();
        Ok(sqlx::query_as!(
            ProductRow,
            "select p.id as \"id: ProductId\", p.title, p.status, p.vendor, p.product_type, \
                    coalesce(t.units_sold, 0) as \"units_sold!\", coalesce(t.net_sales, 0) as \"net_sales!\" \
             from products p left join sales_totals t on t.tenant_id = p.tenant_id and t.dimension = 'PRODUCT' and t.value_id = p.id \
             where p.tenant_id = $1 and p.id = any($2)",
            tenant.uuid(),
            &ids
        )
        .fetch_all(self.connection())
        .await?)
    }
}

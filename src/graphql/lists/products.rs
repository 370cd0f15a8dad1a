//! Lists of products.

use rust_decimal::Decimal;

use crate::db::keyset::Keyset;
use crate::db::products::{ProductFilter, ProductRow};
use crate::db::{Result, TenantTx};
use crate::domain::ids::ProductId;
use crate::graphql::pagination::Listing;

/// Products by name.
pub(in crate::graphql) struct ProductsByTitle {
    pub(in crate::graphql) filter: ProductFilter,
}

impl Listing for ProductsByTitle {
    type Key = (String, ProductId);
    type Row = ProductRow;

    fn name(&self) -> String {
        "products/TITLE_ASC".to_owned()
    }

    fn descending(&self) -> bool {
        false
    }

    fn key(row: &ProductRow) -> Self::Key {
        (row.title.clone(), row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<ProductRow>> {
        transaction.products_by_title(&self.filter, keys).await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_products(&self.filter).await
    }
}

/// Products by net sales, highest first.
pub(in crate::graphql) struct ProductsByNetSales {
    pub(in crate::graphql) filter: ProductFilter,
}

impl Listing for ProductsByNetSales {
    type Key = (Decimal, ProductId);
    type Row = ProductRow;

    fn name(&self) -> String {
        "products/NET_SALES_DESC".to_owned()
    }

    fn key(row: &ProductRow) -> Self::Key {
        (row.net_sales, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<ProductRow>> {
        transaction.products_by_net_sales(&self.filter, keys).await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_products(&self.filter).await
    }
}

/// Products by units sold, highest first.
pub(in crate::graphql) struct ProductsByUnits {
    pub(in crate::graphql) filter: ProductFilter,
}

impl Listing for ProductsByUnits {
    type Key = (i64, ProductId);
    type Row = ProductRow;

    fn name(&self) -> String {
        "products/UNITS_DESC".to_owned()
    }

    fn key(row: &ProductRow) -> Self::Key {
        (row.units_sold, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<ProductRow>> {
        transaction.products_by_units(&self.filter, keys).await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_products(&self.filter).await
    }
}

//! Products as they are read, each with the totals kept of it. Deleted ones are in no list, but are found by
//! id: the lines of old orders still name them.

use rust_decimal::Decimal;

use super::keyset::{Count, Keyset, contains, end};
use super::{Result, TenantTx};
use crate::domain::ids::ProductId;

/// A product with its totals of all time.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductRow {
    /// Shopify's number.
    pub id: ProductId,
    /// Its name.
    pub title: String,
    /// `ACTIVE`, `ARCHIVED`, `DRAFT`, …
    pub status: String,
    /// Who makes it; may be empty.
    pub vendor: String,
    /// What the merchant files it under; may be empty.
    pub product_type: String,
    /// Units sold, in the shop's currency.
    pub units_sold: i64,
    /// What they came to, less what came back, in the shop's currency.
    pub net_sales: Decimal,
}

/// Which products are meant; what is `None` narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// With this text in the name.
    pub search: Option<String>,
    /// In this state.
    pub status: Option<String>,
    /// Made by this vendor.
    pub vendor: Option<String>,
    /// Filed under this.
    pub product_type: Option<String>,
}

macro_rules! filtered_products {
    ($output:ident, $select:tt, $rest:tt, $tenant:expr, $filter:expr $(, $more:expr)*) => {
        sqlx::query_as!(
            $output,
            "select " + $select + " from products p \
             join sales_totals t on t.tenant_id = p.tenant_id and t.dimension = 'PRODUCT' and t.value_id = p.id \
             where p.tenant_id = $1 and t.tenant_id = $1 and p.deleted_at is null \
             and ($2::text is null or p.title ilike $2) \
             and ($3::text is null or p.status = $3) \
             and ($4::text is null or p.vendor = $4) \
             and ($5::text is null or p.product_type = $5) "
            + $rest,
            $tenant.uuid(),
            $filter.search.as_deref().map(contains),
            $filter.status.as_deref(),
            $filter.vendor.as_deref(),
            $filter.product_type.as_deref()
            $(, $more)*
        )
    };
}

macro_rules! products_page {
    ($rest:tt, $tenant:expr, $filter:expr, $keys:expr) => {{
        let (above, above_id) = end($keys.above.as_ref());
        let (below, below_id) = end($keys.below.as_ref());
        filtered_products!(
            ProductRow,
            "p.id as \"id: ProductId\", p.title, p.status, p.vendor, p.product_type, t.units_sold, t.net_sales",
            $rest,
            $tenant,
            $filter,
            above,
            above_id.map(ProductId::number),
            below,
            below_id.map(ProductId::number),
            $keys.limit
        )
    }};
}

impl TenantTx {
    /// Products by name. No text is the greatest, so that end is left open when it is not given.
    pub async fn products_by_title(
        &mut self,
        filter: &ProductFilter,
        keys: &Keyset<(String, ProductId)>,
    ) -> Result<Vec<ProductRow>> {
        let tenant = self.tenant();
        let rows = if keys.descending {
            products_page!(
                "and (p.title, p.id) > (coalesce($6, ''), coalesce($7::bigint, -1)) \
                 and ($8::text is null or (p.title, p.id) < ($8, $9::bigint)) \
                 order by p.title desc, p.id desc limit $10",
                tenant,
                filter,
                keys
            )
            .fetch_all(self.connection())
            .await?
        } else {
            products_page!(
                "and (p.title, p.id) > (coalesce($6, ''), coalesce($7::bigint, -1)) \
                 and ($8::text is null or (p.title, p.id) < ($8, $9::bigint)) \
                 order by p.title, p.id limit $10",
                tenant,
                filter,
                keys
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// Products by what they brought in.
    pub async fn products_by_net_sales(
        &mut self,
        filter: &ProductFilter,
        keys: &Keyset<(Decimal, ProductId)>,
    ) -> Result<Vec<ProductRow>> {
        let tenant = self.tenant();
        let rows = if keys.descending {
            products_page!(
                "and (t.net_sales, t.value_id) > (coalesce($6, '-infinity'::numeric), coalesce($7::bigint, -1)) \
                 and (t.net_sales, t.value_id) < (coalesce($8, 'infinity'::numeric), coalesce($9::bigint, -1)) \
                 order by t.net_sales desc, t.value_id desc limit $10",
                tenant, filter, keys
            )
            .fetch_all(self.connection())
            .await?
        } else {
            products_page!(
                "and (t.net_sales, t.value_id) > (coalesce($6, '-infinity'::numeric), coalesce($7::bigint, -1)) \
                 and (t.net_sales, t.value_id) < (coalesce($8, 'infinity'::numeric), coalesce($9::bigint, -1)) \
                 order by t.net_sales, t.value_id limit $10",
                tenant, filter, keys
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// Products by units sold.
    pub async fn products_by_units(
        &mut self,
        filter: &ProductFilter,
        keys: &Keyset<(i64, ProductId)>,
    ) -> Result<Vec<ProductRow>> {
        let tenant = self.tenant();
        let rows = if keys.descending {
            products_page!(
                "and (t.units_sold, t.value_id) > (coalesce($6::bigint, -9223372036854775808), coalesce($7::bigint, -1)) \
                 and (t.units_sold, t.value_id) < (coalesce($8::bigint, 9223372036854775807), coalesce($9::bigint, -1)) \
                 order by t.units_sold desc, t.value_id desc limit $10",
                tenant, filter, keys
            )
            .fetch_all(self.connection())
            .await?
        } else {
            products_page!(
                "and (t.units_sold, t.value_id) > (coalesce($6::bigint, -9223372036854775808), coalesce($7::bigint, -1)) \
                 and (t.units_sold, t.value_id) < (coalesce($8::bigint, 9223372036854775807), coalesce($9::bigint, -1)) \
                 order by t.units_sold, t.value_id limit $10",
                tenant, filter, keys
            )
            .fetch_all(self.connection())
            .await?
        };
        Ok(rows)
    }

    /// How many products pass the filter.
    pub async fn count_products(&mut self, filter: &ProductFilter) -> Result<i64> {
        let tenant = self.tenant();
        let count = filtered_products!(Count, "count(*) as \"count!\"", "", tenant, filter)
            .fetch_one(self.connection())
            .await?;
        Ok(count.count)
    }

    /// Products by id, deleted ones included; those that never were are left out.
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

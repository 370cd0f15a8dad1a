//! Products with their variants. The variants of a changed product are replaced together.

use chrono::{DateTime, Utc};

use super::Outcome;
use crate::db::staging::encoding::content_hash;
use crate::db::staging::rows::RowArray;
use crate::db::{Result, TenantTx};
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// Writes the products with these ids that are new or different. What comes before names the rows.
macro_rules! write_products {
    ($with:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_scalar!(
            $with + "variants as ( \
                select product_id, bit_xor(hash) as hash \
                from (select distinct on (product_id, id) product_id, hash from staged_variants \
                      where product_id = any($2) order by product_id, id) v \
                group by product_id) \
             insert into products (tenant_id, id, title, status, vendor, product_type, created_at, updated_at, content_hash, synced_at) \
             select distinct on (s.id) $1::uuid, s.id, s.title, s.status, s.vendor, s.product_type, s.created_at, s.updated_at, \
                    s.hash # coalesce(v.hash, 0), $3::timestamptz \
             from staged_products s left join variants v on v.product_id = s.id \
             where s.id = any($2) order by s.id, s.updated_at desc \
             on conflict (tenant_id, id) do update set \
                title = excluded.title, status = excluded.status, vendor = excluded.vendor, product_type = excluded.product_type, \
                created_at = excluded.created_at, updated_at = excluded.updated_at, \
                content_hash = excluded.content_hash, synced_at = excluded.synced_at, deleted_at = null \
             where (products.content_hash <> excluded.content_hash or products.deleted_at is not null) \
               and (products.deleted_at is null or products.deleted_at < excluded.synced_at) \
               and (products.updated_at, products.synced_at) <= (excluded.updated_at, excluded.synced_at) \
             returning id",
            $($argument),+
        )
    };
}

/// Writes the variants of these products. What comes before names the rows.
macro_rules! write_variants {
    ($rows:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query!(
            $rows + "insert into product_variants (tenant_id, product_id, id, title, sku, price, position) \
             select distinct on (s.product_id, s.id) $1::uuid, s.product_id, s.id, s.title, s.sku, s.price, s.position \
             from staged_variants s where s.product_id = any($2) order by s.product_id, s.id",
            $($argument),+
        )
    };
}

impl TenantTx {
    /// Upserts products, each with its variants.
    pub(super) async fn upsert_products(
        &mut self,
        records: &[Record],
        asked_at: DateTime<Utc>,
    ) -> Result<Outcome> {
        let tenant = self.tenant().uuid();
        let mut ids = Vec::new();
        let mut products = RowArray::new();
        let mut variants = RowArray::new();
        for record in records {
            match record {
                Record::Product(product) => {
                    ids.push(product.id.number());
                    products.add_record(record, content_hash(record)?);
                }
                Record::Variant(_) => variants.add_record(record, content_hash(record)?),
                _ => {}
            }
        }
        let variants = variants.finish();
        let ids = self
            .without_buried(ObjectKind::Products, &ids, asked_at)
            .await?;
        let changed = write_products!(
            "with staged_products as (select * from unnest($4::text::staged_products[])), \
                staged_variants as (select * from unnest($5::text::staged_variants[])), ",
            tenant,
            &ids,
            asked_at,
            products.finish(),
            variants
        )
        .fetch_all(self.connection())
        .await?;
        if !changed.is_empty() {
            self.remove_variants(&changed).await?;
            write_variants!(
                "with staged_variants as (select * from unnest($3::text::staged_variants[])) ",
                tenant,
                &changed,
                variants
            )
            .execute(self.connection())
            .await?;
            self.add_product_totals(&changed).await?;
        }
        Ok(Outcome::of(&ids, changed))
    }

    async fn remove_variants(&mut self, products: &[i64]) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "delete from product_variants where tenant_id = $1 and product_id = any($2)",
            tenant,
            products
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Every product has totals, if only zeros, so that lists ordered by them hold all.
    async fn add_product_totals(&mut self, products: &[i64]) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into product_totals (tenant_id, product_id, units_sold, net_sales) \
             select $1::uuid, p.id, 0, 0 from unnest($2::bigint[]) p(id) order by p.id \
             on conflict (tenant_id, product_id) do nothing",
            tenant,
            products
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub(super) async fn delete_products(
        &mut self,
        ids: &[i64],
        asked_at: DateTime<Utc>,
    ) -> Result<usize> {
        let tenant = self.tenant().uuid();
        let deleted = sqlx::query_scalar!(
            "update products set deleted_at = $3 \
             where tenant_id = $1 and id = any($2) and deleted_at is null and synced_at <= $3 returning id",
            tenant,
            ids,
            asked_at
        )
        .fetch_all(self.connection())
        .await?;
        Ok(deleted.len())
    }
}

//! Upserts products with their variants. The variants of a changed product are replaced together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::rows::{ProductRow, VariantRow, json};
use super::{LockedShop, Upserted};
use crate::db::staging::encoding::content_hash;
use crate::db::{Result, TenantTx};
use crate::domain::dimension::Dimension;
use crate::domain::ids::{ProductId, VariantId};
use crate::domain::record::{ProductRecord, Record, VariantRecord};

impl TenantTx {
    /// Upserts products, each with its variants; of two records of a product the newer counts.
    pub(super) async fn upsert_products(
        &mut self,
        shop: &LockedShop,
        records: &[Record],
        fetched_at: DateTime<Utc>,
    ) -> Result<Upserted> {
        let mut products: BTreeMap<ProductId, &ProductRecord> = BTreeMap::new();
        let mut variants: BTreeMap<(ProductId, VariantId), &VariantRecord> = BTreeMap::new();
        for record in records {
            match record {
                Record::Product(product) => {
                    let newest = products.entry(product.id).or_insert(product);
                    if newest.updated_at < product.updated_at {
                        *newest = product;
                    }
                }
                Record::Variant(variant) => {
                    variants
                        .entry((variant.product, variant.id))
                        .or_insert(variant);
                }
                _ => {}
            }
        }
        let mut hashes: BTreeMap<ProductId, i64> = BTreeMap::new();
        for (id, product) in &products {
            hashes.insert(*id, content_hash(product)?);
        }
        for ((product, _), variant) in &variants {
            if let Some(hash) = hashes.get_mut(product) {
                *hash ^= content_hash(variant)?;
            }
        }
        let rows: Vec<_> = products
            .values()
            .zip(hashes.values())
            .map(|(product, hash)| ProductRow::new(product, *hash))
            .collect();
        if rows.is_empty() {
            return Ok(Upserted::default());
        }
        let tenant = self.tenant().uuid();
        let written = sqlx::query_file_scalar!(
            "src/db/upsert/sql/upsert_products.sql",
            tenant,
            json(&rows)?,
            fetched_at
        )
        .fetch_all(self.connection())
        .await?;
        let variants: Vec<_> = variants
            .values()
            .filter(|variant| written.contains(&variant.product.number()))
            .map(|variant| VariantRow::from(*variant))
            .collect();
        self.replace_variants(&written, &variants).await?;
        self.add_totals(shop, Dimension::Product, &written).await?;
        Ok(Upserted {
            seen: products.len(),
            changed: written.len(),
        })
    }

    async fn replace_variants(
        &mut self,
        products: &[i64],
        variants: &[VariantRow<'_>],
    ) -> Result<()> {
        if products.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "delete from product_variants where tenant_id = $1 and product_id = any($2)",
            tenant,
            products
        )
        .execute(self.connection())
        .await?;
        sqlx::query_file!(
            "src/db/upsert/sql/insert_variants.sql",
            tenant,
            json(variants)?
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Deletes products. Their sales stay in every figure.
    pub(super) async fn delete_products(
        &mut self,
        ids: &[i64],
        fetched_at: DateTime<Utc>,
    ) -> Result<usize> {
        let tenant = self.tenant().uuid();
        let deleted = sqlx::query_scalar!(
            "update products set deleted_at = $3 \
             where tenant_id = $1 and id = any($2) and deleted_at is null and synced_at <= $3 returning id",
            tenant,
            ids,
            fetched_at
        )
        .fetch_all(self.connection())
        .await?;
        Ok(deleted.len())
    }
}

//! Products with their variants. The variants of a changed product are replaced together.

use chrono::{DateTime, Utc};

use super::Merged;
use crate::db::{Result, TenantTx};

impl TenantTx {
    pub(super) async fn merge_products(
        &mut self,
        after: i64,
        limit: i64,
        asked_at: DateTime<Utc>,
    ) -> Result<Merged> {
        let tenant = self.tenant().uuid();
        let ids = sqlx::query_scalar!(
            "select distinct id from staged_products s where id > $1 and not exists ( \
                select from tombstones t where t.tenant_id = $3 and t.kind = 'PRODUCTS' and t.id = s.id and t.deleted_at >= $4) \
             order by id limit $2",
            after,
            limit,
            tenant,
            asked_at
        )
        .fetch_all(self.connection())
        .await?;
        let changed = sqlx::query_scalar!(
            "with variants as ( \
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
            tenant,
            &ids,
            asked_at
        )
        .fetch_all(self.connection())
        .await?;
        self.replace_variants(&changed).await?;
        Ok(Merged {
            seen: ids.len(),
            changed: changed.len(),
            last: ids.last().copied(),
        })
    }

    async fn replace_variants(&mut self, products: &[i64]) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "delete from product_variants where tenant_id = $1 and product_id = any($2)",
            tenant,
            products
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into product_variants (tenant_id, product_id, id, title, sku, price, position) \
             select distinct on (s.product_id, s.id) $1::uuid, s.product_id, s.id, s.title, s.sku, s.price, s.position \
             from staged_variants s where s.product_id = any($2) order by s.product_id, s.id",
            tenant,
            products
        )
        .execute(self.connection())
        .await?;
        // Every product has totals, if only zeros, so that lists ordered by them hold all.
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

//! Orders with their lines, refunds and ledger. The rows of a changed order are replaced together, and the
//! rollups move by the difference between its new figures and its old ones.

use chrono::{DateTime, Utc};

use super::rollups::FiguresBefore;
use super::{Merged, Store};
use crate::db::{Result, TenantTx};

/// The staged orders of a chunk: those with ids above one number and up to another.
#[derive(Clone, Copy)]
struct Chunk {
    after: i64,
    last: i64,
}

/// The orders of a chunk that are new or different, with the hash of their content and whether they hold a
/// product.
struct Changed {
    ids: Vec<i64>,
    hashes: Vec<i64>,
    with_product: Vec<bool>,
    /// Those of them that are stored already.
    known: Vec<i64>,
}

/// Writes the changed orders of a chunk. What follows is what happens to those that are there already.
macro_rules! write_orders {
    ($conflict:literal, $tenant:expr, $store:expr, $chunk:expr, $changed:expr, $asked_at:expr) => {
        sqlx::query!(
            "insert into orders (tenant_id, id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, day, \
                test, currency, financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, \
                net_payment, has_product, content_hash, synced_at) \
             select distinct on (s.id) $1::uuid, s.id, s.name, s.customer_id, s.created_at, s.processed_at, s.updated_at, \
                s.cancelled_at, (s.processed_at at time zone $8::text)::date, s.test, s.currency, s.financial_status, \
                s.fulfillment_status, s.source_name, s.discount_codes, \
                case when s.id in (select unnest(p.order_ids) from privacy_requests p \
                                   where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                       or s.customer_id in (select p.customer_id from privacy_requests p \
                                            where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                     then '{}' else s.tags end, s.total_price, s.net_payment, \
                c.has_product, c.hash, $7::timestamptz \
             from staged_orders s join unnest($4::bigint[], $5::bigint[], $6::bool[]) c(id, hash, has_product) on c.id = s.id \
             where s.id > $2 and s.id <= $3 order by s.id, s.updated_at desc "
             + $conflict,
            $tenant,
            $chunk.after,
            $chunk.last,
            &$changed.ids,
            &$changed.hashes,
            &$changed.with_product,
            $asked_at,
            $store.time_zone
        )
    };
}

impl TenantTx {
    pub(super) async fn merge_orders(
        &mut self,
        store: &Store,
        after: i64,
        limit: i64,
        asked_at: DateTime<Utc>,
    ) -> Result<Merged> {
        let tenant = self.tenant().uuid();
        let found = sqlx::query!(
            "select count(*) as \"seen!\", max(id) as last from ( \
                select distinct id from staged_orders s where id > $1 and not exists ( \
                   select from tombstones t where t.tenant_id = $3 and t.kind = 'ORDERS' and t.id = s.id and t.deleted_at >= $4) \
                order by id limit $2) ids",
            after,
            limit,
            tenant,
            asked_at
        )
        .fetch_one(self.connection())
        .await?;
        let Some(last) = found.last else {
            return Ok(Merged::default());
        };
        let chunk = Chunk { after, last };
        let seen = usize::try_from(found.seen).unwrap_or_default();
        let changed = self.changed_orders(chunk, asked_at).await?;
        if !changed.ids.is_empty() {
            self.replace_orders(store, chunk, &changed, asked_at)
                .await?;
        }
        Ok(Merged {
            seen,
            changed: changed.ids.len(),
            last: Some(last),
        })
    }

    async fn replace_orders(
        &mut self,
        store: &Store,
        chunk: Chunk,
        changed: &Changed,
        asked_at: DateTime<Utc>,
    ) -> Result<()> {
        let before = if changed.known.is_empty() || store.figures_pending {
            FiguresBefore::none()
        } else {
            self.figures_of(&changed.known).await?
        };
        if !changed.known.is_empty() {
            self.remove_order_parts(&changed.known).await?;
        }
        self.write_orders(store, chunk, changed, asked_at).await?;
        self.write_order_lines(chunk, changed).await?;
        self.write_sales(store, chunk, changed).await?;
        let named = self.customers_of_orders(chunk, changed).await?;
        self.add_unknown_customers(store, &named, asked_at).await?;
        if store.figures_pending {
            return Ok(());
        }
        self.move_rollups(store, &changed.ids, &before).await
    }

    /// An order is different when its own row, a line, an agreement or a sale is: the hashes of all of them
    /// together are compared. Rows that came twice count once.
    async fn changed_orders(&mut self, chunk: Chunk, asked_at: DateTime<Utc>) -> Result<Changed> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "with headers as ( \
                select distinct on (id) id, updated_at, hash from staged_orders s \
                where id > $2 and id <= $3 and not exists ( \
                   select from tombstones t where t.tenant_id = $1 and t.kind = 'ORDERS' and t.id = s.id and t.deleted_at >= $4) \
                order by id, updated_at desc \
             ), lines as ( \
                select order_id, bit_xor(hash) as hash \
                from (select distinct on (order_id, id) order_id, hash from staged_line_items \
                      where order_id > $2 and order_id <= $3 order by order_id, id) l group by order_id \
             ), agreements as ( \
                select order_id, bit_xor(hash) as hash \
                from (select distinct on (order_id, key) order_id, hash from staged_agreements \
                      where order_id > $2 and order_id <= $3 order by order_id, key) a group by order_id \
             ), sales as ( \
                select order_id, bit_xor(hash) as hash, bool_or(line_type = 'PRODUCT') as has_product \
                from (select distinct on (order_id, agreement, key) order_id, hash, line_type from staged_sales \
                      where order_id > $2 and order_id <= $3 order by order_id, agreement, key) s group by order_id \
             ), content as ( \
                select h.id, h.updated_at, coalesce(s.has_product, false) as has_product, \
                       h.hash # coalesce(l.hash, 0) # coalesce(a.hash, 0) # coalesce(s.hash, 0) as hash \
                from headers h left join lines l on l.order_id = h.id \
                left join agreements a on a.order_id = h.id left join sales s on s.order_id = h.id \
             ) \
             select c.id as \"id!\", c.hash as \"hash!\", c.has_product as \"has_product!\", o.id is not null as \"known!\" \
             from content c left join orders o on o.tenant_id = $1 and o.id = c.id and o.id > $2 and o.id <= $3 \
             where o.id is null \
                or ((o.content_hash <> c.hash or o.deleted_at is not null) \
                    and (o.deleted_at is null or o.deleted_at < $4) \
                    and (o.updated_at, o.synced_at) <= (c.updated_at, $4)) \
             order by c.id",
            tenant,
            chunk.after,
            chunk.last,
            asked_at
        )
        .fetch_all(self.connection())
        .await?;
        let known = rows.iter().filter(|row| row.known).map(|row| row.id);
        Ok(Changed {
            known: known.collect(),
            ids: rows.iter().map(|row| row.id).collect(),
            hashes: rows.iter().map(|row| row.hash).collect(),
            with_product: rows.iter().map(|row| row.has_product).collect(),
        })
    }

    async fn remove_order_parts(&mut self, ids: &[i64]) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "delete from sales where tenant_id = $1 and order_id = any($2)",
            tenant,
            ids
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from line_items where tenant_id = $1 and order_id = any($2)",
            tenant,
            ids
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from refunds where tenant_id = $1 and order_id = any($2)",
            tenant,
            ids
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn write_orders(
        &mut self,
        store: &Store,
        chunk: Chunk,
        changed: &Changed,
        asked_at: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        if changed.known.is_empty() {
            write_orders!("", tenant, store, chunk, changed, asked_at)
                .execute(self.connection())
                .await?;
        } else {
            write_orders!(
                "on conflict (tenant_id, id) do update set \
                    name = excluded.name, customer_id = excluded.customer_id, created_at = excluded.created_at, \
                    processed_at = excluded.processed_at, updated_at = excluded.updated_at, cancelled_at = excluded.cancelled_at, \
                    day = excluded.day, test = excluded.test, currency = excluded.currency, \
                    financial_status = excluded.financial_status, fulfillment_status = excluded.fulfillment_status, \
                    source_name = excluded.source_name, discount_codes = excluded.discount_codes, tags = excluded.tags, \
                    total_price = excluded.total_price, net_payment = excluded.net_payment, has_product = excluded.has_product, \
                    content_hash = excluded.content_hash, synced_at = excluded.synced_at, deleted_at = null",
                tenant, store, chunk, changed, asked_at
            )
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    async fn write_order_lines(&mut self, chunk: Chunk, changed: &Changed) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into line_items (tenant_id, order_id, id, title, variant_title, sku, quantity, current_quantity, \
                original_total, discounted_total, product_id, variant_id) \
             select distinct on (order_id, id) $1::uuid, order_id, id, title, variant_title, sku, quantity, \
                current_quantity, original_total, discounted_total, product_id, variant_id \
             from staged_line_items where order_id > $2 and order_id <= $3 and order_id = any($4) \
             order by order_id, id",
            tenant,
            chunk.after,
            chunk.last,
            &changed.ids
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into refunds (tenant_id, order_id, id, processed_at, total_refunded) \
             select distinct on (s.id, r.id) $1::uuid, s.id, r.id, r.processed_at, r.total_refunded \
             from staged_orders s, \
                jsonb_to_recordset(s.refunds) r(id bigint, processed_at timestamptz, total_refunded numeric) \
             where s.id > $2 and s.id <= $3 and s.id = any($4) and s.refunds <> '[]' \
             order by s.id, r.id, s.updated_at desc",
            tenant,
            chunk.after,
            chunk.last,
            &changed.ids
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The ledger. What the order was placed with happens when it was placed, everything else when its
    /// agreement came about; the day is the shop's. A sale that came twice counts once.
    async fn write_sales(&mut self, store: &Store, chunk: Chunk, changed: &Changed) -> Result<()> {
        let tenant = self.tenant().uuid();
        // Each side is the chunk's, by an index. Being cut twice, by its ends and by what changed, it passes for a
        // few rows, and looking through all of the other side for each of them takes the square of the chunk.
        sqlx::raw_sql("set local enable_nestloop = off")
            .execute(self.connection())
            .await?;
        sqlx::query!(
            "insert into sales (tenant_id, order_id, position, agreement, happened_at, day, reason, action_type, line_type, \
                quantity, currency, total, tax, discount, line_item_id, product_id, variant_id) \
             select $1::uuid, l.order_id, l.position::int, replace(l.gid, 'gid://shopify/', ''), l.happened_at, \
                (l.happened_at at time zone $4::text)::date, l.reason, l.action_type, l.line_type, l.quantity, l.currency, \
                l.total, l.tax, l.discount, l.line_item_id, l.product_id, l.variant_id \
             from ( \
                select s.*, a.gid, a.reason, a.happened_at, i.product_id, i.variant_id, \
                   row_number() over (partition by s.order_id order by a.happened_at, s.agreement, s.key) as position \
                from ( \
                   select distinct on (order_id, agreement, key) * from staged_sales \
                   where order_id > $2 and order_id <= $3 and order_id = any($5) order by order_id, agreement, key) s \
                join ( \
                   select distinct on (a.order_id, a.key) a.order_id, a.key, a.gid, a.reason, \
                      case when a.reason = 'ORDER' then o.processed_at else a.happened_at end as happened_at \
                   from staged_agreements a join orders o on o.tenant_id = $1 and o.id = a.order_id \
                   where a.order_id > $2 and a.order_id <= $3 and o.id > $2 and o.id <= $3 and a.order_id = any($5) \
                   order by a.order_id, a.key) a on a.order_id = s.order_id and a.key = s.agreement \
                left join (select distinct on (order_id, id) order_id, id, product_id, variant_id \
                   from staged_line_items where order_id > $2 and order_id <= $3 and order_id = any($5) \
                   order by order_id, id) i on i.order_id = s.order_id and i.id = s.line_item_id \
             ) l",
            tenant,
            chunk.after,
            chunk.last,
            store.time_zone,
            &changed.ids
        )
        .execute(self.connection())
        .await?;
        sqlx::raw_sql("set local enable_nestloop = on")
            .execute(self.connection())
            .await?;
        Ok(())
    }

    async fn customers_of_orders(&mut self, chunk: Chunk, changed: &Changed) -> Result<Vec<i64>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select distinct customer_id as \"id!\" from orders \
             where tenant_id = $1 and id > $2 and id <= $3 and id = any($4) and customer_id is not null",
            tenant,
            chunk.after,
            chunk.last,
            &changed.ids
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// A deleted order leaves every figure; its row stays, so that an answer from before the deletion does
    /// not bring it back.
    pub(super) async fn delete_orders(
        &mut self,
        store: &Store,
        ids: &[i64],
        asked_at: DateTime<Utc>,
    ) -> Result<usize> {
        let tenant = self.tenant().uuid();
        let ids = sqlx::query_scalar!(
            "select id from orders where tenant_id = $1 and id = any($2) and deleted_at is null and synced_at <= $3",
            tenant,
            ids,
            asked_at
        )
        .fetch_all(self.connection())
        .await?;
        if ids.is_empty() {
            return Ok(0);
        }
        let before = if store.figures_pending {
            FiguresBefore::none()
        } else {
            self.figures_of(&ids).await?
        };
        self.remove_order_parts(&ids).await?;
        sqlx::query!(
            "update orders set deleted_at = $3 where tenant_id = $1 and id = any($2)",
            tenant,
            &ids,
            asked_at
        )
        .execute(self.connection())
        .await?;
        if !store.figures_pending {
            self.move_rollups(store, &ids, &before).await?;
        }
        Ok(ids.len())
    }
}

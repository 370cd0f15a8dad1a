//! Orders with their lines, refunds and ledger. The rows of a changed order are replaced together, and the
//! rollups move by the difference between its new figures and its old ones.

use chrono::{DateTime, Utc};

use super::rollups::FiguresBefore;
use super::{Merged, Store};
use crate::db::{Result, TenantTx};

/// The orders of a chunk that are new or different, with the hash of their content.
struct Changed {
    ids: Vec<i64>,
    hashes: Vec<i64>,
    /// Those of them that are stored already.
    known: Vec<i64>,
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
        let ids = sqlx::query_scalar!(
            "select distinct id from staged_orders s where id > $1 and not exists ( \
                select from tombstones t where t.tenant_id = $3 and t.kind = 'ORDERS' and t.id = s.id and t.deleted_at >= $4) \
             order by id limit $2",
            after,
            limit,
            tenant,
            asked_at
        )
        .fetch_all(self.connection())
        .await?;
        let changed = self.changed_orders(&ids, asked_at).await?;
        let merged = Merged {
            seen: ids.len(),
            changed: changed.ids.len(),
            last: ids.last().copied(),
        };
        if changed.ids.is_empty() {
            return Ok(merged);
        }
        let before = if changed.known.is_empty() {
            FiguresBefore::none()
        } else {
            let before = self.figures_of(&changed.known).await?;
            self.remove_order_parts(&changed.known).await?;
            before
        };
        self.write_orders(store, &changed, asked_at).await?;
        self.write_order_lines(&changed.ids).await?;
        self.write_sales(store, &changed.ids).await?;
        let named = self.customers_of_orders(&changed.ids).await?;
        self.add_unknown_customers(store, &named, asked_at).await?;
        self.move_rollups(store, &changed.ids, &before).await?;
        Ok(merged)
    }

    /// An order is different when its own row, a line, an agreement or a sale is: the hashes of all of them
    /// together are compared. Rows that came twice count once.
    async fn changed_orders(&mut self, ids: &[i64], asked_at: DateTime<Utc>) -> Result<Changed> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "with headers as ( \
                select distinct on (id) id, updated_at, hash from staged_orders where id = any($2) order by id, updated_at desc \
             ), lines as ( \
                select order_id, bit_xor(hash) as hash \
                from (select distinct on (order_id, id) order_id, hash from staged_line_items \
                      where order_id = any($2) order by order_id, id) l group by order_id \
             ), agreements as ( \
                select distinct on (order_id, gid) order_id, gid, hash from staged_agreements \
                where order_id = any($2) order by order_id, gid \
             ), agreement_hashes as ( \
                select order_id, bit_xor(hash) as hash from agreements group by order_id \
             ), sales as ( \
                select order_id, bit_xor(hash) as hash \
                from (select distinct on (s.agreement_gid, s.gid) a.order_id, s.hash from staged_sales s \
                      join agreements a on a.gid = s.agreement_gid order by s.agreement_gid, s.gid) l group by order_id \
             ), content as ( \
                select h.id, h.updated_at, \
                       h.hash # coalesce(l.hash, 0) # coalesce(a.hash, 0) # coalesce(s.hash, 0) as hash \
                from headers h left join lines l on l.order_id = h.id \
                left join agreement_hashes a on a.order_id = h.id left join sales s on s.order_id = h.id \
             ) \
             select c.id as \"id!\", c.hash as \"hash!\", o.id is not null as \"known!\" \
             from content c left join orders o on o.tenant_id = $1 and o.id = c.id \
             where o.id is null \
                or ((o.content_hash <> c.hash or o.deleted_at is not null) \
                    and (o.deleted_at is null or o.deleted_at < $3) \
                    and (o.updated_at, o.synced_at) <= (c.updated_at, $3)) \
             order by c.id",
            tenant,
            ids,
            asked_at
        )
        .fetch_all(self.connection())
        .await?;
        let known = rows.iter().filter(|row| row.known).map(|row| row.id);
        Ok(Changed {
            known: known.collect(),
            ids: rows.iter().map(|row| row.id).collect(),
            hashes: rows.iter().map(|row| row.hash).collect(),
        })
    }

    async fn customers_of_orders(&mut self, ids: &[i64]) -> Result<Vec<i64>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select distinct customer_id as \"id!\" from orders \
             where tenant_id = $1 and id = any($2) and customer_id is not null",
            tenant,
            ids
        )
        .fetch_all(self.connection())
        .await?)
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
        changed: &Changed,
        asked_at: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into orders (tenant_id, id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, day, \
                test, currency, financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, \
                net_payment, has_product, content_hash, synced_at) \
             select distinct on (s.id) $1::uuid, s.id, s.name, s.customer_id, s.created_at, s.processed_at, s.updated_at, \
                s.cancelled_at, (s.processed_at at time zone $5::text)::date, s.test, s.currency, s.financial_status, \
                s.fulfillment_status, s.source_name, s.discount_codes, \
                case when s.id in (select unnest(p.order_ids) from privacy_requests p \
                                   where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                       or s.customer_id in (select p.customer_id from privacy_requests p \
                                            where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                     then '{}' else s.tags end, s.total_price, s.net_payment, \
                exists (select from staged_agreements a join staged_sales l on l.agreement_gid = a.gid \
                        where a.order_id = s.id and l.line_type = 'PRODUCT'), c.hash, $4::timestamptz \
             from staged_orders s join unnest($2::bigint[], $3::bigint[]) c(id, hash) on c.id = s.id \
             order by s.id, s.updated_at desc \
             on conflict (tenant_id, id) do update set \
                name = excluded.name, customer_id = excluded.customer_id, created_at = excluded.created_at, \
                processed_at = excluded.processed_at, updated_at = excluded.updated_at, cancelled_at = excluded.cancelled_at, \
                day = excluded.day, test = excluded.test, currency = excluded.currency, \
                financial_status = excluded.financial_status, fulfillment_status = excluded.fulfillment_status, \
                source_name = excluded.source_name, discount_codes = excluded.discount_codes, tags = excluded.tags, \
                total_price = excluded.total_price, net_payment = excluded.net_payment, has_product = excluded.has_product, \
                content_hash = excluded.content_hash, synced_at = excluded.synced_at, deleted_at = null",
            tenant,
            &changed.ids,
            &changed.hashes,
            asked_at,
            store.time_zone
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn write_order_lines(&mut self, ids: &[i64]) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into line_items (tenant_id, order_id, id, title, variant_title, sku, quantity, current_quantity, \
                original_total, discounted_total, product_id, variant_id) \
             select distinct on (order_id, id) $1::uuid, order_id, id, title, variant_title, sku, quantity, \
                current_quantity, original_total, discounted_total, product_id, variant_id \
             from staged_line_items where order_id = any($2) order by order_id, id",
            tenant,
            ids
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into refunds (tenant_id, order_id, id, processed_at, total_refunded) \
             select distinct on (s.id, r.id) $1::uuid, s.id, r.id, r.processed_at, r.total_refunded \
             from staged_orders s, \
                jsonb_to_recordset(s.refunds) r(id bigint, processed_at timestamptz, total_refunded numeric) \
             where s.id = any($2) order by s.id, r.id, s.updated_at desc",
            tenant,
            ids
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The ledger. What the order was placed with happens when it was placed, everything else when its
    /// agreement came about; the day is the shop's.
    async fn write_sales(&mut self, store: &Store, ids: &[i64]) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into sales (tenant_id, order_id, position, agreement, happened_at, day, reason, action_type, line_type, \
                quantity, currency, total, tax, discount, line_item_id, product_id, variant_id) \
             select $1::uuid, l.order_id, \
                (row_number() over (partition by l.order_id order by l.happened_at, l.agreement_gid, l.gid))::int, \
                replace(l.agreement_gid, 'gid://shopify/', ''), l.happened_at, (l.happened_at at time zone $3::text)::date, \
                l.reason, l.action_type, l.line_type, l.quantity, l.currency, l.total, l.tax, l.discount, l.line_item_id, \
                i.product_id, i.variant_id \
             from ( \
                select distinct on (s.agreement_gid, s.gid) s.*, a.order_id, a.reason, \
                    case when a.reason = 'ORDER' then o.processed_at else a.happened_at end as happened_at \
                from staged_agreements a \
                join staged_sales s on s.agreement_gid = a.gid \
                join orders o on o.tenant_id = $1 and o.id = a.order_id \
                where a.order_id = any($2) order by s.agreement_gid, s.gid \
             ) l \
             left join line_items i on i.tenant_id = $1 and i.order_id = l.order_id and i.id = l.line_item_id",
            tenant,
            ids,
            store.time_zone
        )
        .execute(self.connection())
        .await?;
        Ok(())
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
        let before = self.figures_of(&ids).await?;
        self.remove_order_parts(&ids).await?;
        sqlx::query!(
            "update orders set deleted_at = $3 where tenant_id = $1 and id = any($2)",
            tenant,
            &ids,
            asked_at
        )
        .execute(self.connection())
        .await?;
        self.move_rollups(store, &ids, &before).await?;
        Ok(ids.len())
    }
}

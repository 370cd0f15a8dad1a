//! Orders with their lines, refunds and ledger: which of those at hand are new or different, and how they are
//! written. The rows of a changed order are replaced together, and the rollups move by the difference between its
//! new figures and its old ones.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Store;
use super::assemble::AssembledOrder;
use super::replace::{Going, HeaderRows, Rows};
use super::rollups::FiguresBefore;
use crate::db::{Result, TenantTx};
use crate::domain::ids::{CustomerId, OrderId};

/// So many orders are written by one statement.
const AT_ONCE: usize = 100;
/// Stands for the customer of a guest's order in an array of numbers.
const NOBODY: i64 = 0;

/// An order that is new or different.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) id: i64,
    /// Whether it is stored already.
    pub(super) known: bool,
    /// Whether it is another customer's now, at another time, or counts otherwise than before: only then may
    /// customers come to be or cease to be present on a day.
    moved: bool,
    /// Whether its parts are as they are stored, so that nothing is to be written but its own row.
    parts_same: bool,
}

impl Changed {
    /// Whether nothing is different but its own row, and nothing of that which counts.
    pub(super) const fn is_row_alone(&self) -> bool {
        self.parts_same && !self.moved
    }

    /// What was fetched of it.
    pub(super) fn of<'a>(
        &self,
        orders: &'a BTreeMap<OrderId, AssembledOrder>,
    ) -> Option<&'a AssembledOrder> {
        orders.get(&OrderId::new(self.id))
    }
}

impl TenantTx {
    /// Writes the orders that changed.
    pub(super) async fn replace_changed(
        &mut self,
        store: &Store,
        orders: &BTreeMap<OrderId, AssembledOrder>,
        changed: &[Changed],
        asked_at: DateTime<Utc>,
    ) -> Result<()> {
        let (rows_alone, whole): (Vec<_>, Vec<_>) =
            changed.iter().partition(|order| order.is_row_alone());
        for changed in rows_alone.chunks(AT_ONCE) {
            let rows = HeaderRows::of(changed.iter().filter_map(|order| order.of(orders)));
            let days = self.replace_headers(&rows, asked_at).await?;
            self.note_changed_days(days);
        }
        let (known, new): (Vec<_>, Vec<_>) = whole.into_iter().partition(|order| order.known);
        for changed in known.chunks(AT_ONCE).chain(new.chunks(AT_ONCE)) {
            let moved = changed.iter().any(|order| order.moved);
            let going = if store.figures_pending || !moved {
                Going::Stay
            } else if changed.iter().any(|order| order.known) {
                Going::SomeMove
            } else {
                Going::AllCome
            };
            let changed = changed.iter().filter_map(|order| order.of(orders));
            self.replace_and_count(store, &Rows::of(changed), going, asked_at)
                .await?;
        }
        Ok(())
    }

    /// Writes orders, and what goes with them: customers whom nothing else names, first and last orders, and the counts of
    /// presence.
    async fn replace_and_count(
        &mut self,
        store: &Store,
        rows: &Rows,
        going: Going,
        asked_at: DateTime<Utc>,
    ) -> Result<()> {
        let written = self.replace_orders(store, rows, going, asked_at).await?;
        self.add_unknown_customers(store, &written.unknown, asked_at)
            .await?;
        self.refresh_first_and_last_orders(store, &written.left)
            .await?;
        self.move_presence(store, &written.flips).await?;
        self.note_changed_days(written.days);
        Ok(())
    }

    /// Each is looked up by its id (that is what the limit is for): a join of many would read the whole table.
    pub(super) async fn changed_among(
        &mut self,
        store: &Store,
        orders: &BTreeMap<OrderId, AssembledOrder>,
        asked_at: DateTime<Utc>,
    ) -> Result<Vec<Changed>> {
        let tenant = self.tenant().uuid();
        let ids: Vec<i64> = orders.keys().map(|id| id.number()).collect();
        let hashes: Vec<i64> = orders.values().map(AssembledOrder::hash).collect();
        let headers = || orders.values().map(|order| &order.order);
        let updated_at: Vec<_> = headers().map(|order| order.updated_at).collect();
        let processed_at: Vec<_> = headers().map(|order| order.processed_at).collect();
        let customers: Vec<_> = headers()
            .map(|order| order.customer.map_or(NOBODY, CustomerId::number))
            .collect();
        let currencies: Vec<_> = headers()
            .map(|order| order.currency.code().to_owned())
            .collect();
        let counted: Vec<_> = orders.values().map(AssembledOrder::counts).collect();
        let parts: Vec<_> = orders.values().map(|order| order.children_hash).collect();
        Ok(sqlx::query_as!(
            Changed,
            "select c.id as \"id!\", o.id is not null as \"known!\", \
                (o.customer_id, o.processed_at, o.day, o.currency, o.counted) is distinct from \
                (nullif(c.customer_id, 0), c.processed_at, (c.processed_at at time zone $3::text)::date, c.currency, c.counted) \
                   as \"moved!\", \
                coalesce(o.content_hash # o.header_hash = c.parts_hash and o.deleted_at is null, false) as \"parts_same!\" \
             from unnest($4::bigint[], $5::bigint[], $6::timestamptz[], $7::bigint[], $8::timestamptz[], $9::text[], $10::bool[], \
                $11::bigint[]) c(id, hash, updated_at, customer_id, processed_at, currency, counted, parts_hash) \
             left join lateral (select * from orders o where o.tenant_id = $1 and o.id = c.id limit 1) o on true \
             where not exists ( \
                   select from tombstones t where t.tenant_id = $1 and t.kind = 'ORDERS' and t.id = c.id and t.deleted_at >= $2) \
               and (o.id is null \
                or ((o.content_hash <> c.hash or o.deleted_at is not null) \
                    and (o.deleted_at is null or o.deleted_at < $2) \
                    and (o.updated_at, o.synced_at) <= (c.updated_at, $2)))",
            tenant,
            asked_at,
            store.time_zone,
            &ids,
            &hashes,
            &updated_at,
            &customers,
            &processed_at,
            &currencies,
            &counted,
            &parts
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

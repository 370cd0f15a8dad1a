//! Merging staged records into the store's tables. Everything that a change means (the objects, the ledger,
//! the rollups, the totals) is written in the transaction of the change; an object whose content is the same
//! costs no write. What reads staged rows expects a transaction of [`Loader::transaction`](super::staging::Loader::transaction).

mod customers;
mod figures;
mod load;
mod orders;
mod presence;
mod products;
mod rebuild;
mod replace;
mod rollups;
mod sums;
mod whole;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use self::orders::Changed;
use self::whole::{Whole, whole_orders};
use super::staging::rows::content_hash;
use super::{DbError, Result, TenantTx};
use crate::domain::ids::OrderId;
use crate::domain::money::Currency;
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// What a merge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// How many objects were looked at.
    pub seen: usize,
    /// How many of them were new or different.
    pub changed: usize,
    /// The last id of the chunk; the next one begins behind it.
    pub last: Option<i64>,
}

/// The same, with the ids of those that were new or different.
#[derive(Debug)]
struct Outcome {
    seen: usize,
    last: Option<i64>,
    changed: Vec<i64>,
}

impl Outcome {
    fn of(seen: &[i64], changed: Vec<i64>) -> Self {
        Self {
            seen: seen.len(),
            last: seen.last().copied(),
            changed,
        }
    }

    fn of_orders(orders: &BTreeMap<OrderId, Whole<'_>>, changed: &[Changed]) -> Self {
        Self {
            seen: orders.len(),
            last: orders.keys().next_back().map(|id| id.number()),
            changed: changed.iter().map(|order| order.id).collect(),
        }
    }

    const fn merged(&self) -> Merged {
        Merged {
            seen: self.seen,
            changed: self.changed.len(),
            last: self.last,
        }
    }
}

/// What the merge needs to know of the store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) currency: Currency,
    time_zone: String,
    /// The data version that this transaction makes: what it writes is marked with it.
    pub(super) version: i64,
    /// Whether the rollups are not built yet, so that there is nothing to move.
    figures_pending: bool,
}

impl TenantTx {
    /// Merges the staged customers with ids above `after`, at most `limit` of them.
    pub(super) async fn merge_staged_customers(
        &mut self,
        after: i64,
        limit: i64,
        asked_at: DateTime<Utc>,
    ) -> Result<Merged> {
        let store = self.lock_store().await?;
        let ids = self.staged_customers(after, limit, asked_at).await?;
        let outcome = self.merge_customers(&store, ids, asked_at).await?;
        self.end_merge(&store, outcome).await
    }

    /// Merges the staged products with ids above `after`, at most `limit` of them.
    pub(super) async fn merge_staged_products(
        &mut self,
        after: i64,
        limit: i64,
        asked_at: DateTime<Utc>,
    ) -> Result<Merged> {
        let store = self.lock_store().await?;
        let ids = self.staged_products(after, limit, asked_at).await?;
        let outcome = self.merge_products(ids, asked_at).await?;
        self.end_merge(&store, outcome).await
    }

    /// Merges whole objects of a kind, each with its children, that are handed over as they are.
    pub(super) async fn merge_whole(
        &mut self,
        kind: ObjectKind,
        records: &[Record],
        asked_at: DateTime<Utc>,
    ) -> Result<Merged> {
        let store = self.lock_store().await?;
        let outcome = match kind {
            ObjectKind::Customers => self.merge_few_customers(&store, records, asked_at).await?,
            ObjectKind::Products => self.merge_few_products(records, asked_at).await?,
            ObjectKind::Orders => self.merge_whole_orders(&store, records, asked_at).await?,
        };
        self.end_merge(&store, outcome).await
    }

    async fn merge_whole_orders(
        &mut self,
        store: &Store,
        records: &[Record],
        asked_at: DateTime<Utc>,
    ) -> Result<Outcome> {
        let records: Vec<_> = records
            .iter()
            .map(|record| (record, content_hash(record)))
            .collect();
        let orders = whole_orders(&records);
        let changed = self.changed_among(store, &orders, asked_at).await?;
        self.replace_changed(store, &orders, &changed, asked_at)
            .await?;
        Ok(Outcome::of_orders(&orders, &changed))
    }

    async fn end_merge(&mut self, store: &Store, outcome: Outcome) -> Result<Merged> {
        let merged = outcome.merged();
        if merged.changed > 0 {
            self.bump_data_version(store).await?;
        }
        Ok(merged)
    }

    /// Those of these ids, each once and in order, that were not deleted at `asked_at` or later without ever having
    /// been stored.
    async fn without_buried(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
        asked_at: DateTime<Utc>,
    ) -> Result<Vec<i64>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select distinct s.id as \"id!\" from unnest($3::bigint[]) s(id) where not exists ( \
                select from tombstones t where t.tenant_id = $1 and t.kind = $2 and t.id = s.id and t.deleted_at >= $4) \
             order by s.id",
            tenant,
            kind.code(),
            ids,
            asked_at
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Takes objects away that Shopify no longer has. Those asked for again since `asked_at` stay.
    pub async fn delete_objects(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
        asked_at: DateTime<Utc>,
    ) -> Result<usize> {
        if ids.is_empty() {
            return Ok(0);
        }
        let store = self.lock_store().await?;
        self.bury_unknown(kind, ids, asked_at).await?;
        self.raise_deletions(kind, ids, asked_at).await?;
        let deleted = match kind {
            ObjectKind::Customers => self.delete_customers(ids, asked_at).await?,
            ObjectKind::Products => self.delete_products(ids, asked_at).await?,
            ObjectKind::Orders => self.delete_orders(&store, ids, asked_at).await?,
        };
        if deleted > 0 {
            self.bump_data_version(&store).await?;
        }
        Ok(deleted)
    }

    /// Remembers the deletion of objects that are not stored (yet).
    async fn bury_unknown(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
        asked_at: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into tombstones (tenant_id, kind, id, deleted_at) \
             select $1::uuid, $2::text, d.id, $4::timestamptz from (select distinct unnest($3::bigint[]) as id) d \
             where not case $2::text \
                when 'CUSTOMERS' then exists (select from customers o where o.tenant_id = $1 and o.id = d.id) \
                when 'PRODUCTS' then exists (select from products o where o.tenant_id = $1 and o.id = d.id) \
                else exists (select from orders o where o.tenant_id = $1 and o.id = d.id) end \
             on conflict (tenant_id, kind, id) do update set deleted_at = greatest(tombstones.deleted_at, excluded.deleted_at)",
            tenant,
            kind.code(),
            ids,
            asked_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// An object that is deleted already was still gone at this later time: an answer from in between is late.
    async fn raise_deletions(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
        asked_at: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        let raise = match kind {
            ObjectKind::Customers => sqlx::query!(
                "update customers set deleted_at = $3 where tenant_id = $1 and id = any($2) and deleted_at < $3",
                tenant,
                ids,
                asked_at
            ),
            ObjectKind::Products => sqlx::query!(
                "update products set deleted_at = $3 where tenant_id = $1 and id = any($2) and deleted_at < $3",
                tenant,
                ids,
                asked_at
            ),
            ObjectKind::Orders => sqlx::query!(
                "update orders set deleted_at = $3 where tenant_id = $1 and id = any($2) and deleted_at < $3",
                tenant,
                ids,
                asked_at
            ),
        };
        raise.execute(self.connection()).await?;
        Ok(())
    }

    /// The ids of a kind that are stored, were fetched before `asked_at`, and are not among the staged ones:
    /// what a complete fetch shows to be deleted. Orders created before `oldest` are left alone, since a store
    /// that shows only its newest orders says nothing of the others.
    pub async fn unstaged_ids(
        &mut self,
        kind: ObjectKind,
        asked_at: DateTime<Utc>,
        oldest: Option<DateTime<Utc>>,
    ) -> Result<Vec<i64>> {
        let tenant = self.tenant().uuid();
        let connection = self.connection();
        Ok(match kind {
            ObjectKind::Customers => {
                sqlx::query_scalar!(
                    "select id from customers c where tenant_id = $1 and deleted_at is null and updated_at is not null \
                       and synced_at < $2 and not exists (select from staged_customers s where s.id = c.id)",
                    tenant,
                    asked_at
                )
                .fetch_all(connection)
                .await?
            }
            ObjectKind::Products => {
                sqlx::query_scalar!(
                    "select id from products p where tenant_id = $1 and deleted_at is null \
                       and synced_at < $2 and not exists (select from staged_products s where s.id = p.id)",
                    tenant,
                    asked_at
                )
                .fetch_all(connection)
                .await?
            }
            ObjectKind::Orders => {
                sqlx::query_scalar!(
                    "select id from orders o where tenant_id = $1 and deleted_at is null \
                       and synced_at < $2 and ($3::timestamptz is null or least(created_at, processed_at) >= $3) \
                       and not exists (select from staged_order_ids s where s.id = o.id)",
                    tenant,
                    asked_at,
                    oldest
                )
                .fetch_all(connection)
                .await?
            }
        })
    }

    /// One writer per store at a time: rollups move by differences, which must not interleave.
    pub(super) async fn lock_store(&mut self) -> Result<Store> {
        let tenant = self.tenant();
        sqlx::query_as!(
            Store,
            "select currency as \"currency: Currency\", time_zone, data_version + 1 as \"version!\", figures_pending \
             from shops where tenant_id = $1 for update",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?
        .ok_or_else(|| DbError::Corrupt("a tenant without its shop".to_owned()))
    }

    /// The same for a chunk that two connections write: shuts everybody out but the second.
    async fn lock_store_for_two(&mut self) -> Result<Store> {
        let tenant = self.tenant();
        sqlx::query_as!(
            Store,
            "select currency as \"currency: Currency\", time_zone, data_version + 1 as \"version!\", figures_pending \
             from shops where tenant_id = $1 for no key update",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?
        .ok_or_else(|| DbError::Corrupt("a tenant without its shop".to_owned()))
    }

    /// Has whoever locks the store wait for this transaction too, on the second connection of a chunk: should the
    /// first be cut off, nobody builds the figures before it has ended. Gives whether they are pending, and nobody else has
    /// the store (the first itself, where it has locked it for more than a chunk).
    pub(super) async fn join_lock_of_store(&mut self) -> Result<bool> {
        let tenant = self.tenant();
        Ok(sqlx::query_scalar!(
            "select figures_pending from shops where tenant_id = $1 for key share skip locked",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?
        .unwrap_or(false))
    }

    /// Gives the store's data its new version, and says so.
    pub(super) async fn bump_data_version(&mut self, store: &Store) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update shops set data_version = $2 where tenant_id = $1",
            tenant,
            store.version
        )
        .execute(self.connection())
        .await?;
        self.notify_data_changed(store.version).await
    }
}

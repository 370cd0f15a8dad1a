//! Upserting records into the shop's tables. Everything that a change implies (the objects, the ledger, the rollups,
//! the totals) is written in the transaction of the change; an object whose content is the same costs no write.

mod assemble;
mod customers;
mod load;
mod orders;
mod presence;
mod products;
mod rebuild;
mod replace;
mod rollups;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use self::assemble::{AssembledOrder, assemble_orders};
use self::orders::Changed;
use super::{Database, DbError, Result, TenantTx, begin, enter_tenant, patience};
use crate::domain::ids::{OrderId, TenantId};
use crate::domain::money::Currency;
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// Every statement of an upsert finds its rows by keys. While a shop is small, PostgreSQL takes a plan that reads a whole
/// table for cheaper, and would keep it while the shop grows.
const INDEX_ONLY_PLANNER_SETTINGS: &str = "set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off; \
     set local enable_hashjoin = off; set local enable_mergejoin = off";

/// The result of an upsert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upserted {
    /// How many objects were compared.
    pub seen: usize,
    /// How many of them were new or different.
    pub changed: usize,
}

impl Database {
    /// Upserts fetched objects, each with its children, in a transaction that the caller commits. `fetched_at` is when
    /// Shopify was asked: an answer that is older than what is stored changes nothing.
    pub async fn upsert(
        &self,
        tenant: TenantId,
        kind: ObjectKind,
        records: Vec<Record>,
        fetched_at: DateTime<Utc>,
    ) -> Result<(TenantTx, Upserted)> {
        let begin_statements = format!("{}; {INDEX_ONLY_PLANNER_SETTINGS}", patience::BEGIN_WORK);
        let transaction = begin(&self.pool, &begin_statements, &enter_tenant(tenant)).await?;
        let mut transaction = TenantTx::entered(transaction, tenant);
        let upserted = transaction.upsert(kind, records, fetched_at).await?;
        Ok((transaction, upserted))
    }
}

/// The same, with the ids of those that were new or different.
#[derive(Debug)]
struct Outcome {
    seen: usize,
    changed: Vec<i64>,
}

impl Outcome {
    fn of(seen: &[i64], changed: Vec<i64>) -> Self {
        Self {
            seen: seen.len(),
            changed,
        }
    }

    fn of_orders(orders: &BTreeMap<OrderId, AssembledOrder>, changed: &[Changed]) -> Self {
        Self {
            seen: orders.len(),
            changed: changed.iter().map(|order| order.id).collect(),
        }
    }

    const fn upserted(&self) -> Upserted {
        Upserted {
            seen: self.seen,
            changed: self.changed.len(),
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
    /// Upserts objects of a kind, each with its children.
    pub(super) async fn upsert(
        &mut self,
        kind: ObjectKind,
        records: Vec<Record>,
        fetched_at: DateTime<Utc>,
    ) -> Result<Upserted> {
        let store = self.lock_store().await?;
        let outcome = match kind {
            ObjectKind::Customers => self.upsert_customers(&store, &records, fetched_at).await?,
            ObjectKind::Products => self.upsert_products(&records, fetched_at).await?,
            ObjectKind::Orders => self.upsert_orders(&store, records, fetched_at).await?,
        };
        self.end_upsert(&store, outcome).await
    }

    async fn upsert_orders(
        &mut self,
        store: &Store,
        records: Vec<Record>,
        fetched_at: DateTime<Utc>,
    ) -> Result<Outcome> {
        let orders = assemble_orders(records)?;
        let changed = self.changed_among(store, &orders, fetched_at).await?;
        self.replace_changed(store, &orders, &changed, fetched_at)
            .await?;
        Ok(Outcome::of_orders(&orders, &changed))
    }

    /// Upserts orders of a bulk file. In an initial backfill, those that are new are only inserted: the rollups are built
    /// when all orders are stored.
    pub(super) async fn load_orders(
        &mut self,
        records: Vec<Record>,
        fetched_at: DateTime<Utc>,
    ) -> Result<Upserted> {
        let store = self.lock_store().await?;
        if !store.figures_pending {
            let outcome = self.upsert_orders(&store, records, fetched_at).await?;
            return self.end_upsert(&store, outcome).await;
        }
        let orders = assemble_orders(records)?;
        let changed = self.changed_among(&store, &orders, fetched_at).await?;
        let outcome = Outcome::of_orders(&orders, &changed);
        let (stored, new): (Vec<_>, Vec<_>) = changed.into_iter().partition(|order| order.known);
        let new: Vec<_> = new.iter().filter_map(|order| order.of(&orders)).collect();
        self.insert_orders(&store, &new, fetched_at).await?;
        self.replace_changed(&store, &orders, &stored, fetched_at)
            .await?;
        self.end_upsert(&store, outcome).await
    }

    async fn end_upsert(&mut self, store: &Store, outcome: Outcome) -> Result<Upserted> {
        let upserted = outcome.upserted();
        if upserted.changed > 0 {
            self.bump_data_version(store).await?;
        }
        Ok(upserted)
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

    /// The stored ids of a kind in a range (its lower bound excluded) that are not among `ids` and were fetched before
    /// `fetched_at`. Orders created before `oldest` are left out.
    pub(super) async fn ids_but(
        &mut self,
        kind: ObjectKind,
        (after, until): (i64, i64),
        ids: &[i64],
        fetched_at: DateTime<Utc>,
        oldest: Option<DateTime<Utc>>,
    ) -> Result<Vec<i64>> {
        let tenant = self.tenant().uuid();
        let connection = self.connection();
        Ok(match kind {
            ObjectKind::Customers => {
                sqlx::query_scalar!(
                    "select id from customers where tenant_id = $1 and id > $2 and id <= $3 and deleted_at is null \
                       and updated_at is not null and synced_at < $4 and id <> all($5)",
                    tenant,
                    after,
                    until,
                    fetched_at,
                    ids
                )
                .fetch_all(connection)
                .await?
            }
            ObjectKind::Products => {
                sqlx::query_scalar!(
                    "select id from products where tenant_id = $1 and id > $2 and id <= $3 and deleted_at is null \
                       and synced_at < $4 and id <> all($5)",
                    tenant,
                    after,
                    until,
                    fetched_at,
                    ids
                )
                .fetch_all(connection)
                .await?
            }
            ObjectKind::Orders => {
                sqlx::query_scalar!(
                    "select id from orders where tenant_id = $1 and id > $2 and id <= $3 and deleted_at is null \
                       and synced_at < $4 and id <> all($5) \
                       and ($6::timestamptz is null or least(created_at, processed_at) >= $6)",
                    tenant,
                    after,
                    until,
                    fetched_at,
                    ids,
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

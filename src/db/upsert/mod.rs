//! Upserts records into the tables of a shop. Objects, ledger, rollups and totals change in one transaction. An
//! object with unchanged content is not written.

mod assemble;
mod customer_counts;
mod customers;
mod load;
mod orders;
mod products;
mod rebuild;
mod rollups;
mod rows;

use chrono::{DateTime, Utc};

use self::assemble::assemble_orders;
use super::{BEGIN, Database, DbError, Result, TenantTx, begin};
use crate::domain::ids::TenantId;
use crate::domain::money::Currency;
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// The result of an upsert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upserted {
    /// How many objects were compared.
    pub seen: usize,
    /// How many of them were new or different.
    pub changed: usize,
}

impl Database {
    /// Upserts fetched objects with their children. The caller commits. `fetched_at` is the time of the request to
    /// Shopify: a response that is older than the stored object changes nothing.
    pub async fn upsert(
        &self,
        tenant: TenantId,
        kind: ObjectKind,
        records: Vec<Record>,
        fetched_at: DateTime<Utc>,
    ) -> Result<(TenantTx, Upserted)> {
        let transaction = begin(&self.background_pool, BEGIN).await?;
        let mut transaction = TenantTx::enter(transaction, tenant).await?;
        let upserted = transaction.upsert(kind, records, fetched_at).await?;
        Ok((transaction, upserted))
    }
}

/// The shop, locked for the rest of the transaction.
#[derive(Clone, Debug)]
pub(super) struct LockedShop {
    pub(super) currency: Currency,
    time_zone: String,
    /// The data version of this transaction. Every rollup row that it writes stores this version.
    pub(super) version: i64,
    /// Whether an initial backfill is running. The rollups are built at its end.
    rollups_pending: bool,
}

impl TenantTx {
    /// Upserts objects of a kind, each with its children.
    pub(super) async fn upsert(
        &mut self,
        kind: ObjectKind,
        records: Vec<Record>,
        fetched_at: DateTime<Utc>,
    ) -> Result<Upserted> {
        let shop = self.lock_shop().await?;
        let upserted = match kind {
            ObjectKind::Customers => self.upsert_customers(&shop, &records, fetched_at).await?,
            ObjectKind::Products => self.upsert_products(&shop, &records, fetched_at).await?,
            ObjectKind::Orders => {
                let orders = assemble_orders(records)?;
                self.upsert_orders(&shop, &orders, fetched_at).await?
            }
        };
        self.end_upsert(&shop, upserted).await
    }

    /// Upserts orders of a bulk file. During an initial backfill, new orders are copied, and the rollups are built
    /// once all orders are stored.
    pub(super) async fn load_orders(
        &mut self,
        records: Vec<Record>,
        fetched_at: DateTime<Utc>,
    ) -> Result<Upserted> {
        let shop = self.lock_shop().await?;
        let orders = assemble_orders(records)?;
        let changed = self.changed_orders(&orders, fetched_at).await?;
        let upserted = Upserted {
            seen: orders.len(),
            changed: changed.len(),
        };
        let (new, stored): (Vec<_>, Vec<_>) = changed
            .into_iter()
            .partition(|order| shop.rollups_pending && !order.is_stored);
        let new: Vec<_> = new
            .iter()
            .filter_map(|order| orders.get(&order.id))
            .collect();
        self.insert_orders(&shop, &new, fetched_at).await?;
        self.write_orders(&shop, &orders, &stored, fetched_at)
            .await?;
        self.end_upsert(&shop, upserted).await
    }

    async fn end_upsert(&mut self, shop: &LockedShop, upserted: Upserted) -> Result<Upserted> {
        if upserted.changed > 0 {
            self.bump_data_version(shop).await?;
        }
        Ok(upserted)
    }

    /// Deletes objects that Shopify no longer has. Objects that were fetched after `fetched_at` stay.
    pub async fn delete_objects(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
        fetched_at: DateTime<Utc>,
    ) -> Result<usize> {
        if ids.is_empty() {
            return Ok(0);
        }
        let shop = self.lock_shop().await?;
        self.record_tombstones(kind, ids, fetched_at).await?;
        self.raise_deletion_times(kind, ids, fetched_at).await?;
        let deleted = match kind {
            ObjectKind::Customers => self.delete_customers(ids, fetched_at).await?,
            ObjectKind::Products => self.delete_products(ids, fetched_at).await?,
            ObjectKind::Orders => self.delete_orders(&shop, ids, fetched_at).await?,
        };
        if deleted > 0 {
            self.bump_data_version(&shop).await?;
        }
        Ok(deleted)
    }

    /// Records the deletion of objects that are not stored. A late response from before the deletion then does not
    /// insert them.
    async fn record_tombstones(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
        fetched_at: DateTime<Utc>,
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
            fetched_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Moves the deletion time of deleted objects forward, so that responses from before this time cannot restore
    /// them.
    async fn raise_deletion_times(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
        fetched_at: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        let raise = match kind {
            ObjectKind::Customers => sqlx::query!(
                "update customers set deleted_at = $3 where tenant_id = $1 and id = any($2) and deleted_at < $3",
                tenant,
                ids,
                fetched_at
            ),
            ObjectKind::Products => sqlx::query!(
                "update products set deleted_at = $3 where tenant_id = $1 and id = any($2) and deleted_at < $3",
                tenant,
                ids,
                fetched_at
            ),
            ObjectKind::Orders => sqlx::query!(
                "update orders set deleted_at = $3 where tenant_id = $1 and id = any($2) and deleted_at < $3",
                tenant,
                ids,
                fetched_at
            ),
        };
        raise.execute(self.connection()).await?;
        Ok(())
    }

    /// Locks the shop's row. Only one transaction at a time may write, because a difference is wrong if another
    /// transaction writes between its two reads.
    pub(super) async fn lock_shop(&mut self) -> Result<LockedShop> {
        let tenant = self.tenant();
        sqlx::query_as!(
            LockedShop,
            "select currency as \"currency: Currency\", time_zone, data_version + 1 as \"version!\", rollups_pending \
             from shops where tenant_id = $1 for update",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?
        .ok_or_else(|| DbError::Corrupt("a tenant without its shop".to_owned()))
    }

    /// Stores the new data version, and notifies every process.
    pub(super) async fn bump_data_version(&mut self, shop: &LockedShop) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update shops set data_version = $2 where tenant_id = $1",
            tenant,
            shop.version
        )
        .execute(self.connection())
        .await?;
        self.notify_data_changed(shop.version).await
    }
}

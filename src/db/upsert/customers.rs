//! Customers.

use chrono::{DateTime, Utc};

use super::{Outcome, Store};
use crate::db::staging::encoding::content_hash;
use crate::db::staging::rows::RowArray;
use crate::db::{Result, TenantTx};
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// A customer that was written.
struct Written {
    id: i64,
    /// Whether the store has one more for it.
    added: bool,
}

/// Writes the customers with these ids that are new or different. What comes before names the rows.
macro_rules! write_customers {
    ($rows:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Written,
            "with " + $rows + "known as ( \
                select id from customers where tenant_id = $1 and id = any($2) and deleted_at is null \
             ), written as ( \
             insert into customers (tenant_id, id, display_name, email, tags, created_at, updated_at, content_hash, synced_at) \
             select distinct on (s.id) $1::uuid, s.id, case when r.redacted then '' else s.display_name end, \
                case when r.redacted then null else s.email end, case when r.redacted then '{}' else s.tags end, \
                s.created_at, s.updated_at, s.hash, $3::timestamptz \
             from staged_customers s \
             cross join lateral (select s.id in (select p.customer_id from privacy_requests p \
                where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') as redacted) r \
             where s.id = any($2) order by s.id, s.updated_at desc \
             on conflict (tenant_id, id) do update set \
                display_name = excluded.display_name, email = excluded.email, tags = excluded.tags, \
                created_at = excluded.created_at, updated_at = excluded.updated_at, \
                content_hash = excluded.content_hash, synced_at = excluded.synced_at, deleted_at = null \
             where (customers.content_hash <> excluded.content_hash or customers.deleted_at is not null) \
               and customers.redacted_at is null \
               and (customers.deleted_at is null or customers.deleted_at < excluded.synced_at) \
               and (customers.updated_at is null or (customers.updated_at, customers.synced_at) <= (excluded.updated_at, excluded.synced_at)) \
             returning id) \
             select id as \"id!\", id not in (select id from known) as \"added!\" from written",
            $($argument),+
        )
    };
}

impl TenantTx {
    /// Upserts customers.
    pub(super) async fn upsert_customers(
        &mut self,
        store: &Store,
        records: &[Record],
        asked_at: DateTime<Utc>,
    ) -> Result<Outcome> {
        let tenant = self.tenant().uuid();
        let mut ids = Vec::new();
        let mut rows = RowArray::new();
        for record in records {
            if let Record::Customer(customer) = record {
                ids.push(customer.id.number());
                rows.add_record(record, content_hash(record)?);
            }
        }
        let ids = self
            .without_buried(ObjectKind::Customers, &ids, asked_at)
            .await?;
        let written = write_customers!(
            "staged_customers as (select * from unnest($4::text::staged_customers[])), ",
            tenant,
            &ids,
            asked_at,
            rows.finish()
        )
        .fetch_all(self.connection())
        .await?;
        self.finish_customers(store, &ids, &written).await
    }

    /// What goes with customers that were written.
    async fn finish_customers(
        &mut self,
        store: &Store,
        seen: &[i64],
        written: &[Written],
    ) -> Result<Outcome> {
        let changed: Vec<_> = written.iter().map(|customer| customer.id).collect();
        self.add_customer_totals(store, &changed).await?;
        let added = written.iter().filter(|customer| customer.added).count();
        self.count_customers_in(added, 0).await?;
        Ok(Outcome::of(seen, changed))
    }

    /// Keeps the number of the store's customers.
    async fn count_customers_in(&mut self, added: usize, deleted: usize) -> Result<()> {
        if added == 0 && deleted == 0 {
            return Ok(());
        }
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        sqlx::query!(
            "update shops set customers = coalesce(customers + $2 - $3, \
                (select count(*) from customers where tenant_id = $1 and deleted_at is null)) \
             where tenant_id = $1",
            self.tenant().uuid(),
            number(added),
            number(deleted)
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Counts the store's customers anew.
    pub async fn recount_customers(&mut self) -> Result<()> {
        let store = self.lock_store().await?;
        let moved = sqlx::query!(
            "update shops set customers = counted from ( \
                select count(*) as counted from customers where tenant_id = $1 and deleted_at is null) c \
             where tenant_id = $1 and customers is distinct from counted",
            self.tenant().uuid()
        )
        .execute(self.connection())
        .await?;
        if moved.rows_affected() > 0 {
            self.bump_data_version(&store).await?;
        }
        Ok(())
    }

    /// Customers whom only an order names: an order may come before its customer, or outlive it.
    pub(super) async fn add_unknown_customers(
        &mut self,
        store: &Store,
        ids: &[i64],
        now: DateTime<Utc>,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        let added = sqlx::query_scalar!(
            "insert into customers (tenant_id, id, display_name, tags, content_hash, synced_at) \
             select $1::uuid, c.id, '', '{}', 0, $3::timestamptz from unnest($2::bigint[]) c(id) order by c.id \
             on conflict (tenant_id, id) do nothing returning id",
            tenant,
            ids,
            now
        )
        .fetch_all(self.connection())
        .await?;
        self.add_customer_totals(store, &added).await?;
        self.count_customers_in(added.len(), 0).await
    }

    /// Every customer has totals, if only zeros, so that lists ordered by them hold everyone.
    async fn add_customer_totals(&mut self, store: &Store, ids: &[i64]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into customer_totals (tenant_id, customer_id, orders, total_spent, version) \
             select $1::uuid, c.id, 0, 0, $3::bigint from unnest($2::bigint[]) c(id) order by c.id \
             on conflict (tenant_id, customer_id) do nothing",
            tenant,
            ids,
            store.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Their figures stay: what was sold was sold.
    pub(super) async fn delete_customers(
        &mut self,
        ids: &[i64],
        asked_at: DateTime<Utc>,
    ) -> Result<usize> {
        let tenant = self.tenant().uuid();
        let deleted = sqlx::query_scalar!(
            "update customers set deleted_at = $3 \
             where tenant_id = $1 and id = any($2) and deleted_at is null and synced_at <= $3 returning id",
            tenant,
            ids,
            asked_at
        )
        .fetch_all(self.connection())
        .await?;
        self.count_customers_in(0, deleted.len()).await?;
        Ok(deleted.len())
    }
}

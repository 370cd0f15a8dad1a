//! The maintenance of shops: when it is due, its results, and the stored versions of objects for the reconciliation.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::jobs::JobKind;
use super::{Result, SystemTx, TenantTx};
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;

/// How many ids of stored objects are read at a time.
const STORED_IDS_BATCH: i64 = 10_000;

/// The version in which an object is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    /// When Shopify last changed it; `None` for a customer that only an order names.
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was fetched.
    pub synced_at: DateTime<Utc>,
}

/// The results of a shop's last maintenance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// When the ids were last compared.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// How many objects that comparison had to fetch.
    pub reconciled_missed: i32,
    /// How many it found deleted.
    pub reconciled_deleted: i32,
    /// When the webhook subscriptions were last checked.
    pub webhooks_checked_at: Option<DateTime<Utc>>,
    /// How many topics were subscribed to then.
    pub webhooks_registered: i32,
    /// Why a subscription is missing.
    pub webhooks_problem: Option<String>,
}

struct StoredRow {
    id: i64,
    updated_at: Option<DateTime<Utc>>,
    synced_at: DateTime<Utc>,
}

/// The stored versions of objects of one table.
macro_rules! stored {
    ($table:literal, $transaction:expr, $ids:expr) => {{
        let tenant = $transaction.tenant().uuid();
        sqlx::query_as!(
            StoredRow,
            "select id, updated_at as \"updated_at?\", synced_at from "
                + $table
                + " where tenant_id = $1 and id = any($2) and deleted_at is null",
            tenant,
            $ids
        )
        .fetch_all($transaction.connection())
        .await?
    }};
}

impl TenantTx {
    /// The stored versions of these objects, without deleted ones.
    pub async fn stored_versions(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
    ) -> Result<HashMap<i64, StoredVersion>> {
        let rows = match kind {
            ObjectKind::Customers => stored!("customers", self, ids),
            ObjectKind::Products => stored!("products", self, ids),
            ObjectKind::Orders => stored!("orders", self, ids),
        };
        let version = |row: StoredRow| {
            let (updated_at, synced_at) = (row.updated_at, row.synced_at);
            let version = StoredVersion {
                updated_at,
                synced_at,
            };
            (row.id, version)
        };
        Ok(rows.into_iter().map(version).collect())
    }

    /// The next ids of stored objects after `after`, in order: those that were fetched before `fetched_before` and are
    /// not deleted. Customers that only an order names and orders before `oldest` are excluded.
    pub async fn stored_ids(
        &mut self,
        kind: ObjectKind,
        after: i64,
        fetched_before: DateTime<Utc>,
        oldest: Option<DateTime<Utc>>,
    ) -> Result<Vec<i64>> {
        let tenant = self.tenant().uuid();
        Ok(match kind {
            ObjectKind::Customers => {
                sqlx::query_scalar!(
                    "select id from customers where tenant_id = $1 and id > $2 and synced_at < $3 \
                       and deleted_at is null and updated_at is not null order by id limit $4",
                    tenant,
                    after,
                    fetched_before,
                    STORED_IDS_BATCH
                )
                .fetch_all(self.connection())
                .await?
            }
            ObjectKind::Products => {
                sqlx::query_scalar!(
                    "select id from products where tenant_id = $1 and id > $2 and synced_at < $3 \
                       and deleted_at is null order by id limit $4",
                    tenant,
                    after,
                    fetched_before,
                    STORED_IDS_BATCH
                )
                .fetch_all(self.connection())
                .await?
            }
            ObjectKind::Orders => {
                sqlx::query_scalar!(
                    "select id from orders where tenant_id = $1 and id > $2 and synced_at < $3 and deleted_at is null \
                       and ($5::timestamptz is null or least(created_at, processed_at) >= $5) order by id limit $4",
                    tenant,
                    after,
                    fetched_before,
                    STORED_IDS_BATCH,
                    oldest
                )
                .fetch_all(self.connection())
                .await?
            }
        })
    }

    /// Records the result of a comparison of ids.
    pub async fn record_reconciliation(
        &mut self,
        missed: usize,
        deleted: usize,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into shop_maintenance (tenant_id, reconciled_at, reconciled_missed, reconciled_deleted) \
             values ($1, $2, $3, $4) \
             on conflict (tenant_id) do update set reconciled_at = excluded.reconciled_at, \
                reconciled_missed = excluded.reconciled_missed, reconciled_deleted = excluded.reconciled_deleted",
            tenant,
            now,
            i32::try_from(missed).unwrap_or(i32::MAX),
            i32::try_from(deleted).unwrap_or(i32::MAX)
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Records the result of a check of the webhook subscriptions.
    pub async fn record_subscriptions(
        &mut self,
        registered: i32,
        problem: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into shop_maintenance (tenant_id, webhooks_checked_at, webhooks_registered, webhooks_problem) \
             values ($1, $2, $3, $4) \
             on conflict (tenant_id) do update set webhooks_checked_at = excluded.webhooks_checked_at, \
                webhooks_registered = excluded.webhooks_registered, webhooks_problem = excluded.webhooks_problem",
            tenant,
            now,
            registered,
            problem
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The results of the last maintenance.
    pub async fn maintenance(&mut self) -> Result<Maintenance> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Maintenance,
            "select reconciled_at, reconciled_missed, reconciled_deleted, webhooks_checked_at, \
                    webhooks_registered, webhooks_problem \
             from shop_maintenance where tenant_id = $1",
            tenant
        )
        .fetch_optional(self.connection())
        .await?
        .unwrap_or_default())
    }
}

impl SystemTx {
    /// Queues the maintenance of each shop that is due, and sets the next one to `next`. Returns how many there were.
    pub async fn queue_due_maintenance(
        &mut self,
        jobs: &[JobKind],
        now: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<usize> {
        let due = self.take_due_maintenance(now, next).await?;
        for &(tenant, connected) in &due {
            for &job in jobs {
                // For a disconnected shop, reconciliation only deletes old rows.
                if connected || job == JobKind::Reconcile {
                    self.queue_job_of(tenant, job, now).await?;
                }
            }
        }
        Ok(due.len())
    }

    async fn take_due_maintenance(
        &mut self,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<Vec<(TenantId, bool)>> {
        let due = sqlx::query!(
            "update tenants set next_maintenance_at = $2 \
             where id in ( \
                select id from tenants where next_maintenance_at is null or next_maintenance_at <= $1 \
                order by next_maintenance_at nulls first limit 100 for update skip locked) \
             returning id as \"id: TenantId\", status = 'CONNECTED' as \"connected!\"",
            now,
            next
        )
        .fetch_all(self.connection())
        .await?;
        Ok(due.into_iter().map(|row| (row.id, row.connected)).collect())
    }
}

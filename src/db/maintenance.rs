//! The maintenance of shops: its results, the stored versions of objects for the reconciliation, and retention.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{Result, TenantTx};
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

impl TenantTx {
    /// The stored versions of these objects, without deleted ones.
    pub async fn stored_versions(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
    ) -> Result<HashMap<i64, StoredVersion>> {
        let tenant = self.tenant().uuid();
        let rows = match kind {
            ObjectKind::Customers => {
                sqlx::query_as!(
                    StoredRow,
                    "select id, updated_at as \"updated_at?\", synced_at from customers \
                     where tenant_id = $1 and id = any($2) and deleted_at is null",
                    tenant,
                    ids
                )
                .fetch_all(self.connection())
                .await?
            }
            ObjectKind::Products => {
                sqlx::query_as!(
                    StoredRow,
                    "select id, updated_at as \"updated_at?\", synced_at from products \
                     where tenant_id = $1 and id = any($2) and deleted_at is null",
                    tenant,
                    ids
                )
                .fetch_all(self.connection())
                .await?
            }
            ObjectKind::Orders => {
                sqlx::query_as!(
                    StoredRow,
                    "select id, updated_at as \"updated_at?\", synced_at from orders \
                     where tenant_id = $1 and id = any($2) and deleted_at is null",
                    tenant,
                    ids
                )
                .fetch_all(self.connection())
                .await?
            }
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

/// How many rows one statement of the retention deletes at most.
pub const RETENTION_BATCH: i64 = 5_000;

/// Retention: each method deletes at most [`RETENTION_BATCH`] rows and returns how many it deleted.
impl TenantTx {
    /// Deletes deliveries that Shopify no longer repeats. One with a digest stays: its replay would do harm. There is
    /// one for each time that the app was uninstalled.
    pub async fn delete_deliveries_before(&mut self, before: DateTime<Utc>) -> Result<u64> {
        let tenant = self.tenant().uuid();
        let deleted = sqlx::query_file!(
            "src/db/maintenance/sql/delete_deliveries.sql",
            tenant,
            before,
            RETENTION_BATCH
        )
        .execute(self.connection())
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Deletes sync runs that ended before an instant, with their steps. The newest `keep` runs stay.
    pub async fn delete_sync_runs_before(
        &mut self,
        before: DateTime<Utc>,
        keep: i64,
    ) -> Result<u64> {
        let tenant = self.tenant().uuid();
        let deleted = sqlx::query_file!(
            "src/db/maintenance/sql/delete_sync_runs.sql",
            tenant,
            before,
            keep,
            RETENTION_BATCH
        )
        .execute(self.connection())
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Deletes jobs that became dead letters before an instant.
    pub async fn delete_dead_letters_before(&mut self, before: DateTime<Utc>) -> Result<u64> {
        let tenant = self.tenant().uuid();
        let deleted = sqlx::query!(
            "delete from jobs where id in ( \
                select id from jobs where tenant_id = $1 and failed_at < $2 order by id limit $3)",
            tenant,
            before,
            RETENTION_BATCH
        )
        .execute(self.connection())
        .await?;
        Ok(deleted.rows_affected())
    }
}

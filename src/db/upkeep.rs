//! The upkeep of stores: when it is due, what it found, and what is kept of each object to compare with.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::jobs::JobKind;
use super::{Result, SystemTx, TenantTx};
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;

/// How many numbers of kept objects are read at a time.
const KEPT_AT_ONCE: i64 = 10_000;

/// The state in which an object is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptVersion {
    /// Shopify's time of the last change; none for a customer whom only an order names.
    pub updated_at: Option<DateTime<Utc>>,
    /// When Shopify was asked.
    pub synced_at: DateTime<Utc>,
}

/// How a store's upkeep stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// When its ids were last compared.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// How many objects the last comparison had to fetch.
    pub reconciled_missed: i32,
    /// How many it found to be gone.
    pub reconciled_deleted: i32,
    /// When its webhooks were last looked after.
    pub webhooks_checked_at: Option<DateTime<Utc>>,
    /// How many topics it then listened to.
    pub webhooks_registered: i32,
    /// What stood in the way.
    pub webhooks_problem: Option<String>,
}

struct KeptRow {
    id: i64,
    updated_at: Option<DateTime<Utc>>,
    synced_at: DateTime<Utc>,
}

/// The state of kept objects of one table.
macro_rules! kept {
    ($table:literal, $transaction:expr, $ids:expr) => {{
        let tenant = $transaction.tenant().uuid();
        sqlx::query_as!(
            KeptRow,
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
    /// Of these objects, those that are kept and not deleted, and in which state.
    pub async fn kept_versions(
        &mut self,
        kind: ObjectKind,
        ids: &[i64],
    ) -> Result<HashMap<i64, KeptVersion>> {
        let rows = match kind {
            ObjectKind::Customers => kept!("customers", self, ids),
            ObjectKind::Products => kept!("products", self, ids),
            ObjectKind::Orders => kept!("orders", self, ids),
        };
        let version = |row: KeptRow| {
            let (updated_at, synced_at) = (row.updated_at, row.synced_at);
            let version = KeptVersion {
                updated_at,
                synced_at,
            };
            (row.id, version)
        };
        Ok(rows.into_iter().map(version).collect())
    }

    /// The numbers of kept objects in order, some of those after one of them: what was read before `asked_at`
    /// and is not deleted. Customers whom only an order names are left out, and orders before `oldest`.
    pub async fn kept_ids(
        &mut self,
        kind: ObjectKind,
        after: i64,
        asked_at: DateTime<Utc>,
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
                    asked_at,
                    KEPT_AT_ONCE
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
                    asked_at,
                    KEPT_AT_ONCE
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
                    asked_at,
                    KEPT_AT_ONCE,
                    oldest
                )
                .fetch_all(self.connection())
                .await?
            }
        })
    }

    /// Notes what a comparison of ids found.
    pub async fn note_reconciled(
        &mut self,
        missed: usize,
        deleted: usize,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into shop_upkeep (tenant_id, reconciled_at, reconciled_missed, reconciled_deleted) \
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

    /// Notes how many topics the store's webhooks cover.
    pub async fn note_webhooks(
        &mut self,
        registered: i32,
        problem: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into shop_upkeep (tenant_id, webhooks_checked_at, webhooks_registered, webhooks_problem) \
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

    /// How the store's upkeep stands.
    pub async fn upkeep(&mut self) -> Result<Upkeep> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            Upkeep,
            "select reconciled_at, reconciled_missed, reconciled_deleted, webhooks_checked_at, \
                    webhooks_registered, webhooks_problem \
             from shop_upkeep where tenant_id = $1",
            tenant
        )
        .fetch_optional(self.connection())
        .await?
        .unwrap_or_default())
    }
}

impl SystemTx {
    /// Queues the upkeep of each store that is due and puts its next one at `next`, all or nothing. Returns how
    /// many were.
    pub async fn queue_due_upkeep(
        &mut self,
        jobs: &[JobKind],
        now: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<usize> {
        let due = self.take_due_upkeep(now, next).await?;
        for &(tenant, connected) in &due {
            for &job in jobs {
                // Of a disconnected store nothing is asked: the comparison prunes what is old, and ends there.
                if connected || job == JobKind::Reconcile {
                    self.queue_job_of(tenant, job, now).await?;
                }
            }
        }
        Ok(due.len())
    }

    async fn take_due_upkeep(
        &mut self,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<Vec<(TenantId, bool)>> {
        let due = sqlx::query!(
            "update tenants set next_upkeep_at = $2 \
             where id in ( \
                select id from tenants where next_upkeep_at is null or next_upkeep_at <= $1 \
                order by next_upkeep_at nulls first limit 100 for update skip locked) \
             returning id as \"id: TenantId\", status = 'CONNECTED' as \"connected!\"",
            now,
            next
        )
        .fetch_all(self.connection())
        .await?;
        Ok(due.into_iter().map(|row| (row.id, row.connected)).collect())
    }
}

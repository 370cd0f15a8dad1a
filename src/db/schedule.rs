//! The schedule of the directory: when the sync and the maintenance of each shop are due.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Result, SystemTx};
use crate::domain::ids::TenantId;

impl SystemTx {
    /// Connected shops whose sync is due, in the order of their tenant ids: the next page after `after`.
    pub async fn shops_due_for_sync(
        &mut self,
        now: DateTime<Utc>,
        after: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<TenantId>> {
        Ok(sqlx::query_scalar!(
            "select id as \"id: TenantId\" from tenants \
             where status = 'CONNECTED' and (next_sync_at is null or next_sync_at <= $1) and id > $2 \
             order by id limit $3",
            now,
            after.map_or(Uuid::nil(), TenantId::uuid),
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Sets the next sync of a shop. False: it is not due any more, because another process has queued it.
    pub async fn reschedule_sync(
        &mut self,
        tenant: TenantId,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<bool> {
        let moved = sqlx::query!(
            "update tenants set next_sync_at = $3 \
             where id = $1 and status = 'CONNECTED' and (next_sync_at is null or next_sync_at <= $2)",
            tenant.uuid(),
            now,
            next
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        Ok(moved == 1)
    }

    /// Sets the next sync of a shop, due or not.
    pub async fn postpone_sync(&mut self, tenant: TenantId, until: DateTime<Utc>) -> Result<()> {
        sqlx::query!(
            "update tenants set next_sync_at = $2 where id = $1",
            tenant.uuid(),
            until
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Shops whose maintenance is due, disconnected ones too: the next page after `after`.
    pub async fn shops_due_for_maintenance(
        &mut self,
        now: DateTime<Utc>,
        after: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<TenantId>> {
        Ok(sqlx::query_scalar!(
            "select id as \"id: TenantId\" from tenants \
             where (next_maintenance_at is null or next_maintenance_at <= $1) and id > $2 \
             order by id limit $3",
            now,
            after.map_or(Uuid::nil(), TenantId::uuid),
            limit
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Sets the next maintenance of a shop. Returns whether the shop is connected; `None`: the maintenance is not due
    /// any more, because another process has queued it.
    pub async fn reschedule_maintenance(
        &mut self,
        tenant: TenantId,
        now: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<Option<bool>> {
        Ok(sqlx::query_scalar!(
            "update tenants set next_maintenance_at = $3 \
             where id = $1 and (next_maintenance_at is null or next_maintenance_at <= $2) \
             returning status = 'CONNECTED' as \"connected!\"",
            tenant.uuid(),
            now,
            next
        )
        .fetch_optional(self.connection())
        .await?)
    }
}

//! Deliveries of webhooks and the hints they leave: which objects are to be fetched.

use chrono::{DateTime, Utc};

use super::{DbError, Result, TenantTx};
use crate::domain::ids::PrivacyRequestId;
use crate::domain::sync::ObjectKind;

/// An object that Shopify said has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What kind of object.
    pub kind: ObjectKind,
    /// Its number.
    pub id: i64,
    /// Whether it was said to be deleted.
    pub deleted: bool,
    /// Moves with each mention.
    pub version: i64,
}

/// When a topic was last heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardTopic {
    /// `orders/updated`
    pub topic: String,
    /// When its last delivery came.
    pub at: DateTime<Utc>,
}

impl TenantTx {
    /// Notes a delivery. False when it came before: by its id, or by its body where a digest is given; and
    /// when the store is gone.
    pub async fn note_delivery(
        &mut self,
        id: &str,
        topic: &str,
        digest: Option<&[u8]>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let tenant = self.tenant().uuid();
        let noted = sqlx::query!(
            "insert into webhook_deliveries (tenant_id, id, topic, digest, received_at) \
             select s.tenant_id, $2::text, $3::text, $4::bytea, $5::timestamptz from shops s \
             where s.tenant_id = $1 and ($4::bytea is null or not exists ( \
                select from webhook_deliveries d where d.tenant_id = $1 and d.digest = $4)) \
             on conflict (tenant_id, id) do nothing",
            tenant,
            id,
            topic,
            digest,
            now
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        Ok(noted == 1)
    }

    /// Leaves a hint. Said again, it is the same hint, in the place of its first mention: what is mentioned all
    /// the time must not fall behind for ever.
    pub async fn leave_hint(
        &mut self,
        kind: ObjectKind,
        id: i64,
        deleted: bool,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into webhook_hints (tenant_id, kind, id, deleted, heard_at) values ($1, $2, $3, $4, $5) \
             on conflict (tenant_id, kind, id) do update set deleted = webhook_hints.deleted or excluded.deleted, \
                version = webhook_hints.version + 1",
            tenant,
            kind.code(),
            id,
            deleted,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Leaves a hint for each stored order of a customer: they may be another's now.
    pub async fn leave_order_hints(&mut self, customer: i64, now: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into webhook_hints (tenant_id, kind, id, deleted, heard_at) \
             select o.tenant_id, 'ORDERS', o.id, false, $3::timestamptz from orders o \
             where o.tenant_id = $1 and o.customer_id = $2 and o.deleted_at is null order by o.id \
             on conflict (tenant_id, kind, id) do update set version = webhook_hints.version + 1",
            tenant,
            customer,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whether any hint waits.
    pub async fn has_hints(&mut self) -> Result<bool> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select exists (select from webhook_hints where tenant_id = $1) as \"some!\"",
            tenant
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// The hints that wait longest.
    pub async fn hints(&mut self, limit: i64) -> Result<Vec<Hint>> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "select kind, id, deleted, version from webhook_hints where tenant_id = $1 order by heard_at, id limit $2",
            tenant,
            limit
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Hint {
                    kind: ObjectKind::from_code(&row.kind)
                        .ok_or_else(|| DbError::Corrupt(format!("kind {}", row.kind)))?,
                    id: row.id,
                    deleted: row.deleted,
                    version: row.version,
                })
            })
            .collect()
    }

    /// Takes hints away that were followed; those heard again meanwhile stay.
    pub async fn drop_hints(&mut self, kind: ObjectKind, hints: &[Hint]) -> Result<()> {
        let tenant = self.tenant().uuid();
        let ids: Vec<i64> = hints.iter().map(|hint| hint.id).collect();
        let versions: Vec<i64> = hints.iter().map(|hint| hint.version).collect();
        sqlx::query!(
            "delete from webhook_hints h using unnest($3::bigint[], $4::bigint[]) d(id, version) \
             where h.tenant_id = $1 and h.kind = $2 and h.id = d.id and h.version = d.version",
            tenant,
            kind.code(),
            &ids,
            &versions
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Of these orders, those that are not stored, or were made since `oldest`: a store that shows only its
    /// newest orders says nothing of the others by not having them.
    pub async fn orders_since(&mut self, ids: &[i64], oldest: DateTime<Utc>) -> Result<Vec<i64>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select i.id as \"id!\" from unnest($2::bigint[]) i(id) where not exists ( \
                select from orders o where o.tenant_id = $1 and o.id = i.id \
                   and least(o.created_at, o.processed_at) < $3)",
            tenant,
            ids,
            oldest
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// When each topic was last heard.
    pub async fn heard_topics(&mut self) -> Result<Vec<HeardTopic>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_as!(
            HeardTopic,
            "select topic, max(received_at) as \"at!\" from webhook_deliveries where tenant_id = $1 \
             group by topic order by topic",
            tenant
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Forgets deliveries that came before: their like is no longer repeated. One whose replay would do harm is
    /// remembered for good: there is one for each time that the app was uninstalled.
    pub async fn prune_deliveries(&mut self, before: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "delete from webhook_deliveries where tenant_id = $1 and received_at < $2 and digest is null",
            tenant,
            before
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Notes a customer's privacy request.
    pub async fn note_privacy_request(
        &mut self,
        id: PrivacyRequestId,
        redaction: bool,
        customer: i64,
        orders: &[i64],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        let kind = if redaction {
            "CUSTOMER_REDACTION"
        } else {
            "DATA_REQUEST"
        };
        sqlx::query!(
            "insert into privacy_requests (tenant_id, id, kind, customer_id, order_ids, received_at) \
             values ($1, $2, $3, $4, $5, $6)",
            tenant,
            id.uuid(),
            kind,
            customer,
            orders,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The secrets that sign the store's webhooks: the sealed credentials, and those before them if they were
    /// replaced after `since`.
    pub async fn signing_credentials(&mut self, since: DateTime<Utc>) -> Result<Vec<Vec<u8>>> {
        let tenant = self.tenant().uuid();
        let row = sqlx::query!(
            "select sealed, case when replaced_at >= $2 then sealed_previous end as previous \
             from shop_credentials where tenant_id = $1",
            tenant,
            since
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row
            .into_iter()
            .flat_map(|row| [Some(row.sealed), row.previous])
            .flatten()
            .collect())
    }
}

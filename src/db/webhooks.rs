//! Deliveries of webhooks and the hints they leave: which objects are to be fetched.

use chrono::{DateTime, Utc};

use super::jobs::JobKind;
use super::{DbError, Result, TenantTx, presence};
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

/// A delivery, and what it calls for.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Its id: the same for every repetition.
    pub id: &'a str,
    /// `orders/updated`
    pub topic: &'a str,
    /// The digest of its body, where a replay under another id would do harm.
    pub digest: Option<&'a [u8]>,
    /// The objects to be fetched, and whether they were said to be deleted.
    pub hints: &'a [(ObjectKind, i64, bool)],
    /// What is to be done.
    pub job: Option<JobKind>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It came before, or the store is gone: nothing was written.
    Repeated,
    /// It is written down with what it calls for.
    Queued,
    /// It is written down, and the job that it calls for was waiting already.
    WaitsAlready,
}

impl TenantTx {
    /// Notes a delivery with what it calls for, in one statement, unless it came before: by its id, or by its body
    /// where a digest is given. A hint that is left again is the same hint, in the place of its first mention: what
    /// is mentioned all the time must not fall behind for ever.
    pub async fn note_delivery(
        &mut self,
        delivery: Delivery<'_>,
        now: DateTime<Utc>,
    ) -> Result<Noted> {
        let tenant = self.tenant();
        let kinds: Vec<String> = delivery
            .hints
            .iter()
            .map(|(kind, ..)| kind.code().to_owned())
            .collect();
        let ids: Vec<i64> = delivery.hints.iter().map(|(_, id, _)| *id).collect();
        let deleted: Vec<bool> = delivery.hints.iter().map(|hint| hint.2).collect();
        let job = delivery.job.map(|job| job.row(tenant)).transpose()?;
        let (kind, key, payload) = job.map_or((None, None, None), |job| {
            (Some(job.kind), Some(job.dedupe_key), Some(job.payload))
        });
        let noted = sqlx::query!(
            "with noted as ( \
                insert into webhook_deliveries (tenant_id, id, topic, digest, received_at) \
                select s.tenant_id, $2::text, $3::text, $4::bytea, $5::timestamptz from shops s \
                where s.tenant_id = $1 and ($4::bytea is null or not exists ( \
                   select from webhook_deliveries d where d.tenant_id = $1 and d.digest = $4)) \
                on conflict (tenant_id, id) do nothing returning tenant_id), \
             hinted as ( \
                insert into webhook_hints (tenant_id, kind, id, deleted, heard_at) \
                select n.tenant_id, h.kind, h.id, h.deleted, $5 \
                from noted n, unnest($6::text[], $7::bigint[], $8::boolean[]) h(kind, id, deleted) \
                on conflict (tenant_id, kind, id) do update set deleted = webhook_hints.deleted or excluded.deleted, \
                   version = webhook_hints.version + 1), \
             queued as ( \
                insert into jobs (tenant_id, kind, dedupe_key, payload, run_at, created_at) \
                select n.tenant_id, $9::text, $10::text, $11::jsonb, $5, $5 from noted n where $9 is not null \
                on conflict do nothing returning id) \
             select exists (select from noted) as \"noted!\", exists (select from queued) as \"queued!\", \
                (select pg_notify($12, $13) from queued)::text as told",
            tenant.uuid(),
            delivery.id,
            delivery.topic,
            delivery.digest,
            now,
            &kinds,
            &ids,
            &deleted,
            kind,
            key,
            payload,
            presence::CHANNEL,
            presence::Heard::Queued.text(),
        )
        .fetch_one(self.connection())
        .await?;
        Ok(if !noted.noted {
            Noted::Repeated
        } else if noted.queued || delivery.job.is_none() {
            Noted::Queued
        } else {
            Noted::WaitsAlready
        })
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

    /// Takes hints away that were followed; those heard again meanwhile stay. Whether the store has any left.
    pub async fn drop_hints(&mut self, kind: ObjectKind, hints: &[Hint]) -> Result<bool> {
        let tenant = self.tenant().uuid();
        let ids: Vec<i64> = hints.iter().map(|hint| hint.id).collect();
        let versions: Vec<i64> = hints.iter().map(|hint| hint.version).collect();
        Ok(sqlx::query_scalar!(
            "with dropped as ( \
                delete from webhook_hints h using unnest($3::bigint[], $4::bigint[]) d(id, version) \
                where h.tenant_id = $1 and h.kind = $2 and h.id = d.id and h.version = d.version \
                returning h.id) \
             select (select count(*) from (select from webhook_hints where tenant_id = $1 limit $5) h) \
                > (select count(*) from dropped) as \"left!\"",
            tenant,
            kind.code(),
            &ids,
            &versions,
            i64::try_from(hints.len()).unwrap_or(i64::MAX).saturating_add(1)
        )
        .fetch_one(self.connection())
        .await?)
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

//! Deliveries of webhooks and the hints they leave: which objects are to be fetched.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::jobs::{Job, JobKind};
use super::shops::{SealedCredentials, ShopStatus};
use super::{Database, DbError, Result, TenantTx, presence};
use crate::domain::ids::{PrivacyRequestId, TenantId};
use crate::domain::shop::ShopDomain;
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

/// A delivery.
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
}

/// What deliveries call for.
#[derive(Clone, Copy, Debug)]
pub struct CalledFor {
    /// What is to be done.
    pub job: Option<JobKind>,
    /// Who would do it at once.
    pub claim: Option<Claim>,
}

/// A worker that has a place for a job.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Which one.
    pub worker: Uuid,
    /// When its lease would end.
    pub until: DateTime<Utc>,
    /// The most hints that it follows at once.
    pub hints: i32,
}

/// What became of deliveries.
#[derive(Debug)]
pub enum Noted {
    /// All of them came before, or the store is gone: nothing was written.
    Repeated,
    /// They are written down with what they call for, which waits for a worker.
    Queued,
    /// They are written down, and the job that they call for was waiting already.
    WaitsAlready,
    /// They are written down, and the job that they call for is claimed for the worker that had a place. Where that
    /// is to follow hints, here they are.
    Claimed(Job, Option<Box<ToFollow>>),
}

/// What is left of a store's hints after some were followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// None, and with the transaction the job is off the queue.
    All {
        /// Whether another job of the store is due that nobody has claimed.
        more: bool,
    },
    /// Some.
    SomeAreLeft,
}

/// What there is to follow of a store.
#[derive(Debug)]
pub struct ToFollow {
    /// The store's own domain.
    pub domain: ShopDomain,
    /// Whether it may be asked.
    pub status: ShopStatus,
    /// What it is asked with, if that is known.
    pub credentials: Option<SealedCredentials>,
    /// The hints that wait longest.
    pub hints: Vec<Hint>,
}

impl Database {
    /// Notes deliveries of a store with what they call for, in one exchange with the database, unless they came before:
    /// by their ids, or by their bodies where digests are given. A hint that is left again is the same hint, in the
    /// place of its first mention: what is mentioned all the time must not fall behind for ever. What is written lasts.
    pub async fn note_deliveries(
        &self,
        tenant: TenantId,
        deliveries: &[Delivery<'_>],
        called_for: CalledFor,
        now: DateTime<Utc>,
    ) -> Result<Noted> {
        note_deliveries(&self.short, tenant, deliveries, called_for, now).await
    }

    /// What there is to follow of a store, at most so many hints; `None`: it is gone.
    pub async fn hints_to_follow(&self, tenant: TenantId, most: i32) -> Result<Option<ToFollow>> {
        let follow = sqlx::query_scalar!(
            "select hints_to_follow($1, $2) as \"follow: StoreToFollow\"",
            tenant.uuid(),
            most
        )
        .fetch_one(&self.short)
        .await?;
        follow.map(StoreToFollow::read).transpose()
    }
}

/// [`ToFollow`], as it comes.
#[derive(Debug, sqlx::Type)]
#[sqlx(type_name = "store_to_follow")]
struct StoreToFollow {
    domain: ShopDomain,
    status: String,
    credentials_kind: Option<String>,
    sealed: Option<Vec<u8>>,
    sealed_access_token: Option<Vec<u8>>,
    access_token_expires_at: Option<DateTime<Utc>>,
    kinds: Vec<String>,
    ids: Vec<i64>,
    deleted: Vec<bool>,
    versions: Vec<i64>,
}

impl StoreToFollow {
    fn read(self) -> Result<ToFollow> {
        let named = self.kinds.into_iter().zip(self.ids);
        let marked = self.deleted.into_iter().zip(self.versions);
        let hints = named.zip(marked).map(|((kind, id), (deleted, version))| {
            Ok(Hint {
                kind: ObjectKind::from_code(&kind)
                    .ok_or_else(|| DbError::Corrupt(format!("kind {kind}")))?,
                id,
                deleted,
                version,
            })
        });
        let credentials = self.credentials_kind.zip(self.sealed);
        Ok(ToFollow {
            domain: self.domain,
            status: ShopStatus::from_code(&self.status)?,
            credentials: credentials.map(|(kind, sealed)| SealedCredentials {
                kind,
                sealed,
                sealed_access_token: self.sealed_access_token,
                access_token_expires_at: self.access_token_expires_at,
            }),
            hints: hints.collect::<Result<_>>()?,
        })
    }
}

/// Deliveries and what they mention, as columns.
struct Columns {
    ids: Vec<String>,
    topics: Vec<String>,
    digests: Vec<Option<Vec<u8>>>,
    hint_kinds: Vec<String>,
    hint_ids: Vec<i64>,
    hints_deleted: Vec<bool>,
}

impl Columns {
    /// Each object that is mentioned comes once, in the order of the keys of hints.
    fn of(deliveries: &[Delivery<'_>]) -> Self {
        let mut hints = BTreeMap::new();
        for (kind, id, deleted) in deliveries.iter().flat_map(|one| one.hints) {
            *hints.entry((kind.code(), *id)).or_insert(false) |= deleted;
        }
        let digest = |one: &Delivery<'_>| one.digest.map(<[u8]>::to_vec);
        Self {
            ids: deliveries.iter().map(|one| one.id.to_owned()).collect(),
            topics: deliveries.iter().map(|one| one.topic.to_owned()).collect(),
            digests: deliveries.iter().map(digest).collect(),
            hint_kinds: hints.keys().map(|(kind, _)| (*kind).to_owned()).collect(),
            hint_ids: hints.keys().map(|(_, id)| *id).collect(),
            hints_deleted: hints.into_values().collect(),
        }
    }
}

#[expect(
    clippy::as_conversions,
    reason = "how a query is told that elements may be null"
)]
async fn note_deliveries(
    database: impl PgExecutor<'_>,
    tenant: TenantId,
    deliveries: &[Delivery<'_>],
    CalledFor { job, claim }: CalledFor,
    now: DateTime<Utc>,
) -> Result<Noted> {
    let columns = Columns::of(deliveries);
    let row = job.map(|job| job.row(tenant)).transpose()?;
    let (kind, key, payload) = row.map_or((None, None, None), |row| {
        (Some(row.kind), Some(row.dedupe_key), Some(row.payload))
    });
    let noted = sqlx::query!(
        "select noted as \"noted!\", queued as \"queued!\", claimed, follow as \"follow: StoreToFollow\" \
         from take_deliveries($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        tenant.uuid(),
        &columns.ids,
        &columns.topics,
        &columns.digests as &[Option<Vec<u8>>],
        now,
        &columns.hint_kinds,
        &columns.hint_ids,
        &columns.hints_deleted,
        kind,
        key,
        payload,
        claim.map(|claim| claim.worker),
        claim.map(|claim| claim.until),
        presence::CHANNEL,
        presence::Heard::Queued.text(),
        claim.map(|claim| claim.hints),
    )
    .fetch_one(database)
    .await?;
    if !noted.noted {
        return Ok(Noted::Repeated);
    }
    let (Some(kind), Some(claim), Some(id)) = (job, claim, noted.claimed) else {
        return Ok(if job.is_some() && !noted.queued {
            Noted::WaitsAlready
        } else {
            Noted::Queued
        });
    };
    let to_follow = noted
        .follow
        .map(StoreToFollow::read)
        .transpose()?
        .map(Box::new);
    let job = Job::handed(id, claim.worker, tenant, kind);
    Ok(Noted::Claimed(job, to_follow))
}

impl TenantTx {
    /// Notes a delivery as [`Database::note_deliveries`] does, within a transaction, with which it lasts.
    pub async fn note_delivery(
        &mut self,
        delivery: Delivery<'_>,
        called_for: CalledFor,
        now: DateTime<Utc>,
    ) -> Result<Noted> {
        let tenant = self.tenant();
        note_deliveries(self.connection(), tenant, &[delivery], called_for, now).await
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

    /// Takes hints away that were followed; those heard again meanwhile stay. Where none are left of the store, the
    /// job is done, and is taken off the queue with them; so is one that was queued meanwhile, for a hint that is seen
    /// here with it.
    pub async fn drop_hints(
        &mut self,
        kind: ObjectKind,
        hints: &[Hint],
        job: &Job,
        now: DateTime<Utc>,
    ) -> Result<Followed> {
        let tenant = self.tenant().uuid();
        // In the order of those who leave them, so that each waits for the other at the first hint of both.
        let mut in_order: Vec<(i64, i64)> =
            hints.iter().map(|hint| (hint.id, hint.version)).collect();
        in_order.sort_unstable();
        let (ids, versions): (Vec<i64>, Vec<i64>) = in_order.into_iter().unzip();
        let row = sqlx::query!(
            "with dropped as ( \
                delete from webhook_hints h using unnest($3::bigint[], $4::bigint[]) d(id, version) \
                where h.tenant_id = $1 and h.kind = $2 and h.id = d.id and h.version = d.version \
                returning h.id), \
             others as materialized ( \
                select (select count(*) from (select from webhook_hints where tenant_id = $1 limit $5) h) \
                   > (select count(*) from dropped) as are_left), \
             done as ( \
                delete from jobs j where j.tenant_id = $1 and not (select are_left from others) \
                   and ((j.id = $6 and j.claimed_by = $7) \
                      or (j.dedupe_key = $9 and j.claimed_by is null and j.dead_at is null))) \
             select are_left as \"are_left!\", \
                exists (select from jobs j where j.tenant_id = $1 and j.id <> $6 \
                and j.dedupe_key <> $9 and j.dead_at is null and j.run_at <= $8 and j.claimed_by is null) as \"more!\" \
             from others",
            tenant,
            kind.code(),
            &ids,
            &versions,
            i64::try_from(hints.len()).unwrap_or(i64::MAX).saturating_add(1),
            job.id,
            job.worker,
            now,
            job.kind.dedupe_key(job.tenant)
        )
        .fetch_one(self.connection())
        .await?;
        Ok(if row.are_left {
            Followed::SomeAreLeft
        } else {
            Followed::All { more: row.more }
        })
    }

    /// Of these orders, those that the store would show if it had them: one that shows only its newest orders says
    /// nothing of the others by not having them.
    pub async fn orders_that_are_shown(
        &mut self,
        ids: &[i64],
        now: DateTime<Utc>,
    ) -> Result<Vec<i64>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select i.id as \"id!\" from unnest($2::bigint[]) i(id) where not exists ( \
                select from orders o join shops s on s.tenant_id = o.tenant_id \
                where o.tenant_id = $1 and o.id = i.id \
                   and least(o.created_at, o.processed_at) < $3::timestamptz - make_interval(days => s.order_history_days))",
            tenant,
            ids,
            now
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

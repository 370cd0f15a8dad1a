//! Deliveries of webhooks, and the objects that they request to be fetched again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::jobs::JobKind;
use super::shops::{SealedCredentials, ShopStatus};
use super::{BEGIN, Database, DbError, Result, TenantTx, begin};
use crate::domain::ids::{PrivacyRequestId, TenantId};
use crate::domain::shop::ShopDomain;
use crate::domain::sync::ObjectKind;

/// An object that has to be fetched again because Shopify reported a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingRefetch {
    /// The kind of object.
    pub kind: ObjectKind,
    /// Its Shopify id.
    pub id: i64,
    /// Whether Shopify reported it as deleted.
    pub deleted: bool,
    /// Grows with each request.
    pub version: i64,
}

/// A delivery.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Its id, the same for every repetition.
    pub id: &'a str,
    /// `orders/updated`
    pub topic: &'a str,
    /// The digest of its body, where a replay under another id would do harm.
    pub digest: Option<&'a [u8]>,
    /// The objects to fetch, and whether Shopify reported them as deleted.
    pub refetches: &'a [(ObjectKind, i64, bool)],
}

/// How recording deliveries ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOutcome {
    /// All of them were recorded before, or the shop is gone. Nothing was written.
    Duplicate,
    /// They are recorded, and their job is queued or there is none.
    Recorded,
    /// They are recorded, and the same job was waiting already.
    JobWasWaiting,
}

/// The next objects of a shop to fetch again.
#[derive(Debug)]
pub struct RefetchBatch {
    /// The domain of the shop.
    pub domain: ShopDomain,
    /// Whether Shopify can be asked.
    pub status: ShopStatus,
    /// The credentials, if there are any.
    pub credentials: Option<SealedCredentials>,
    /// The requests that wait longest.
    pub refetches: Vec<PendingRefetch>,
}

impl Database {
    /// A transaction on the connections that are reserved for deliveries.
    pub async fn webhook_transaction(&self, tenant: TenantId) -> Result<TenantTx> {
        TenantTx::enter(begin(&self.webhook_pool, BEGIN).await?, tenant).await
    }
}

/// Refetch requests as columns: each object once, in the order of its key, so that two transactions lock the same
/// rows in the same order.
struct RefetchColumns {
    kinds: Vec<String>,
    ids: Vec<i64>,
    deleted: Vec<bool>,
}

impl RefetchColumns {
    fn new(deliveries: &[Delivery<'_>]) -> Self {
        let mut refetches = BTreeMap::new();
        for (kind, id, deleted) in deliveries.iter().flat_map(|delivery| delivery.refetches) {
            *refetches.entry((kind.code(), *id)).or_insert(false) |= deleted;
        }
        Self {
            kinds: refetches
                .keys()
                .map(|(kind, _)| (*kind).to_owned())
                .collect(),
            ids: refetches.keys().map(|(_, id)| *id).collect(),
            deleted: refetches.into_values().collect(),
        }
    }
}

impl TenantTx {
    /// Records deliveries with the objects that they request, and queues their job, unless all of them were recorded
    /// before. A duplicate among new deliveries requests its objects once more, which does no harm.
    pub async fn record_deliveries(
        &mut self,
        deliveries: &[Delivery<'_>],
        job: Option<JobKind>,
        now: DateTime<Utc>,
    ) -> Result<RecordOutcome> {
        let topics = self.insert_deliveries(deliveries, now).await?;
        if topics.is_empty() {
            return Ok(RecordOutcome::Duplicate);
        }
        self.update_topics(topics, now).await?;
        self.request_refetches(deliveries, now).await?;
        let Some(job) = job else {
            return Ok(RecordOutcome::Recorded);
        };
        Ok(if self.queue_job(job, now).await? {
            RecordOutcome::Recorded
        } else {
            RecordOutcome::JobWasWaiting
        })
    }

    /// Returns the topics of the deliveries that were new.
    #[expect(
        clippy::as_conversions,
        reason = "tells query_file! that elements may be null"
    )]
    async fn insert_deliveries(
        &mut self,
        deliveries: &[Delivery<'_>],
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<String>> {
        let tenant = self.tenant().uuid();
        let ids: Vec<String> = deliveries.iter().map(|one| one.id.to_owned()).collect();
        let topics: Vec<String> = deliveries.iter().map(|one| one.topic.to_owned()).collect();
        let digests: Vec<Option<Vec<u8>>> = deliveries
            .iter()
            .map(|one| one.digest.map(<[u8]>::to_vec))
            .collect();
        let recorded = sqlx::query_file_scalar!(
            "src/db/webhooks/sql/record_deliveries.sql",
            tenant,
            &ids,
            &topics,
            &digests as &[Option<Vec<u8>>],
            now
        )
        .fetch_all(self.connection())
        .await?;
        Ok(recorded.into_iter().collect())
    }

    async fn update_topics(&mut self, topics: BTreeSet<String>, now: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant().uuid();
        let topics: Vec<String> = topics.into_iter().collect();
        sqlx::query_file!(
            "src/db/webhooks/sql/update_topics.sql",
            tenant,
            &topics,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn request_refetches(
        &mut self,
        deliveries: &[Delivery<'_>],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let columns = RefetchColumns::new(deliveries);
        if columns.ids.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        sqlx::query_file!(
            "src/db/webhooks/sql/request_refetches.sql",
            tenant,
            &columns.kinds,
            &columns.ids,
            &columns.deleted,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Requests all stored orders of a customer: they may belong to another customer now.
    pub async fn request_orders_of_customer(
        &mut self,
        customer: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into pending_refetches (tenant_id, kind, id, deleted, requested_at) \
             select o.tenant_id, 'ORDERS', o.id, false, $3::timestamptz from orders o \
             where o.tenant_id = $1 and o.customer_id = $2 and o.deleted_at is null order by o.id \
             on conflict (tenant_id, kind, id) do update set version = pending_refetches.version + 1",
            tenant,
            customer,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The shop and at most `limit` of its refetch requests, oldest first. `None`: the shop is gone.
    pub async fn next_refetches(&mut self, limit: i64) -> Result<Option<RefetchBatch>> {
        let tenant = self.tenant().uuid();
        let target = sqlx::query_file!("src/db/webhooks/sql/refetch_target.sql", tenant)
            .fetch_optional(self.connection())
            .await?;
        let Some(target) = target else {
            return Ok(None);
        };
        let rows = sqlx::query_file!("src/db/webhooks/sql/pending_refetches.sql", tenant, limit)
            .fetch_all(self.connection())
            .await?;
        let refetches = rows.into_iter().map(|row| {
            let kind = ObjectKind::from_code(&row.kind);
            Ok(PendingRefetch {
                kind: kind.ok_or_else(|| DbError::Corrupt(format!("kind {}", row.kind)))?,
                id: row.id,
                deleted: row.deleted,
                version: row.version,
            })
        });
        let credentials = target.credentials_kind.zip(target.sealed);
        Ok(Some(RefetchBatch {
            domain: target.domain,
            status: ShopStatus::from_code(&target.status)?,
            credentials: credentials.map(|(kind, sealed)| SealedCredentials {
                kind,
                sealed,
                sealed_access_token: target.sealed_access_token,
                access_token_expires_at: target.access_token_expires_at,
            }),
            refetches: refetches.collect::<Result<_>>()?,
        }))
    }

    /// Whether objects wait to be fetched again.
    pub async fn has_pending_refetches(&mut self) -> Result<bool> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select exists (select from pending_refetches where tenant_id = $1) as \"some!\"",
            tenant
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Deletes requests that were executed. One that was repeated meanwhile stays.
    pub async fn delete_refetches(
        &mut self,
        kind: ObjectKind,
        refetches: &[PendingRefetch],
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        // In the order in which deliveries lock them.
        let mut keys: Vec<(i64, i64)> = refetches.iter().map(|one| (one.id, one.version)).collect();
        keys.sort_unstable();
        let (ids, versions): (Vec<i64>, Vec<i64>) = keys.into_iter().unzip();
        sqlx::query_file!(
            "src/db/webhooks/sql/delete_refetches.sql",
            tenant,
            kind.code(),
            &ids,
            &versions
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Filters out orders that are too old for Shopify to show. A missing order that is visible was deleted.
    pub async fn visible_orders(&mut self, ids: &[i64], now: DateTime<Utc>) -> Result<Vec<i64>> {
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

    /// Records a customer's privacy request.
    pub async fn record_privacy_request(
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

    /// The sealed credentials that hold the webhook secrets: the current ones, and the previous ones if they were
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

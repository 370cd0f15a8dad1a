//! Privacy requests: a document of the stored data of a customer, its deletion, and the erasure of a whole shop.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{DbError, Result, SystemTx, TenantTx};
use crate::domain::audit::Actor;
use crate::domain::ids::{PrivacyRequestId, TenantId};
use crate::domain::privacy::PrivacyRequestKind;
use crate::domain::shop::ShopDomain;

/// A customer's request that Shopify passed on.
#[derive(Clone, Debug, PartialEq)]
pub struct PrivacyRequest {
    /// Its id.
    pub id: PrivacyRequestId,
    /// `DATA_REQUEST` or `CUSTOMER_REDACTION`.
    pub kind: PrivacyRequestKind,
    /// The customer.
    pub customer_id: i64,
    /// The orders that Shopify named.
    pub order_ids: Vec<i64>,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// When it was answered.
    pub completed_at: Option<DateTime<Utc>>,
    /// The stored data of the customer.
    pub document: Option<Value>,
}

fn request_kind(code: &str) -> Result<PrivacyRequestKind> {
    PrivacyRequestKind::from_code(code)
        .ok_or_else(|| DbError::Corrupt(format!("a privacy request of the kind {code}")))
}

impl TenantTx {
    /// A request by its id.
    pub async fn privacy_request(
        &mut self,
        id: PrivacyRequestId,
    ) -> Result<Option<PrivacyRequest>> {
        let tenant = self.tenant().uuid();
        let row = sqlx::query!(
            "select id, kind, customer_id, order_ids, received_at, completed_at, document \
             from privacy_requests where tenant_id = $1 and id = $2",
            tenant,
            id.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            Ok(PrivacyRequest {
                id: PrivacyRequestId::trusted(row.id),
                kind: request_kind(&row.kind)?,
                customer_id: row.customer_id,
                order_ids: row.order_ids,
                received_at: row.received_at,
                completed_at: row.completed_at,
                document: row.document,
            })
        })
        .transpose()
    }

    /// The newest requests first.
    pub async fn privacy_requests(&mut self, limit: i64) -> Result<Vec<PrivacyRequest>> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "select id as \"id: PrivacyRequestId\", kind, customer_id, order_ids, received_at, completed_at, document \
             from privacy_requests where tenant_id = $1 order by received_at desc, id desc limit $2",
            tenant,
            limit
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(PrivacyRequest {
                    id: row.id,
                    kind: request_kind(&row.kind)?,
                    customer_id: row.customer_id,
                    order_ids: row.order_ids,
                    received_at: row.received_at,
                    completed_at: row.completed_at,
                    document: row.document,
                })
            })
            .collect()
    }

    /// All stored data of a customer as one document, with their orders and those that Shopify named.
    pub async fn customer_document(&mut self, customer: i64, orders: &[i64]) -> Result<Value> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select jsonb_build_object( \
                'customer', (select jsonb_build_object('id', c.id, 'displayName', c.display_name, 'email', c.email, \
                      'tags', c.tags, 'createdAt', c.created_at, 'updatedAt', c.updated_at) \
                   from customers c where c.tenant_id = $1 and c.id = $2), \
                'orders', coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, \
                      'processedAt', o.processed_at, 'cancelledAt', o.cancelled_at, 'currency', o.currency, \
                      'totalPrice', o.total_price::text, 'netPayment', o.net_payment::text, 'tags', o.tags, \
                      'discountCodes', o.discount_codes, \
                      'lineItems', (select coalesce(jsonb_agg(jsonb_build_object('title', l.title, 'sku', l.sku, \
                            'quantity', l.quantity, 'discountedTotal', l.discounted_total::text) order by l.id), '[]') \
                         from line_items l where l.tenant_id = $1 and l.order_id = o.id), \
                      'refunds', (select coalesce(jsonb_agg(jsonb_build_object('processedAt', r.processed_at, \
                            'totalRefunded', r.total_refunded::text) order by r.id), '[]') \
                         from refunds r where r.tenant_id = $1 and r.order_id = o.id)) order by o.id) \
                   from orders o where o.tenant_id = $1 and (o.customer_id = $2 or o.id = any($3))), '[]')) \
                as \"document!\"",
            tenant,
            customer,
            orders
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Deletes a customer's personal fields, the tags of their orders, and earlier documents. Later syncs do not restore
    /// them. No figure changes.
    pub async fn redact_customer(
        &mut self,
        customer: i64,
        orders: &[i64],
        now: DateTime<Utc>,
    ) -> Result<()> {
        // Upserts hold this lock. One that began before the request was recorded has ended now.
        let shop = self.lock_shop().await?;
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update customers set display_name = '', email = null, tags = '{}', redacted_at = $3, content_hash = 0 \
             where tenant_id = $1 and id = $2",
            tenant,
            customer,
            now
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "update orders set tags = '{}' where tenant_id = $1 and (customer_id = $2 or id = any($3)) and tags <> '{}'",
            tenant,
            customer,
            orders
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "update privacy_requests set document = null where tenant_id = $1 and customer_id = $2",
            tenant,
            customer
        )
        .execute(self.connection())
        .await?;
        self.bump_data_version(&shop).await
    }

    /// Records that a request was answered.
    pub async fn complete_privacy_request(
        &mut self,
        id: PrivacyRequestId,
        document: Option<&Value>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update privacy_requests set completed_at = $3, document = $4 where tenant_id = $1 and id = $2",
            tenant,
            id.uuid(),
            now,
            document
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Deletes the token, and replaces the credentials by the rest of them.
    pub async fn delete_access(&mut self, sealed: &[u8], now: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update shop_credentials set sealed = $2, sealed_access_token = null, access_token_expires_at = null, \
                    sealed_previous = null, updated_at = $3 \
             where tenant_id = $1",
            tenant,
            sealed,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Cancels the active sync run and deletes the pending refetches of a disconnected shop.
    pub async fn cancel_sync_runs(&mut self, now: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "update sync_runs set status = 'CANCELLED', finished_at = $2 \
             where tenant_id = $1 and status in ('QUEUED', 'RUNNING')",
            tenant,
            now
        )
        .execute(self.connection())
        .await?;
        sqlx::query!("delete from pending_refetches where tenant_id = $1", tenant)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Deletes all data of the shop. Tables come before the tables that they reference.
    pub async fn delete_everything(&mut self) -> Result<()> {
        let tenant = self.tenant().uuid();
        let statements = [
            sqlx::query!("delete from sales where tenant_id = $1", tenant),
            sqlx::query!("delete from line_items where tenant_id = $1", tenant),
            sqlx::query!("delete from refunds where tenant_id = $1", tenant),
            sqlx::query!("delete from orders where tenant_id = $1", tenant),
            sqlx::query!("delete from product_variants where tenant_id = $1", tenant),
            sqlx::query!("delete from products where tenant_id = $1", tenant),
            sqlx::query!("delete from customers where tenant_id = $1", tenant),
            sqlx::query!("delete from tombstones where tenant_id = $1", tenant),
            sqlx::query!("delete from sales_rollups where tenant_id = $1", tenant),
            sqlx::query!("delete from sales_totals where tenant_id = $1", tenant),
            sqlx::query!(
                "delete from first_order_counts where tenant_id = $1",
                tenant
            ),
            sqlx::query!(
                "delete from repeat_order_counts where tenant_id = $1",
                tenant
            ),
            sqlx::query!(
                "delete from second_order_counts where tenant_id = $1",
                tenant
            ),
            sqlx::query!("delete from sync_steps where tenant_id = $1", tenant),
            sqlx::query!("delete from sync_runs where tenant_id = $1", tenant),
            sqlx::query!(
                "delete from webhook_deliveries where tenant_id = $1",
                tenant
            ),
            sqlx::query!("delete from webhook_topics where tenant_id = $1", tenant),
            sqlx::query!("delete from pending_refetches where tenant_id = $1", tenant),
            sqlx::query!("delete from privacy_requests where tenant_id = $1", tenant),
            sqlx::query!("delete from audit_log where tenant_id = $1", tenant),
            sqlx::query!("delete from shop_maintenance where tenant_id = $1", tenant),
            sqlx::query!("delete from shop_credentials where tenant_id = $1", tenant),
            sqlx::query!("delete from shops where tenant_id = $1", tenant),
        ];
        for statement in statements {
            statement.execute(self.connection()).await?;
        }
        Ok(())
    }
}

/// A shop whose data was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedShop {
    /// Its domain.
    pub domain: String,
    /// Who requested it: `OPERATOR` or `SHOPIFY`.
    pub requested_by: String,
    /// When it was deleted.
    pub deleted_at: DateTime<Utc>,
}

impl SystemTx {
    /// Removes a shop from the schedules and deletes its jobs, except `job`. A running job that creates webhook
    /// subscriptions goes on; the one that deletes them waits for it.
    pub async fn disconnect_tenant(&mut self, tenant: TenantId, job: Option<i64>) -> Result<()> {
        sqlx::query!(
            "update tenants set status = 'DISCONNECTED' where id = $1",
            tenant.uuid()
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from jobs where tenant_id = $1 and ($2::bigint is null or id <> $2) \
               and (kind in ('sync', 'refetch', 'reconcile') or kind in ('subscriptions', 'disconnect') and claimed_by is null)",
            tenant.uuid(),
            job
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Records that a shop was erased, and who demanded it.
    pub async fn record_erasure(
        &mut self,
        tenant: TenantId,
        domain: &ShopDomain,
        requested_by: &Actor,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "insert into erased_shops (id, shop_domain, requested_by, deleted_at) values ($1, $2, $3, $4) \
             on conflict do nothing",
            tenant.uuid(),
            domain.as_str(),
            requested_by.kind(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The erased shops, the last first.
    pub async fn erased_shops(&mut self) -> Result<Vec<ErasedShop>> {
        Ok(sqlx::query_as!(
            ErasedShop,
            "select shop_domain as domain, requested_by, deleted_at from erased_shops order by deleted_at desc, id"
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Deletes a tenant with its jobs, except `job`, and the users that belong to no other tenant.
    pub async fn delete_tenant(&mut self, tenant: TenantId, job: i64) -> Result<()> {
        sqlx::query!(
            "delete from jobs where tenant_id = $1 and id <> $2",
            tenant.uuid(),
            job
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from users u where exists (select from memberships m where m.user_id = u.id and m.tenant_id = $1) \
               and not exists (select from memberships m where m.user_id = u.id and m.tenant_id <> $1)",
            tenant.uuid()
        )
        .execute(self.connection())
        .await?;
        sqlx::query!("delete from tenants where id = $1", tenant.uuid())
            .execute(self.connection())
            .await?;
        self.access_changed(tenant.uuid()).await
    }
}

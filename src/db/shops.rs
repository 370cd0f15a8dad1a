//! The connected shop: its record, encrypted credentials, status and sync cursors, and the calendar days of its time zone.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Database, DbError, Result, SystemTx, TenantTx};
use crate::domain::ids::TenantId;
use crate::domain::money::Currency;
use crate::domain::shop::{ShopDomain, ShopRecord};
use crate::domain::sync::ObjectKind;

impl Database {
    /// The first of these time zone names that PostgreSQL supports. PostgreSQL may use other time zone data than this
    /// program.
    pub async fn known_time_zone(&self, names: &[String]) -> Result<Option<String>> {
        for name in names {
            let asked = sqlx::query_scalar!("select now() at time zone $1 as there", name)
                .fetch_one(&self.pool)
                .await
                .map_err(DbError::from);
            match asked {
                Ok(_) => return Ok(Some(name.clone())),
                Err(error) if error.is_invalid_parameter() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// A connected shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shop {
    /// `gid://shopify/Shop/…`
    pub gid: String,
    /// The permanent domain.
    pub domain: ShopDomain,
    /// The name that the merchant gave it.
    pub name: String,
    /// The currency of the figures.
    pub currency: Currency,
    /// The IANA time zone of the calendar days.
    pub time_zone: String,
    /// The granted access scopes.
    pub scopes: Vec<String>,
    /// Whether XBoard can fetch from the shop.
    pub status: ShopStatus,
    /// The reason, in one sentence, if XBoard cannot fetch.
    pub status_reason: Option<String>,
    /// The number of days of orders that Shopify shows. `None`: all orders.
    pub order_history_days: Option<i32>,
    /// The sync cursor of each kind of object: every change up to this `updatedAt` has been fetched.
    pub fetched_up_to: FetchedUpTo,
    /// When a sync last succeeded.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Increases with every committed change.
    pub data_version: i64,
    /// The data version of the last full rebuild of the rollups.
    pub rebuilt_version: i64,
    /// The number of customers without deleted ones.
    pub customers: i64,
}

/// The sync cursor of each kind of object. `None` before the first sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchedUpTo {
    customers: Option<DateTime<Utc>>,
    products: Option<DateTime<Utc>>,
    orders: Option<DateTime<Utc>>,
}

impl FetchedUpTo {
    /// The cursor of one kind.
    #[must_use]
    pub const fn of(&self, kind: ObjectKind) -> Option<DateTime<Utc>> {
        match kind {
            ObjectKind::Customers => self.customers,
            ObjectKind::Products => self.products,
            ObjectKind::Orders => self.orders,
        }
    }
}

/// What maintenance and webhooks last reported about a shop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When the ids were last compared with Shopify's.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// How many objects the last reconciliation fetched.
    pub reconciled_missed: i32,
    /// How many objects the last reconciliation removed.
    pub reconciled_deleted: i32,
    /// When the webhook subscriptions were last checked.
    pub webhooks_checked_at: Option<DateTime<Utc>>,
    /// Why webhooks are incomplete.
    pub webhooks_problem: Option<String>,
    /// The topics that deliveries arrived for, with the time of the last one.
    pub last_deliveries: Vec<(String, DateTime<Utc>)>,
}

/// A calendar day of a time zone, with the instants at which the day and the next day begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalDay {
    /// The day.
    pub day: NaiveDate,
    /// The instant at which the day begins.
    pub starts: DateTime<Utc>,
    /// The instant at which the next day begins.
    pub ends: DateTime<Utc>,
}

impl LocalDay {
    /// Whether the instant lies in the day.
    #[must_use]
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        (self.starts..self.ends).contains(&instant)
    }
}

/// Whether XBoard can fetch from a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShopStatus {
    /// XBoard can fetch.
    Connected,
    /// Shopify refused the credentials. The owner has to enter new ones.
    ReauthorisationNeeded,
    /// Shopify closed, froze or locked the shop.
    Suspended,
    /// The owner disconnected the shop.
    Disconnected,
}

impl ShopStatus {
    /// The status as the database and the API write it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Connected => "CONNECTED",
            Self::ReauthorisationNeeded => "REAUTHORISATION_NEEDED",
            Self::Suspended => "SUSPENDED",
            Self::Disconnected => "DISCONNECTED",
        }
    }

    pub(super) fn from_code(code: &str) -> Result<Self> {
        [
            Self::Connected,
            Self::ReauthorisationNeeded,
            Self::Suspended,
            Self::Disconnected,
        ]
        .into_iter()
        .find(|status| status.code() == code)
        .ok_or_else(|| DbError::Corrupt(format!("shop status {code}")))
    }
}

/// Encrypted credentials, and the newest access token that they gave.
#[derive(Clone, Debug)]
pub struct SealedCredentials {
    /// `ACCESS_TOKEN`, `CLIENT_CREDENTIALS` or `OAUTH`.
    pub kind: String,
    /// The credentials.
    pub sealed: Vec<u8>,
    /// The access token of a client-credentials grant.
    pub sealed_access_token: Option<Vec<u8>>,
    /// When the access token expires.
    pub access_token_expires_at: Option<DateTime<Utc>>,
}

/// All encrypted values of a shop.
#[derive(Clone, Debug)]
pub struct SealedValues {
    /// The credentials.
    pub sealed: Vec<u8>,
    /// The newest access token that the credentials gave.
    pub sealed_access_token: Option<Vec<u8>>,
    /// The previous credentials. Shopify still signs some webhooks with them.
    pub sealed_previous: Option<Vec<u8>>,
}

impl TenantTx {
    /// The shop. `None`: there is no such shop, or it was deleted.
    pub async fn shop(&mut self) -> Result<Option<Shop>> {
        let tenant = self.tenant();
        let row = sqlx::query!(
            "select shop_gid, domain as \"domain: ShopDomain\", name, currency as \"currency: Currency\", time_zone, \
                    scopes, status, status_reason, order_history_days, customers_cursor, products_cursor, orders_cursor, \
                    last_synced_at, data_version, rebuilt_version, customers \
             from shops where tenant_id = $1",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(Shop {
            gid: row.shop_gid,
            domain: row.domain,
            name: row.name,
            currency: row.currency,
            time_zone: row.time_zone,
            scopes: row.scopes,
            status: ShopStatus::from_code(&row.status)?,
            status_reason: row.status_reason,
            order_history_days: row.order_history_days,
            fetched_up_to: FetchedUpTo {
                customers: row.customers_cursor,
                products: row.products_cursor,
                orders: row.orders_cursor,
            },
            last_synced_at: row.last_synced_at,
            data_version: row.data_version,
            rebuilt_version: row.rebuilt_version,
            customers: row.customers,
        }))
    }

    /// What maintenance and webhooks last reported about the shop.
    pub async fn health(&mut self) -> Result<Health> {
        let tenant = self.tenant();
        let rows = sqlx::query!(
            "select m.reconciled_at as \"reconciled_at?\", m.reconciled_missed as \"reconciled_missed?\", \
                    m.reconciled_deleted as \"reconciled_deleted?\", m.webhooks_checked_at as \"webhooks_checked_at?\", \
                    m.webhooks_problem as \"webhooks_problem?\", w.topic as \"topic?\", \
                    w.last_received_at as \"last_received_at?\" \
             from shops s left join shop_maintenance m on m.tenant_id = s.tenant_id \
             left join webhook_topics w on w.tenant_id = s.tenant_id where s.tenant_id = $1",
            tenant.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        let mut health = Health::default();
        for row in rows {
            health.reconciled_at = row.reconciled_at;
            health.reconciled_missed = row.reconciled_missed.unwrap_or(0);
            health.reconciled_deleted = row.reconciled_deleted.unwrap_or(0);
            health.webhooks_checked_at = row.webhooks_checked_at;
            health.webhooks_problem = row.webhooks_problem;
            health
                .last_deliveries
                .extend(row.topic.zip(row.last_received_at));
        }
        Ok(health)
    }

    /// The instants at which calendar days of a zone begin, in the order of the days.
    pub async fn day_starts(
        &mut self,
        days: &[NaiveDate],
        time_zone: &str,
    ) -> Result<Vec<DateTime<Utc>>> {
        Ok(sqlx::query_scalar!(
            "select day_start(day, $2) as \"start!\" from unnest($1::date[]) with ordinality d(day, place) \
             order by place",
            days,
            time_zone
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// The calendar day of a time zone in which an instant lies.
    pub async fn local_day(&mut self, time_zone: &str, now: DateTime<Utc>) -> Result<LocalDay> {
        Ok(sqlx::query_as!(
            LocalDay,
            "select day as \"day!\", day_start(day, $1) as \"starts!\", day_start(day + 1, $1) as \"ends!\" \
             from (select ($2::timestamptz at time zone $1)::date as day) present",
            time_zone,
            now
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Inserts a newly connected shop.
    pub async fn create_shop(&mut self, record: &ShopRecord, now: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "insert into shops (tenant_id, shop_gid, domain, name, currency, time_zone, scopes, status, \
                                order_history_days, connected_at) \
             values ($1, $2, $3, $4, $5, $6, $7, 'CONNECTED', $8, $9)",
            tenant.uuid(),
            record.gid,
            record.domain.as_str(),
            record.name,
            record.currency.code(),
            record.time_zone,
            &record.scopes,
            record.order_history_days(),
            now,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Saves the shop's present record and marks the shop connected, unless the shop is disconnected. After a changed
    /// currency or time zone the caller must rebuild the figures, because the ledger's days and the rollups depend on
    /// both.
    pub async fn update_shop(&mut self, record: &ShopRecord) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update shops set name = $2, currency = $3, time_zone = $4, scopes = $5, order_history_days = $6, \
                    status = 'CONNECTED', status_reason = null, data_version = data_version + 1 \
             where tenant_id = $1 and status <> 'DISCONNECTED' \
               and (name, currency, time_zone, scopes, order_history_days, status) \
                   is distinct from ($2, $3, $4, $5, $6, 'CONNECTED')",
            tenant.uuid(),
            record.name,
            record.currency.code(),
            record.time_zone,
            &record.scopes,
            record.order_history_days(),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Marks the shop connected, with these scopes.
    pub async fn mark_connected(&mut self, scopes: &[String]) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update shops set status = 'CONNECTED', status_reason = null, scopes = $2, \
                    data_version = data_version + 1 where tenant_id = $1",
            tenant.uuid(),
            scopes,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Lets syncs fetch from the shop again; the next run reads the granted scopes. False: the shop is disconnected,
    /// and stays so.
    pub async fn mark_reauthorised(&mut self) -> Result<bool> {
        let tenant = self.tenant();
        let marked = sqlx::query!(
            "update shops set status = 'CONNECTED', status_reason = null, data_version = data_version + 1 \
             where tenant_id = $1 and status <> 'DISCONNECTED'",
            tenant.uuid(),
        )
        .execute(self.connection())
        .await?;
        Ok(marked.rows_affected() == 1)
    }

    /// Records that XBoard cannot fetch from the shop, and why. A disconnected shop keeps its status: a job that was
    /// still running then fails, and its error would hide the reason.
    pub async fn set_shop_status(&mut self, status: ShopStatus, reason: &str) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update shops set status = $2, status_reason = $3, data_version = data_version + 1 \
             where tenant_id = $1 and status <> 'DISCONNECTED'",
            tenant.uuid(),
            status.code(),
            reason,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The sync cursor of a kind: every change up to this `updatedAt` has been fetched.
    pub async fn sync_cursor(&mut self, kind: ObjectKind) -> Result<Option<DateTime<Utc>>> {
        let tenant = self.tenant();
        let cursors = sqlx::query!(
            "select customers_cursor, products_cursor, orders_cursor from shops where tenant_id = $1",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(cursors.and_then(|cursors| match kind {
            ObjectKind::Customers => cursors.customers_cursor,
            ObjectKind::Products => cursors.products_cursor,
            ObjectKind::Orders => cursors.orders_cursor,
        }))
    }

    /// Moves the cursor of a kind forward, never back.
    pub async fn advance_sync_cursor(&mut self, kind: ObjectKind, to: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update shops set \
                customers_cursor = case when $2 = 'CUSTOMERS' then greatest(customers_cursor, $3) else customers_cursor end, \
                products_cursor = case when $2 = 'PRODUCTS' then greatest(products_cursor, $3) else products_cursor end, \
                orders_cursor = case when $2 = 'ORDERS' then greatest(orders_cursor, $3) else orders_cursor end \
             where tenant_id = $1",
            tenant.uuid(),
            kind.code(),
            to,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Records that a sync succeeded. The data version stays, because no data changed.
    pub async fn mark_synced(&mut self, at: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update shops set last_synced_at = $2 where tenant_id = $1",
            tenant.uuid(),
            at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Saves the encrypted credentials. The previous ones move to their own column, because Shopify still signs some
    /// webhooks with them.
    pub async fn save_credentials(
        &mut self,
        kind: &str,
        sealed: &[u8],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "insert into shop_credentials (tenant_id, kind, sealed, updated_at) values ($1, $2, $3, $4) \
             on conflict (tenant_id) do update set kind = excluded.kind, sealed = excluded.sealed, \
                sealed_previous = shop_credentials.sealed, replaced_at = excluded.updated_at, \
                sealed_access_token = null, access_token_expires_at = null, updated_at = excluded.updated_at",
            tenant.uuid(),
            kind,
            sealed,
            now,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The encrypted credentials. Their row is locked until the transaction ends, so that one process at a time
    /// renews the token.
    pub async fn lock_credentials(&mut self) -> Result<Option<SealedCredentials>> {
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            SealedCredentials,
            "select kind, sealed, sealed_access_token, access_token_expires_at \
             from shop_credentials where tenant_id = $1 for update",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?)
    }

    /// Replaces the credentials by a renewed pair of tokens.
    pub async fn save_renewed_credentials(
        &mut self,
        sealed: &[u8],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update shop_credentials set sealed = $2, updated_at = $3 where tenant_id = $1",
            tenant.uuid(),
            sealed,
            now,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// All encrypted values of the shop. Their row is locked until the transaction ends.
    pub async fn lock_sealed_values(&mut self) -> Result<Option<SealedValues>> {
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            SealedValues,
            "select sealed, sealed_access_token, sealed_previous from shop_credentials where tenant_id = $1 for update",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?)
    }

    /// Saves the same values after they were encrypted with another key.
    pub async fn save_sealed_values(&mut self, values: &SealedValues) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update shop_credentials set sealed = $2, sealed_access_token = $3, sealed_previous = $4 \
             where tenant_id = $1",
            tenant.uuid(),
            values.sealed,
            values.sealed_access_token,
            values.sealed_previous,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Saves a renewed access token.
    pub async fn save_access_token(
        &mut self,
        sealed: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant();
        sqlx::query!(
            "update shop_credentials set sealed_access_token = $2, access_token_expires_at = $3 where tenant_id = $1",
            tenant.uuid(),
            sealed,
            expires_at,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// The tenant of the shop with this domain.
    pub async fn find_tenant(&mut self, domain: &ShopDomain) -> Result<Option<TenantId>> {
        Ok(sqlx::query_scalar!(
            "select id as \"id: TenantId\" from tenants where shop_domain = $1",
            domain.as_str()
        )
        .fetch_optional(self.connection())
        .await?)
    }

    /// All tenants, with the domains of their shops.
    pub async fn tenants(&mut self) -> Result<Vec<(TenantId, ShopDomain)>> {
        let rows = sqlx::query!(
            "select id as \"id: TenantId\", shop_domain as \"domain: ShopDomain\" from tenants order by created_at"
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.domain)).collect())
    }

    /// The next tenants in the order of their ids.
    pub async fn tenants_after(
        &mut self,
        after: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<(TenantId, ShopDomain)>> {
        let rows = sqlx::query!(
            "select id as \"id: TenantId\", shop_domain as \"domain: ShopDomain\" from tenants \
             where $1::uuid is null or id > $1 order by id limit $2",
            after.map(TenantId::uuid),
            limit
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.domain)).collect())
    }
}

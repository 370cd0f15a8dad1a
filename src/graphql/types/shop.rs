//! The connected store.

use async_graphql::{Context, Enum, ID, Object};

use super::health::{Facts, ShopHealth};
use crate::db::shops;
use crate::domain::ids::TenantId;
use crate::domain::sync::ObjectKind;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::scalars::Instant;
use crate::graphql::snapshot::ShopContext;

/// A connected shop with all of its data, isolated from every other tenant.
#[derive(Clone, Copy, Debug)]
pub struct Tenant {
    id: TenantId,
}

impl Tenant {
    /// The tenant with an id that came from a token or a membership.
    #[must_use]
    pub const fn new(id: TenantId) -> Self {
        Self { id }
    }
}

/// A connected shop with all of its data, isolated from every other tenant.
#[Object]
impl Tenant {
    /// The tenant's id, for `node`.
    pub async fn id(&self) -> ID {
        NodeId::Tenant.encode(self.id)
    }

    /// The connected shop.
    async fn shop(&self, ctx: &Context<'_>) -> Result<Shop, ApiError> {
        let reading = RequestContext::of(ctx)?.read_tenant(self.id).await?;
        Ok(Shop::new(self.id, &reading.shop()))
    }
}

/// A Shopify shop.
#[derive(Clone, Debug)]
pub struct Shop {
    tenant: TenantId,
    row: shops::Shop,
}

impl Shop {
    fn new(tenant: TenantId, shop: &ShopContext) -> Self {
        Self {
            tenant,
            row: shop.row.clone(),
        }
    }
}

/// A Shopify shop.
#[Object]
impl Shop {
    /// The permanent domain, such as `my-store.myshopify.com`.
    async fn domain(&self) -> &str {
        self.row.domain.as_str()
    }

    /// The shop's name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The ISO 4217 code of the shop's currency. All figures are in this currency.
    async fn currency_code(&self) -> &str {
        self.row.currency.code()
    }

    /// The IANA name of the shop's time zone, such as `Asia/Kolkata`. It determines the shop's
    /// calendar days.
    async fn time_zone(&self) -> &str {
        &self.row.time_zone
    }

    /// Whether XBoard can currently read the shop. `status` has the details.
    async fn connected(&self) -> bool {
        self.row.status == shops::ShopStatus::Connected
    }

    /// The status of the connection to the shop.
    async fn status(&self) -> ShopStatus {
        self.row.status.into()
    }

    /// Why the shop is not connected, in a sentence for the shop's owner. Null while it is
    /// connected.
    async fn status_reason(&self) -> Option<&str> {
        self.row.status_reason.as_deref()
    }

    /// The time the last successful sync finished. Null before the first.
    async fn last_synced_at(&self) -> Option<Instant> {
        self.row.last_synced_at.map(Instant)
    }

    /// The number of past days whose orders Shopify shows the app. Figures of earlier days are
    /// incomplete. Null if the app can read all orders (access scope `read_all_orders`).
    async fn order_history_days(&self) -> Option<i32> {
        self.row.order_history_days
    }

    /// How up to date the shop's data is, and what delays it.
    async fn health(&self, ctx: &Context<'_>) -> Result<ShopHealth, ApiError> {
        let mut reading = RequestContext::of(ctx)?.read_tenant(self.tenant).await?;
        let transaction = reading.transaction();
        let mut fetched = Vec::new();
        for &kind in ObjectKind::ALL {
            let cursor = transaction.sync_cursor(kind).await?;
            fetched.push((kind, cursor.map(Instant)));
        }
        Ok(ShopHealth::from(Facts {
            shop: self.row.clone(),
            maintenance: transaction.maintenance().await?,
            heard: transaction.last_received_by_topic().await?,
            fetched,
        }))
    }
}

/// The status of the connection to a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ShopStatus {
    /// Connected. Changes in the shop are synced.
    Connected,
    /// Shopify has rejected the credentials. Replace them with `updateShopCredentials`.
    ReauthorisationNeeded,
    /// Shopify has closed, frozen or locked the shop.
    Suspended,
    /// The owner has disconnected the shop. Its synced data stays visible.
    Disconnected,
}

impl From<shops::ShopStatus> for ShopStatus {
    fn from(status: shops::ShopStatus) -> Self {
        match status {
            shops::ShopStatus::Connected => Self::Connected,
            shops::ShopStatus::ReauthorisationNeeded => Self::ReauthorisationNeeded,
            shops::ShopStatus::Suspended => Self::Suspended,
            shops::ShopStatus::Disconnected => Self::Disconnected,
        }
    }
}

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

/// One connected store and everything that is kept of it, apart from every other.
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

/// One connected store and everything that is kept of it, apart from every other.
#[Object]
impl Tenant {
    /// The tenant's id, for `node`.
    pub async fn id(&self) -> ID {
        NodeId::Tenant.encode(self.id)
    }

    /// The store.
    async fn shop(&self, ctx: &Context<'_>) -> Result<Shop, ApiError> {
        let reading = RequestContext::of(ctx)?.read_tenant(self.id).await?;
        Ok(Shop::new(self.id, &reading.shop()))
    }
}

/// A Shopify store, as it last described itself.
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

/// A Shopify store, as it last described itself.
#[Object]
impl Shop {
    /// The permanent domain, such as `my-store.myshopify.com`.
    async fn domain(&self) -> &str {
        self.row.domain.as_str()
    }

    /// The name that the merchant gave the store.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The ISO 4217 code of the currency that every figure is counted in.
    async fn currency_code(&self) -> &str {
        self.row.currency.code()
    }

    /// The IANA name of the time zone that the store's calendar days are cut by, such as `Asia/Kolkata`.
    async fn time_zone(&self) -> &str {
        &self.row.time_zone
    }

    /// Whether the store can be read from at present. `status` says more.
    async fn connected(&self) -> bool {
        self.row.status == shops::ShopStatus::Connected
    }

    /// Whether the store can be read from, and what stands in the way if not.
    async fn status(&self) -> ShopStatus {
        self.row.status.into()
    }

    /// What stands in the way, in a sentence for the store's owner. Null while the store is connected.
    async fn status_reason(&self) -> Option<&str> {
        self.row.status_reason.as_deref()
    }

    /// The instant at which a sync last brought everything in. Null until the first one has.
    async fn last_synced_at(&self) -> Option<Instant> {
        self.row.last_synced_at.map(Instant)
    }

    /// How many days of orders Shopify shows this app: figures of days before then are not complete. Null
    /// when it shows all of them (access scope `read_all_orders`).
    async fn order_history_days(&self) -> Option<i32> {
        self.row.order_history_days
    }

    /// How fresh what is shown of the store is, and what keeps it from being fresher.
    async fn health(&self, ctx: &Context<'_>) -> Result<ShopHealth, ApiError> {
        let mut reading = RequestContext::of(ctx)?.read_tenant(self.tenant).await?;
        let transaction = reading.transaction().await?;
        let mut fetched = Vec::new();
        for &kind in ObjectKind::ALL {
            let cursor = transaction.sync_cursor(kind).await?;
            fetched.push((kind, cursor.map(Instant)));
        }
        Ok(ShopHealth::from(Facts {
            shop: self.row.clone(),
            upkeep: transaction.upkeep().await?,
            heard: transaction.heard_topics().await?,
            fetched,
        }))
    }
}

/// Whether a store can be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ShopStatus {
    /// All is well: changes in the store arrive here.
    Connected,
    /// Shopify refused the credentials: `updateShopCredentials` takes new ones.
    ReauthorisationNeeded,
    /// Shopify closed, froze or locked the store.
    Suspended,
    /// The owner disconnected the store. What was read of it remains visible.
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

//! The connected shop.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};

use super::health::ShopHealth;
use crate::db::accounts::DirectoryEntry;
use crate::db::shops;
use crate::domain::ids::TenantId;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::read_snapshot::ShopContext;
use crate::graphql::scalars::Instant;

/// A connected shop with all of its data, isolated from every other tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    id: TenantId,
    listed: Option<DirectoryEntry>,
}

impl Tenant {
    /// The tenant with an id that came from a token or a membership.
    #[must_use]
    pub const fn new(id: TenantId) -> Self {
        Self { id, listed: None }
    }

    /// The same with the shop's entry in the directory.
    #[must_use]
    pub const fn listed(id: TenantId, entry: DirectoryEntry) -> Self {
        Self {
            id,
            listed: Some(entry),
        }
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
        let field = ctx.field();
        let mut selection = field.selection_set();
        let row = match &self.listed {
            // A list of shops is one statement only if it enters no tenant.
            Some(entry) if selection.all(|field| DirectoryEntry::has(field.name())) => {
                return Ok(Shop {
                    tenant: self.id,
                    name: entry.name.clone(),
                    domain: entry.domain.to_string(),
                    row: None,
                });
            }
            _ => RequestContext::of(ctx)?.shop_of(self.id).await?,
        };
        Ok(Shop {
            tenant: self.id,
            name: row.row.name.clone(),
            domain: row.row.domain.to_string(),
            row: Some(row),
        })
    }
}

impl DirectoryEntry {
    /// Whether the directory has a field of `Shop`.
    fn has(field: &str) -> bool {
        matches!(field, "name" | "domain" | "__typename")
    }
}

/// A Shopify shop.
#[derive(Clone, Debug)]
pub struct Shop {
    tenant: TenantId,
    name: String,
    domain: String,
    /// Everything else about the shop, where a field of it is selected.
    row: Option<Arc<ShopContext>>,
}

impl Shop {
    fn row(&self) -> Result<&shops::Shop, ApiError> {
        let row = self.row.as_ref();
        let row = row.ok_or_else(|| ApiError::internal(&"the shop was not read"))?;
        Ok(&row.row)
    }
}

/// A Shopify shop.
#[expect(
    clippy::unused_async,
    reason = "resolvers are async, whether they wait or not"
)]
#[Object]
impl Shop {
    /// The permanent domain, such as `my-store.myshopify.com`.
    async fn domain(&self) -> &str {
        &self.domain
    }

    /// The shop's name.
    async fn name(&self) -> &str {
        &self.name
    }

    /// The ISO 4217 code of the shop's currency. All figures are in this currency.
    async fn currency_code(&self) -> Result<&str, ApiError> {
        Ok(self.row()?.currency.code())
    }

    /// The IANA name of the shop's time zone, such as `Asia/Kolkata`. It determines the shop's
    /// calendar days.
    async fn time_zone(&self) -> Result<&str, ApiError> {
        Ok(&self.row()?.time_zone)
    }

    /// Whether XBoard can currently read the shop. `status` has the details.
    async fn connected(&self) -> Result<bool, ApiError> {
        Ok(self.row()?.status == shops::ShopStatus::Connected)
    }

    /// The status of the connection to the shop.
    async fn status(&self) -> Result<ShopStatus, ApiError> {
        Ok(self.row()?.status.into())
    }

    /// Why the shop is not connected, in a sentence for the shop's owner. Null while it is
    /// connected.
    async fn status_reason(&self) -> Result<Option<&str>, ApiError> {
        Ok(self.row()?.status_reason.as_deref())
    }

    /// The time the last successful sync finished. Null before the first.
    async fn last_synced_at(&self) -> Result<Option<Instant>, ApiError> {
        Ok(self.row()?.last_synced_at.map(Instant))
    }

    /// The number of past days whose orders Shopify shows the app. Figures of earlier days are
    /// incomplete. Null if the app can read all orders (access scope `read_all_orders`).
    async fn order_history_days(&self) -> Result<Option<i32>, ApiError> {
        Ok(self.row()?.order_history_days)
    }

    /// How up to date the shop's data is, and what delays it.
    async fn health(&self, ctx: &Context<'_>) -> Result<ShopHealth, ApiError> {
        let mut reading = RequestContext::of(ctx)?.read_tenant(self.tenant).await?;
        let health = reading.transaction().health().await?;
        Ok(ShopHealth::new(self.row()?, health))
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

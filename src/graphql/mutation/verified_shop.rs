//! A verified shop and its connection, shared by `register`, `connectShop` and their variants for
//! installed shops.

use chrono::{DateTime, Utc};

use super::MutationContext;
use super::actor;
use super::credentials::InputPaths;
use super::session::Session;
use crate::db::SystemTx;
use crate::domain::audit::{Action, Entry};
use crate::domain::credentials::Credentials;
use crate::domain::ids::{SessionId, TenantId, UserId};
use crate::domain::principal::Role;
use crate::domain::shop::ShopRecord;
use crate::domain::sync::{SyncMode, SyncTrigger};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::types::SyncRun;

/// A shop, with the credentials that were verified against it.
#[derive(Clone, Copy)]
pub(super) struct VerifiedShop<'a> {
    pub(super) record: &'a ShopRecord,
    pub(super) credentials: &'a Credentials,
    /// The paths of the shop in the mutation's arguments.
    pub(super) fields: InputPaths,
    /// The hash of the single-use code, if the merchant installed the app.
    pub(super) claim: Option<&'a [u8]>,
}

impl VerifiedShop<'_> {
    /// Uses up the code, if there is one. Returns false if it was already used.
    pub(super) async fn redeem(
        &self,
        system: &mut SystemTx,
        now: DateTime<Utc>,
    ) -> Result<bool, ApiError> {
        match self.claim {
            Some(hash) => Ok(system.take_install_claim(hash, now).await?),
            None => Ok(true),
        }
    }
}

/// Makes a user the owner of a new tenant, and writes the shop, its initial sync and a session.
/// Commits the transaction.
pub(super) async fn create_shop(
    mut system: SystemTx,
    request: &RequestContext,
    services: &MutationContext,
    (user, tenant): (UserId, TenantId),
    from: Option<SessionId>,
    verified: VerifiedShop<'_>,
) -> Result<(Session, SyncRun), ApiError> {
    let now = request.clock.now();
    system
        .create_membership(tenant, user, Role::Owner, now)
        .await?;
    let session = Session::create(&mut system, request, services, (user, tenant), from).await?;
    let entry = Entry::done(Action::StoreConnected, actor(&mut system, user).await?)
        .to(verified.record.domain.as_str())
        .from(request.client_address);
    let mut transaction = system.into_tenant(tenant).await?;
    services
        .sync
        .store_shop(&mut transaction, verified.record, verified.credentials)
        .await?;
    let run = services
        .sync
        .request_sync(&mut transaction, SyncMode::Full, SyncTrigger::Register)
        .await?;
    transaction.note(&entry, now).await?;
    transaction.commit().await?;
    request.refresh().await;
    tracing::info!(tenant.id = %tenant, shop.domain = %verified.record.domain, "a shop was connected");
    Ok((session, SyncRun::new(tenant, run)))
}

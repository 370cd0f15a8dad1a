//! Entering a proven store: what signing up and connecting a further store have in common.

use chrono::{DateTime, Utc};

use super::MutationContext;
use super::actor;
use super::credentials::Fields;
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

/// A store, with the credentials that it was proven with.
#[derive(Clone, Copy)]
pub(super) struct Proven<'a> {
    pub(super) record: &'a ShopRecord,
    pub(super) credentials: &'a Credentials,
    /// Where in the mutation's arguments it was named.
    pub(super) fields: Fields,
    /// The hash of the token with which an installed store is taken over.
    pub(super) claim: Option<&'a [u8]>,
}

impl Proven<'_> {
    /// Uses the token up, where there is one. False: somebody else was faster.
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

/// Makes a user the owner of a store that was just entered into the directory, with the store's own rows, its
/// first sync and a session there; then everything lasts.
pub(super) async fn enter_store(
    mut system: SystemTx,
    request: &RequestContext,
    tools: &MutationContext,
    (user, tenant): (UserId, TenantId),
    from: Option<SessionId>,
    proven: Proven<'_>,
) -> Result<(Session, SyncRun), ApiError> {
    let now = request.clock.now();
    system
        .create_membership(tenant, user, Role::Owner, now)
        .await?;
    let session = Session::begin(&mut system, request, tools, (user, tenant), from).await?;
    let entry = Entry::done(Action::StoreConnected, actor(&mut system, user).await?)
        .to(proven.record.domain.as_str())
        .from(request.client_address);
    let mut transaction = system.into_tenant(tenant).await?;
    tools
        .sync
        .store_shop(&mut transaction, proven.record, proven.credentials)
        .await?;
    let run = tools
        .sync
        .request_sync(&mut transaction, SyncMode::Full, SyncTrigger::Register)
        .await?;
    transaction.note(&entry, now).await?;
    transaction.commit().await?;
    request.refresh().await;
    tracing::info!(tenant.id = %tenant, shop.domain = %proven.record.domain, "a store was connected");
    Ok((session, SyncRun::new(tenant, run)))
}

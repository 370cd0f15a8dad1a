//! Starts syncs.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, actor, permit};
use crate::db::shops::ShopStatus;
use crate::domain::audit::{Action, Entry};
use crate::domain::sync::SyncTrigger;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::types::{SyncMode, SyncRun};

/// Input of `sync`.
#[derive(InputObject)]
pub(super) struct SyncInput {
    /// How much to fetch.
    #[graphql(default_with = "SyncMode::Incremental")]
    mode: SyncMode,
}

/// The result of `sync`.
#[derive(Default, SimpleObject)]
pub(super) struct SyncPayload {
    /// The new run, or the one that was already queued or running. Null if there are `userErrors`.
    sync_run: Option<SyncRun>,
    /// Errors that prevented the sync. Empty on success.
    user_errors: Vec<UserError>,
}

/// The `sync` mutation.
#[derive(Default)]
pub(super) struct SyncMutation;

#[Object]
impl SyncMutation {
    /// Starts a sync of the current shop. If one is already queued or running, in any mode, that
    /// run is returned. Requires the role owner or admin (`NOT_ALLOWED`) and a connected shop
    /// (`SHOP_DISCONNECTED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn sync(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The kind of sync. Incremental by default.")] input: Option<SyncInput>,
    ) -> Result<SyncPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        let principal = match permit(ctx, &["input"])? {
            Ok(principal) => principal,
            Err(error) => {
                return Ok(SyncPayload {
                    sync_run: None,
                    user_errors: vec![error],
                });
            }
        };
        let mode = input.map_or(SyncMode::Incremental, |input| input.mode);
        let mut system = request.database.system().await?;
        let actor = actor(&mut system, principal.user).await?;
        let mut transaction = system.into_tenant(principal.tenant).await?;
        let shop = transaction.shop().await?;
        if shop.is_some_and(|shop| shop.status == ShopStatus::Disconnected) {
            let message = "The shop is disconnected. Connect it again first.";
            let error = UserError::new(&[], UserErrorCode::ShopDisconnected, message);
            return Ok(SyncPayload {
                sync_run: None,
                user_errors: vec![error],
            });
        }
        let run = services
            .sync
            .request_sync(&mut transaction, mode.into(), SyncTrigger::Manual)
            .await?;
        let entry = Entry::done(Action::SyncRequested, actor)
            .to(run.mode.code())
            .from(request.client_address);
        transaction.note(&entry, request.clock.now()).await?;
        transaction.commit().await?;
        request.refresh().await;
        let sync_run = Some(SyncRun::new(principal.tenant, run));
        Ok(SyncPayload {
            sync_run,
            user_errors: Vec::new(),
        })
    }
}

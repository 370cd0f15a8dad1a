//! Replaces the credentials of the current shop.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::credentials::{self, CredentialsInput, InputPaths};
use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, actor, permit};
use crate::domain::audit::{Action, Entry};
use crate::domain::credentials::Credentials;
use crate::domain::principal::Principal;
use crate::domain::shop::ShopRecord;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::types::{SyncRun, Tenant};

/// Input of `updateShopCredentials`.
#[derive(InputObject)]
pub(super) struct UpdateShopCredentialsInput {
    /// The new credentials, of either kind.
    credentials: CredentialsInput,
}

/// The result of `updateShopCredentials`.
#[derive(Default, SimpleObject)]
pub(super) struct UpdateShopCredentialsPayload {
    /// The tenant of the shop, connected again. Null if there are `userErrors`.
    tenant: Option<Tenant>,
    /// The new sync run, or the one that was already queued or running. Null if there are
    /// `userErrors`.
    sync_run: Option<SyncRun>,
    /// Errors that prevented the change. The old credentials stay in use. Empty on success.
    user_errors: Vec<UserError>,
}

impl From<Vec<UserError>> for UpdateShopCredentialsPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self {
            user_errors,
            ..Self::default()
        }
    }
}

/// The input contains no domain, so errors about the shop itself have no path.
const FIELDS: InputPaths = InputPaths {
    domain: &["input"],
    credentials: &["input", "credentials"],
};

/// The `updateShopCredentials` mutation.
#[derive(Default)]
pub(super) struct ShopMutation;

#[Object]
impl ShopMutation {
    /// Replaces the credentials of the current shop and starts a sync. The new credentials are
    /// verified by querying the shop. Use it to rotate a token, or to reconnect a shop that is
    /// `REAUTHORISATION_NEEDED` or `DISCONNECTED`. Requires the role owner or admin
    /// (`NOT_ALLOWED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn update_shop_credentials(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new credentials.")] input: UpdateShopCredentialsInput,
    ) -> Result<UpdateShopCredentialsPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        let principal = match permit(ctx, &["input"])? {
            Ok(principal) => principal,
            Err(error) => return Ok(vec![error].into()),
        };
        let mut errors = Vec::new();
        let Some(new) = credentials::parse_credentials(input.credentials, FIELDS, &mut errors)
        else {
            return Ok(errors.into());
        };
        let shop = request
            .database
            .tenant(principal.tenant)
            .await?
            .shop()
            .await?;
        let shop = shop.ok_or_else(|| ApiError::internal(&"a tenant without its shop"))?;
        let record = match credentials::verify(&services.sync, &shop.domain, &new, FIELDS).await? {
            Ok(record) if record.gid == shop.gid => record,
            Ok(_) => {
                let message = "Another shop responds at this domain.";
                let error = UserError::new(FIELDS.domain, UserErrorCode::ShopNotFound, message);
                return Ok(vec![error].into());
            }
            Err(error) => return Ok(vec![error].into()),
        };
        let run = take_over(request, services, principal, &record, &new).await?;
        Ok(UpdateShopCredentialsPayload {
            tenant: Some(Tenant::new(principal.tenant)),
            sync_run: Some(run),
            user_errors: Vec::new(),
        })
    }
}

async fn take_over(
    request: &RequestContext,
    services: &MutationContext,
    principal: Principal,
    record: &ShopRecord,
    new: &Credentials,
) -> Result<SyncRun, ApiError> {
    let mut system = request.database.system().await?;
    let actor = actor(&mut system, principal.user).await?;
    let (mut transaction, run) = services
        .sync
        .reconnect_shop(system, principal.tenant, record, new)
        .await?;
    let entry = Entry::done(Action::CredentialsChanged, actor)
        .to(new.kind())
        .from(request.client_address);
    transaction.note(&entry, request.clock.now()).await?;
    transaction.commit().await?;
    request.refresh().await;
    tracing::info!(tenant.id = %principal.tenant, "a shop has new credentials");
    Ok(SyncRun::new(principal.tenant, run))
}

//! Connects, switches between and disconnects a user's shops.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::credentials::{self, InputPaths, ShopCredentialsInput};
use super::installs::invalid_code;
use super::session::Session;
use super::user_error::{UserError, UserErrorCode};
use super::verified_shop::{self, VerifiedShop};
use super::{MUTATION_COST, MutationContext, actor, permit};
use crate::db::members::KnownStore;
use crate::domain::audit::{Action, Entry};
use crate::domain::ids::TenantId;
use crate::domain::principal::{Principal, Role};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::types::{SyncRun, Tenant};

/// Input of `connectShop`.
#[derive(InputObject)]
pub(super) struct ConnectShopInput {
    /// The shop to connect. The user becomes its owner.
    shop: ShopCredentialsInput,
}

/// The result of `connectShop` and `claimShop`.
#[derive(Default, SimpleObject)]
pub(super) struct ConnectShopPayload {
    /// A session for the connected shop. The session that sent the request stays valid. Null if
    /// there are `userErrors`.
    session: Option<Session>,
    /// The tenant of the connected shop. Null if there are `userErrors`.
    tenant: Option<Tenant>,
    /// The initial sync, already started. Null if there are `userErrors`.
    sync_run: Option<SyncRun>,
    /// Errors that prevented the connection. If there are any, nothing was created. Empty on
    /// success.
    user_errors: Vec<UserError>,
}

impl From<Vec<UserError>> for ConnectShopPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self {
            user_errors,
            ..Self::default()
        }
    }
}

/// The result of `switchTenant`.
#[derive(Default, SimpleObject)]
pub(super) struct SwitchTenantPayload {
    /// A session for the other shop. The session that sent the request stays valid. Null if there
    /// are `userErrors`.
    session: Option<Session>,
    /// Errors that prevented the switch. Empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `disconnectShop`.
#[derive(Default, SimpleObject)]
pub(super) struct DisconnectShopPayload {
    /// The tenant of the disconnected shop. Null if there are `userErrors`.
    tenant: Option<Tenant>,
    /// Errors that prevented the disconnection. Empty on success.
    user_errors: Vec<UserError>,
}

/// Mutations for the shops of a user.
#[derive(Default)]
pub(super) struct StoreMutations;

#[Object]
impl StoreMutations {
    /// Connects another shop to the signed-in user and starts its initial sync. The credentials are
    /// verified by querying the shop. Owners and admins can reconnect a disconnected shop this way;
    /// its stored data is kept. Rate limited per user and per IP address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn connect_shop(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shop to connect.")] input: ConnectShopInput,
    ) -> Result<ConnectShopPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        let principal = match permit(ctx, &["input"])? {
            Ok(principal) => principal,
            Err(error) => return Ok(vec![error].into()),
        };
        if let Err(error) = services.count_attempt(request, &principal.user.to_string()) {
            return Ok(vec![error].into());
        }
        let mut errors = Vec::new();
        let Some((domain, given)) = credentials::parse(input.shop, &mut errors) else {
            return Ok(errors.into());
        };
        let verified =
            credentials::verify(&services.sync, &domain, &given, credentials::SHOP_PATHS);
        let record = match verified.await? {
            Ok(record) => record,
            Err(error) => return Ok(vec![error].into()),
        };
        let verified = VerifiedShop {
            record: &record,
            credentials: &given,
            fields: credentials::SHOP_PATHS,
            claim: None,
        };
        Box::pin(connect(request, services, principal, verified)).await
    }

    /// Creates a session for another shop of the signed-in user. The session expires no later than
    /// the current one, so users must enter their password at least every 90 days. `INVALID`: the
    /// user is not a member of such a shop.
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn switch_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The id of the other tenant, from `me { memberships { tenant { id } } }`."
        )]
        tenant_id: ID,
    ) -> Result<SwitchTenantPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        let principal = match permit(ctx, &["tenantId"])? {
            Ok(principal) => principal,
            Err(error) => {
                return Ok(SwitchTenantPayload {
                    session: None,
                    user_errors: vec![error],
                });
            }
        };
        let mut system = request.database.system().await?;
        let named = NodeId::decode_tenant(&tenant_id);
        let stores = system.memberships_of(principal.user).await?;
        let wanted = stores
            .into_iter()
            .map(|(tenant, _)| tenant)
            .find(|tenant| Some(tenant.uuid()) == named);
        let Some(tenant) = wanted else {
            let message = "You are not a member of such a shop.";
            let error = UserError::new(&["tenantId"], UserErrorCode::Invalid, message);
            return Ok(SwitchTenantPayload {
                session: None,
                user_errors: vec![error],
            });
        };
        let member = (principal.user, tenant);
        let from = Some(principal.session);
        let session = Session::create(&mut system, request, services, member, from).await?;
        let actor = actor(&mut system, principal.user).await?;
        let entry = Entry::done(Action::SwitchedHere, actor).from(request.client_address);
        let mut transaction = system.into_tenant(tenant).await?;
        transaction.note(&entry, request.clock.now()).await?;
        transaction.commit().await?;
        Ok(SwitchTenantPayload {
            session: Some(session),
            user_errors: Vec::new(),
        })
    }

    /// Disconnects the current shop: stops its syncs, deletes its webhook subscriptions and deletes
    /// its stored tokens. The synced data stays visible until the app is uninstalled in Shopify or
    /// an operator deletes the shop. Owners and admins can reconnect the shop. Requires the role
    /// owner (`NOT_ALLOWED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn disconnect_shop(&self, ctx: &Context<'_>) -> Result<DisconnectShopPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        let principal = match permit(ctx, &[])? {
            Ok(principal) => principal,
            Err(error) => {
                return Ok(DisconnectShopPayload {
                    tenant: None,
                    user_errors: vec![error],
                });
            }
        };
        let tenant = principal.tenant;
        let mut system = request.database.system().await?;
        let actor = actor(&mut system, principal.user).await?;
        let mut transaction = services.sync.disconnect_shop(system, tenant).await?;
        let entry = Entry::done(Action::StoreDisconnected, actor).from(request.client_address);
        transaction.note(&entry, request.clock.now()).await?;
        transaction.commit().await?;
        request.refresh().await;
        tracing::info!(tenant.id = %tenant, "a shop is being disconnected");
        Ok(DisconnectShopPayload {
            tenant: Some(Tenant::new(tenant)),
            user_errors: Vec::new(),
        })
    }
}

/// Creates a tenant for the shop, or reconnects the existing one if the user may do that.
pub(super) async fn connect(
    request: &RequestContext,
    services: &MutationContext,
    principal: Principal,
    verified: VerifiedShop<'_>,
) -> Result<ConnectShopPayload, ApiError> {
    let now = request.clock.now();
    let (user, record) = (principal.user, verified.record);
    let mut system = request.database.system().await?;
    if !verified.redeem(&mut system, now).await? {
        return Ok(vec![invalid_code(verified.fields.domain)].into());
    }
    let entered = system.create_tenant(record, now).await?;
    let (tenant, session, sync_run) = if let Some(tenant) = entered {
        let from = Some(principal.session);
        let (session, run) =
            verified_shop::create_shop(system, request, services, (user, tenant), from, verified)
                .await?;
        (tenant, session, run)
    } else {
        let known = system
            .find_known_store(&record.domain, &record.gid, user)
            .await?;
        let tenant = match reconnectable(known, verified.fields) {
            Ok(tenant) => tenant,
            Err(error) => return Ok(vec![error].into()),
        };
        let from = Some(principal.session);
        let session = Session::create(&mut system, request, services, (user, tenant), from).await?;
        let actor = actor(&mut system, user).await?;
        let (mut transaction, run) = services
            .sync
            .reconnect_shop(system, tenant, record, verified.credentials)
            .await?;
        let entry = Entry::done(Action::StoreReconnected, actor).from(request.client_address);
        transaction.note(&entry, now).await?;
        transaction.commit().await?;
        request.refresh().await;
        (tenant, session, SyncRun::new(tenant, run))
    };
    Ok(ConnectShopPayload {
        session: Some(session),
        tenant: Some(Tenant::new(tenant)),
        sync_run: Some(sync_run),
        user_errors: Vec::new(),
    })
}

/// The existing tenant, if the user may reconnect it.
fn reconnectable(known: Option<KnownStore>, fields: InputPaths) -> Result<TenantId, UserError> {
    let message = match known {
        Some(KnownStore {
            tenant,
            connected: false,
            same: true,
            role: Some(Role::Owner | Role::Admin),
        }) => return Ok(tenant),
        Some(KnownStore {
            role: Some(_),
            connected: true,
            ..
        }) => "This shop is already connected. You are a member of it: switch to it.",
        Some(KnownStore { role: Some(_), .. }) => {
            "This shop already exists. Its owners and admins can reconnect it."
        }
        _ => "This shop is already connected by another account.",
    };
    let code = UserErrorCode::ShopAlreadyConnected;
    Err(UserError::new(fields.domain, code, message))
}

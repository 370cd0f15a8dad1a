//! The stores of a user: a further one, another one, one less.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::connecting::{self, Proven};
use super::credentials::{self, Fields, ShopCredentialsInput};
use super::installs::no_store;
use super::session::Session;
use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, actor, permit};
use crate::db::members::KnownStore;
use crate::domain::audit::{Action, Entry};
use crate::domain::ids::TenantId;
use crate::domain::principal::{Principal, Role};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::types::{SyncRun, Tenant};

/// Which store is to be connected.
#[derive(InputObject)]
pub(super) struct ConnectShopInput {
    /// The store. The user becomes its owner.
    shop: ShopCredentialsInput,
}

/// What became of connecting a further store.
#[derive(Default, SimpleObject)]
pub(super) struct ConnectShopPayload {
    /// A session for the new store; the one that this was sent with goes on. Null if there are `userErrors`.
    session: Option<Session>,
    /// The store. Null if there are `userErrors`.
    tenant: Option<Tenant>,
    /// The store's first sync, which has begun. Null if there are `userErrors`.
    sync_run: Option<SyncRun>,
    /// All that stood in the way. Nothing was made then.
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

/// What became of going over to another store.
#[derive(Default, SimpleObject)]
pub(super) struct SwitchTenantPayload {
    /// A session for the other store; the one that this was sent with goes on. Null if there are `userErrors`.
    session: Option<Session>,
    /// Why there is none.
    user_errors: Vec<UserError>,
}

/// What became of disconnecting the store.
#[derive(Default, SimpleObject)]
pub(super) struct DisconnectShopPayload {
    /// The store, no longer connected. Null if there are `userErrors`.
    tenant: Option<Tenant>,
    /// Why it still is.
    user_errors: Vec<UserError>,
}

/// The stores of a user.
#[derive(Default)]
pub(super) struct StoreMutations;

#[Object]
impl StoreMutations {
    /// Connects a further store to the signed-in user, verified by asking it for its own name, and starts its
    /// first sync. A store that was disconnected is connected again by its owners and admins this way, with all
    /// that is kept of it. Limited per user and per address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn connect_shop(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which store.")] input: ConnectShopInput,
    ) -> Result<ConnectShopPayload, ApiError> {
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
        let principal = match permit(ctx, &["input"])? {
            Ok(principal) => principal,
            Err(error) => return Ok(vec![error].into()),
        };
        if let Err(error) = tools.count_attempt(request, &principal.user.to_string()) {
            return Ok(vec![error].into());
        }
        let mut errors = Vec::new();
        let Some((domain, given)) = credentials::parse(input.shop, &mut errors) else {
            return Ok(errors.into());
        };
        let proven = credentials::prove(&tools.sync, &domain, &given, credentials::OF_SHOP);
        let record = match proven.await? {
            Ok(record) => record,
            Err(error) => return Ok(vec![error].into()),
        };
        let proven = Proven {
            record: &record,
            credentials: &given,
            fields: credentials::OF_SHOP,
            claim: None,
        };
        Box::pin(connect(request, tools, principal, proven)).await
    }

    /// A session for another store that the signed-in user is a member of. It lives no longer than the one that
    /// this is sent with could: then the password is asked for. `INVALID`: there is no such store among theirs.
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn switch_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The other store, as `me { memberships { tenant { id } } }` names it.")]
        tenant_id: ID,
    ) -> Result<SwitchTenantPayload, ApiError> {
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
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
            let message = "You are not a member of such a store.";
            let error = UserError::new(&["tenantId"], UserErrorCode::Invalid, message);
            return Ok(SwitchTenantPayload {
                session: None,
                user_errors: vec![error],
            });
        };
        let member = (principal.user, tenant);
        let from = Some(principal.session);
        let session = Session::begin(&mut system, request, tools, member, from).await?;
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

    /// Disconnects the token's store: its syncs end, its webhooks are given up and its token is forgotten. What
    /// was read of it stays visible until the app is uninstalled at Shopify, or an operator deletes it; owners
    /// and admins may connect it again. For owners (`NOT_ALLOWED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn disconnect_shop(&self, ctx: &Context<'_>) -> Result<DisconnectShopPayload, ApiError> {
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
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
        let mut transaction = tools.sync.disconnect_shop(system, tenant).await?;
        let entry = Entry::done(Action::StoreDisconnected, actor).from(request.client_address);
        transaction.note(&entry, request.clock.now()).await?;
        transaction.commit().await?;
        request.refresh().await;
        tracing::info!(tenant.id = %tenant, "a store is being disconnected");
        Ok(DisconnectShopPayload {
            tenant: Some(Tenant::new(tenant)),
            user_errors: Vec::new(),
        })
    }
}

/// Enters the store, or connects one again that is there and that the user may connect.
pub(super) async fn connect(
    request: &RequestContext,
    tools: &MutationContext,
    principal: Principal,
    proven: Proven<'_>,
) -> Result<ConnectShopPayload, ApiError> {
    let now = request.clock.now();
    let (user, record) = (principal.user, proven.record);
    let mut system = request.database.system().await?;
    if !proven.redeem(&mut system, now).await? {
        return Ok(vec![no_store(proven.fields.domain)].into());
    }
    let entered = system
        .create_tenant(&record.domain, &record.gid, now)
        .await?;
    let (tenant, session, sync_run) = if let Some(tenant) = entered {
        let from = Some(principal.session);
        let (session, run) =
            connecting::enter_store(system, request, tools, (user, tenant), from, proven).await?;
        (tenant, session, run)
    } else {
        let known = system
            .find_known_store(&record.domain, &record.gid, user)
            .await?;
        let tenant = match reconnectable(known, proven.fields) {
            Ok(tenant) => tenant,
            Err(error) => return Ok(vec![error].into()),
        };
        let from = Some(principal.session);
        let session = Session::begin(&mut system, request, tools, (user, tenant), from).await?;
        let actor = actor(&mut system, user).await?;
        let (mut transaction, run) = tools
            .sync
            .reconnect_shop(system, tenant, record, proven.credentials)
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

/// The store that is there already, if it may be connected again.
fn reconnectable(known: Option<KnownStore>, fields: Fields) -> Result<TenantId, UserError> {
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
        }) => "This store is connected already. You are a member of it: switch to it.",
        Some(KnownStore { role: Some(_), .. }) => {
            "This store is known already. Its owners and admins can connect it again."
        }
        _ => "This store is connected already, by another account.",
    };
    let code = UserErrorCode::ShopAlreadyConnected;
    Err(UserError::new(fields.domain, code, message))
}

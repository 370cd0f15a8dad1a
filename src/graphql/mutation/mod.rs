//! Mutations. Errors in the input are returned as `userErrors`. Errors of the operation are for
//! faults of the client program and for internal errors.

mod credentials;
mod installs;
mod invitations;
mod members;
mod new_password;
mod passwords;
mod register;
mod session;
mod sessions;
mod shop;
mod stores;
mod sync;
mod user_error;
mod verified_shop;

use std::sync::Arc;

use async_graphql::{Context, MergedObject};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::task::TaskTracker;

use super::context::RequestContext;
use super::error::ApiError;
use super::permissions;
use crate::auth::passwords::{PasswordError, Passwords};
use crate::auth::rate_limit::SignInRateLimiter;
use crate::auth::tokens::{AccessTokens, TokenError};
use crate::db::SystemTx;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::ids::UserId;
use crate::domain::principal::{Principal, Role};
use crate::sync::SyncService;
use user_error::{UserError, UserErrorCode};

/// The base cost of a mutation, without its payload.
const MUTATION_COST: usize = 10;

/// All operations that change data.
#[derive(MergedObject, Default)]
pub struct Mutation(
    register::RegisterMutation,
    session::SessionMutations,
    sync::SyncMutation,
    shop::ShopMutation,
    stores::StoreMutations,
    members::MemberMutations,
    invitations::InvitationMutations,
    passwords::PasswordMutations,
    sessions::SessionListMutations,
    installs::InstallMutations,
);

/// The services that mutations use, beside the request context. Part of the schema's data.
#[derive(Clone, Debug)]
pub struct MutationContext {
    /// Hashes and verifies passwords.
    pub passwords: Passwords,
    /// Signs access tokens.
    pub tokens: Arc<AccessTokens>,
    /// Limits sign-in attempts.
    pub sign_in_limits: Arc<SignInRateLimiter>,
    /// Connects shops and starts syncs.
    pub sync: SyncService,
    /// Work that continues after the response. The program waits for it on shutdown.
    pub background: TaskTracker,
}

impl MutationContext {
    fn from_context<'a>(ctx: &Context<'a>) -> Result<&'a Self, ApiError> {
        ctx.data_opt()
            .ok_or_else(|| ApiError::internal(&"the schema was built without its mutation context"))
    }

    /// Counts an attempt to sign in or sign up as `account`. Fails if there were too many.
    fn count_attempt(&self, request: &RequestContext, account: &str) -> Result<(), UserError> {
        self.sign_in_limits
            .check(request.client_address, account)
            .map_err(|too_many| {
                tracing::warn!("a sign-in attempt was rate limited");
                UserError::new(
                    &["input"],
                    UserErrorCode::RateLimited,
                    to_sentence(&too_many),
                )
            })
    }
}

/// The caller, if the table of permissions allows this mutation. The inner error is for a member
/// whose role is not sufficient; it belongs to this path of the arguments.
fn permit(ctx: &Context<'_>, field: &[&str]) -> Result<Result<Principal, UserError>, ApiError> {
    match permissions::permit(ctx) {
        Ok(principal) => Ok(Ok(principal)),
        Err(ApiError::Forbidden) => {
            let message = match permissions::access(ctx.field().name()) {
                Some(permissions::Access::From(Role::Owner)) => {
                    "Only owners of the shop can do this."
                }
                _ => "Only owners and admins of the shop can do this.",
            };
            record_refusal(ctx, RequestContext::of(ctx)?.require_principal()?)?;
            Ok(Err(UserError::new(
                field,
                UserErrorCode::NotAllowed,
                message,
            )))
        }
        Err(error) => Err(error),
    }
}

/// Identical refusals are recorded once in this interval.
const REFUSAL_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// Records in the audit log that the caller's role did not allow an action, without delaying the
/// response. At most once an hour, so that a client in a loop does not fill the log.
fn record_refusal(ctx: &Context<'_>, principal: Principal) -> Result<(), ApiError> {
    let (request, services) = (
        RequestContext::of(ctx)?,
        MutationContext::from_context(ctx)?,
    );
    let (database, now) = (request.database.clone(), request.clock.now());
    let (tried, address) = (ctx.field().name().to_owned(), request.client_address);
    services.background.spawn(async move {
        let note = async {
            let mut system = database.system().await?;
            let actor = actor(&mut system, principal.user).await?;
            let subject = format!("{tried} ({})", principal.role.code());
            let entry = Entry::refused(Action::NotAllowed, actor);
            let entry = entry.to(subject).from(address);
            let mut transaction = system.into_tenant(principal.tenant).await?;
            let since = now - REFUSAL_INTERVAL;
            transaction.note_once_since(&entry, since, now).await?;
            Ok(transaction.commit().await?)
        };
        let noted: Result<(), ApiError> = note.await;
        if noted.is_err() {
            tracing::warn!("a refusal could not be recorded in the audit log");
        }
    });
    Ok(())
}

/// A user as an actor of the audit log.
async fn actor(system: &mut SystemTx, user: UserId) -> Result<Actor, ApiError> {
    let email = system.user_email(user).await?;
    email.map(Actor::User).ok_or(ApiError::Unauthenticated)
}

/// Adds an entry to the audit log of each tenant that the user is a member of, and commits.
async fn record_for_all_tenants(
    mut system: SystemTx,
    user: UserId,
    entry: &Entry,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    for (tenant, _) in system.memberships_of(user).await? {
        let mut transaction = system.into_tenant(tenant).await?;
        transaction.note(entry, now).await?;
        system = transaction.into_system().await?;
    }
    Ok(system.commit().await?)
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        Self::internal(&error)
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        Self::internal(&error)
    }
}

/// An error of the domain as a sentence for users.
fn to_sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

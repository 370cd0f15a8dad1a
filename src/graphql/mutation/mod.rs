//! What can be changed: accounts, sessions and syncs. What was wrong with an input comes back as `userErrors`;
//! an error of the operation is for faults of the client's program, and for ours.

mod connecting;
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

use std::sync::Arc;

use async_graphql::{Context, MergedObject};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::task::TaskTracker;

use super::context::RequestContext;
use super::error::ApiError;
use super::permissions;
use crate::auth::limits::Limits;
use crate::auth::passwords::{PasswordError, Passwords};
use crate::auth::tokens::{AccessTokens, TokenError};
use crate::db::SystemTx;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::ids::UserId;
use crate::domain::principal::{Principal, Role};
use crate::sync::SyncService;
use user_error::{UserError, UserErrorCode};

/// What a mutation costs, besides what is asked of its payload.
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

/// What mutations work with beside the request's own context. Put into the schema's data.
#[derive(Clone, Debug)]
pub struct MutationContext {
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Signs access tokens.
    pub tokens: Arc<AccessTokens>,
    /// How often somebody may try.
    pub limits: Arc<Limits>,
    /// Connects stores and starts syncs.
    pub sync: SyncService,
    /// What goes on after the answer was given. The program waits for it before it ends.
    pub background: TaskTracker,
}

impl MutationContext {
    fn of<'a>(ctx: &Context<'a>) -> Result<&'a Self, ApiError> {
        ctx.data_opt()
            .ok_or_else(|| ApiError::internal(&"the schema came without its mutation context"))
    }

    /// Counts an attempt to sign in or up as `account`; the error when there were too many.
    fn count_attempt(&self, request: &RequestContext, account: &str) -> Result<(), UserError> {
        self.limits
            .check(request.client_address, account)
            .map_err(|too_many| {
                tracing::warn!("sign-in attempts are limited");
                UserError::new(&["input"], UserErrorCode::RateLimited, sentence(&too_many))
            })
    }
}

/// The caller, if the table of permissions lets them use this mutation. The inner error tells a member that
/// their role is not enough; it belongs to this part of the arguments.
fn permit(ctx: &Context<'_>, field: &[&str]) -> Result<Result<Principal, UserError>, ApiError> {
    match permissions::permit(ctx) {
        Ok(principal) => Ok(Ok(principal)),
        Err(ApiError::Forbidden) => {
            let message = match permissions::access(ctx.field().name()) {
                Some(permissions::Access::From(Role::Owner)) => {
                    "Only owners of the store may do that."
                }
                _ => "Only owners and admins of the store may do that.",
            };
            note_refusal(ctx, RequestContext::of(ctx)?.require_principal()?)?;
            Ok(Err(UserError::new(
                field,
                UserErrorCode::NotAllowed,
                message,
            )))
        }
        Err(error) => Err(error),
    }
}

/// How long a refusal that repeats is not written down again.
const REFUSALS_APART: TimeDelta = TimeDelta::hours(1);

/// Has it written into the store's log that the caller's role does not allow what they tried. Nobody waits for
/// that, and it is written once an hour: who tries in a loop fills no log.
fn note_refusal(ctx: &Context<'_>, principal: Principal) -> Result<(), ApiError> {
    let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
    let (database, now) = (request.database.clone(), request.clock.now());
    let (tried, address) = (ctx.field().name().to_owned(), request.client_address);
    tools.background.spawn(async move {
        let note = async {
            let mut system = database.system().await?;
            let actor = actor(&mut system, principal.user).await?;
            let subject = format!("{tried} ({})", principal.role.code());
            let entry = Entry::refused(Action::NotAllowed, actor);
            let entry = entry.to(subject).from(address);
            let mut transaction = system.into_tenant(principal.tenant).await?;
            let since = now - REFUSALS_APART;
            transaction.note_once_since(&entry, since, now).await?;
            Ok(transaction.commit().await?)
        };
        let noted: Result<(), ApiError> = note.await;
        if noted.is_err() {
            tracing::warn!("a refusal could not be written into the log");
        }
    });
    Ok(())
}

/// A user as the audit log names them.
async fn actor(system: &mut SystemTx, user: UserId) -> Result<Actor, ApiError> {
    let email = system.user_email(user).await?;
    email.map(Actor::User).ok_or(ApiError::Unauthenticated)
}

/// Adds an entry to the log of each store that a user is a member of, and commits.
async fn note_everywhere(
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

/// An error of the domain as a sentence for people.
fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

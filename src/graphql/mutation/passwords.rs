//! Another password: by who knows the present one, or by who got a token from an operator.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::SecretString;

use super::new_password;
use super::session::Session;
use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, note_everywhere, permit};
use crate::auth::one_time::{OneTimeToken, Purpose};
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;

/// The present password and the next.
#[derive(InputObject)]
pub(super) struct ChangePasswordInput {
    /// The password that the user has now.
    current_password: String,
    /// The one that they want: at least 12 characters, and none of those that anyone would try first.
    new_password: String,
}

/// What became of changing the password.
#[derive(Default, SimpleObject)]
pub(super) struct ChangePasswordPayload {
    /// A session in place of the one that this was sent with: every session of the user has ended. Null if there
    /// are `userErrors`.
    session: Option<Session>,
    /// Why the password is the one from before.
    user_errors: Vec<UserError>,
}

impl From<UserError> for ChangePasswordPayload {
    fn from(error: UserError) -> Self {
        Self {
            session: None,
            user_errors: vec![error],
        }
    }
}

/// The operator's token and the new password.
#[derive(InputObject)]
pub(super) struct ResetPasswordInput {
    /// The token that the operator handed out.
    token: String,
    /// The new password: at least 12 characters, and none of those that anyone would try first.
    new_password: String,
}

/// What became of setting the password anew.
#[derive(Default, SimpleObject)]
pub(super) struct ResetPasswordPayload {
    /// Why the password is the one from before.
    user_errors: Vec<UserError>,
}

impl From<UserError> for ResetPasswordPayload {
    fn from(error: UserError) -> Self {
        Self {
            user_errors: vec![error],
        }
    }
}

/// Other passwords.
#[derive(Default)]
pub(super) struct PasswordMutations;

#[Object]
impl PasswordMutations {
    /// Gives the signed-in user another password and ends all their sessions, this one too; a new one comes
    /// back. `INVALID_CREDENTIALS`: the present password is not that. Limited per user and per address
    /// (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The present password and the next.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload, ApiError> {
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
        let principal = match permit(ctx, &["input"])? {
            Ok(principal) => principal,
            Err(error) => return Ok(error.into()),
        };
        let mut system = request.database.system().await?;
        let email = system.user_email(principal.user).await?;
        let hash = system.password_hash(principal.user).await?;
        drop(system);
        let (Some(email), Some(hash)) = (email, hash) else {
            return Err(ApiError::Unauthenticated);
        };
        if let Err(error) = tools.count_attempt(request, &email) {
            return Ok(error.into());
        }
        let new = SecretString::from(input.new_password);
        if let Some(error) = new_password::check(&new, &[&email], &["input", "newPassword"]) {
            return Ok(error.into());
        }
        let current = SecretString::from(input.current_password);
        if !tools.passwords.verify(&current, Some(&hash)).await? {
            let entry = Entry::refused(Action::PasswordChanged, Actor::User(email))
                .from(request.client_address);
            let system = request.database.system().await?;
            note_everywhere(system, principal.user, &entry, request.clock.now()).await?;
            let message = "This is not your present password.";
            let field = ["input", "currentPassword"];
            return Ok(UserError::new(&field, UserErrorCode::InvalidCredentials, message).into());
        }
        let hash = tools.passwords.hash(&new).await?;
        Box::pin(change(request, tools, principal, email, &hash)).await
    }

    /// Sets a password anew with a token that an operator handed out (`xboard user reset-password`), and ends all
    /// sessions of its user. Sign in with the new password then. A token is good once, for a day. `INVALID`: it
    /// is none, was used, or ran out. Limited per token and per address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token and the new password.")] input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload, ApiError> {
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
        if let Err(error) = tools.count_attempt(request, &input.token) {
            return Ok(error.into());
        }
        let Ok(token) = OneTimeToken::parse(Purpose::PasswordReset, &input.token) else {
            return Ok(no_token().into());
        };
        let now = request.clock.now();
        let mut system = request.database.system().await?;
        let Some(user) = system.find_password_reset(&token.hash(), now).await? else {
            return Ok(no_token().into());
        };
        let email = system.user_email(user).await?.unwrap_or_default();
        drop(system);
        let new = SecretString::from(input.new_password);
        if let Some(error) = new_password::check(&new, &[&email], &["input", "newPassword"]) {
            return Ok(error.into());
        }
        let hash = tools.passwords.hash(&new).await?;
        let mut system = request.database.system().await?;
        if system.take_password_reset(&token.hash(), now).await? != Some(user) {
            return Ok(no_token().into());
        }
        system.set_password(user, &hash, now).await?;
        let entry =
            Entry::done(Action::PasswordReset, Actor::User(email)).from(request.client_address);
        note_everywhere(system, user, &entry, now).await?;
        Ok(ResetPasswordPayload::default())
    }
}

/// Writes the new password, ends every session and begins another.
async fn change(
    request: &RequestContext,
    tools: &MutationContext,
    principal: Principal,
    email: String,
    hash: &SecretString,
) -> Result<ChangePasswordPayload, ApiError> {
    let (user, now) = (principal.user, request.clock.now());
    let mut system = request.database.system().await?;
    system.set_password(user, hash, now).await?;
    let member = (user, principal.tenant);
    let session = Session::begin(&mut system, request, tools, member, None).await?;
    let entry =
        Entry::done(Action::PasswordChanged, Actor::User(email)).from(request.client_address);
    note_everywhere(system, user, &entry, now).await?;
    request.refresh().await;
    Ok(ChangePasswordPayload {
        session: Some(session),
        user_errors: Vec::new(),
    })
}

fn no_token() -> UserError {
    let message =
        "This is not a token for a new password, or no longer. Ask the operator for another.";
    UserError::new(&["input", "token"], UserErrorCode::Invalid, message)
}

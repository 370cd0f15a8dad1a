//! Changes a password, by a signed-in user or with a reset token from an operator.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::SecretString;

use super::new_password;
use super::session::Session;
use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, permit, record_for_all_tenants};
use crate::auth::single_use_token::{Purpose, SingleUseToken};
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;

/// Input of `changePassword`.
#[derive(InputObject)]
pub(super) struct ChangePasswordInput {
    /// The user's current password.
    current_password: String,
    /// The new password: at least 12 characters, and not a common password.
    new_password: String,
}

/// The result of `changePassword`.
#[derive(Default, SimpleObject)]
pub(super) struct ChangePasswordPayload {
    /// A new session. It replaces the session that sent the request, which has ended together with
    /// all other sessions of the user. Null if there are `userErrors`.
    session: Option<Session>,
    /// Errors that prevented the change. Empty on success.
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

/// Input of `resetPassword`.
#[derive(InputObject)]
pub(super) struct ResetPasswordInput {
    /// The reset token from the operator.
    token: String,
    /// The new password: at least 12 characters, and not a common password.
    new_password: String,
}

/// The result of `resetPassword`.
#[derive(Default, SimpleObject)]
pub(super) struct ResetPasswordPayload {
    /// Errors that prevented the change. Empty on success.
    user_errors: Vec<UserError>,
}

impl From<UserError> for ResetPasswordPayload {
    fn from(error: UserError) -> Self {
        Self {
            user_errors: vec![error],
        }
    }
}

/// Mutations for passwords.
#[derive(Default)]
pub(super) struct PasswordMutations;

#[Object]
impl PasswordMutations {
    /// Changes the signed-in user's password, ends all of the user's sessions and returns a new
    /// one. `INVALID_CREDENTIALS`: the current password is wrong. Rate limited per user and per IP
    /// address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current and the new password.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
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
        if let Err(error) = services.count_attempt(request, &email) {
            return Ok(error.into());
        }
        let new = SecretString::from(input.new_password);
        if let Some(error) = new_password::check(&new, &[&email], &["input", "newPassword"]) {
            return Ok(error.into());
        }
        let current = SecretString::from(input.current_password);
        if !services.passwords.verify(&current, Some(&hash)).await? {
            let entry = Entry::refused(Action::PasswordChanged, Actor::User(email))
                .from(request.client_address);
            let system = request.database.system().await?;
            record_for_all_tenants(system, principal.user, &entry, request.clock.now()).await?;
            let message = "The current password is wrong.";
            let field = ["input", "currentPassword"];
            return Ok(UserError::new(&field, UserErrorCode::InvalidCredentials, message).into());
        }
        let hash = services.passwords.hash(&new).await?;
        Box::pin(change(request, services, principal, email, &hash)).await
    }

    /// Sets a new password with a token from an operator (`xboard user reset-password`) and ends
    /// all of the user's sessions. Sign in with the new password afterwards. A token works once,
    /// within a day. `INVALID`: the token is malformed, already used or expired. Rate limited per
    /// token and per IP address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reset token and the new password.")] input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        if let Err(error) = services.count_attempt(request, &input.token) {
            return Ok(error.into());
        }
        let Ok(token) = SingleUseToken::parse(Purpose::PasswordReset, &input.token) else {
            return Ok(invalid_token().into());
        };
        let now = request.clock.now();
        let mut system = request.database.system().await?;
        let Some(user) = system.find_password_reset(&token.hash(), now).await? else {
            return Ok(invalid_token().into());
        };
        let email = system.user_email(user).await?.unwrap_or_default();
        drop(system);
        let new = SecretString::from(input.new_password);
        if let Some(error) = new_password::check(&new, &[&email], &["input", "newPassword"]) {
            return Ok(error.into());
        }
        let hash = services.passwords.hash(&new).await?;
        let mut system = request.database.system().await?;
        if system.take_password_reset(&token.hash(), now).await? != Some(user) {
            return Ok(invalid_token().into());
        }
        system.set_password(user, &hash, now).await?;
        let entry =
            Entry::done(Action::PasswordReset, Actor::User(email)).from(request.client_address);
        record_for_all_tenants(system, user, &entry, now).await?;
        Ok(ResetPasswordPayload::default())
    }
}

/// Stores the new password, ends every session and creates a new one.
async fn change(
    request: &RequestContext,
    services: &MutationContext,
    principal: Principal,
    email: String,
    hash: &SecretString,
) -> Result<ChangePasswordPayload, ApiError> {
    let (user, now) = (principal.user, request.clock.now());
    let mut system = request.database.system().await?;
    system.set_password(user, hash, now).await?;
    let member = (user, principal.tenant);
    let session = Session::create(&mut system, request, services, member, None).await?;
    let entry =
        Entry::done(Action::PasswordChanged, Actor::User(email)).from(request.client_address);
    record_for_all_tenants(system, user, &entry, now).await?;
    request.refresh().await;
    Ok(ChangePasswordPayload {
        session: Some(session),
        user_errors: Vec::new(),
    })
}

fn invalid_token() -> UserError {
    let message = "The token is invalid or has expired. Ask the operator for a new one.";
    UserError::new(&["input", "token"], UserErrorCode::Invalid, message)
}

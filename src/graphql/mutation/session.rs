//! Signing in and out. A session is a row in the database; its tokens stop working when it ends.

use std::net::IpAddr;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, actor, record_for_all_tenants};
use crate::auth::tokens::{Bearer, RefreshToken};
use crate::db::accounts::{RefreshTokenUse, UserRecord};
use crate::db::{Database, SystemTx};
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::email::Email;
use crate::domain::ids::{SessionId, TenantId, UserId};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::permissions;
use crate::graphql::scalars::Instant;
use crate::graphql::types::User;

/// A pair of tokens. Keep both secret: anyone who has them can act as the user.
#[derive(Clone, Debug)]
pub(super) struct Session {
    token: SecretString,
    expires_at: DateTime<Utc>,
    refresh_token: SecretString,
}

/// A pair of tokens. Keep both secret: anyone who has them can act as the user.
#[Object]
impl Session {
    /// The access token. Send it as `Authorization: Bearer`. It expires after 15 minutes.
    async fn token(&self, ctx: &Context<'_>) -> &str {
        self.issue_refresh_token(ctx);
        self.token.expose_secret()
    }

    /// The time the access token expires.
    async fn expires_at(&self, ctx: &Context<'_>) -> Instant {
        self.issue_refresh_token(ctx);
        Instant(self.expires_at)
    }

    /// The refresh token. Exchange it once for a new pair with `refreshSession`. It expires after
    /// 30 days; a session lasts at most 90 days. Empty if the server keeps it in an `HttpOnly`
    /// cookie for its own pages.
    async fn refresh_token(&self, ctx: &Context<'_>) -> &str {
        self.issue_refresh_token(ctx)
    }
}

impl Session {
    /// Issues the refresh token by the transport of this request; returns the value of the field.
    fn issue_refresh_token(&self, ctx: &Context<'_>) -> &str {
        // A missing request context is logged as an internal error.
        RequestContext::of(ctx).map_or("", |request| {
            request.refresh_tokens.issue(&self.refresh_token)
        })
    }

    /// Creates a session with its first pair of tokens. A session created from another one expires
    /// no later than that one.
    pub(super) async fn create(
        transaction: &mut SystemTx,
        request: &RequestContext,
        services: &MutationContext,
        (user, tenant): (UserId, TenantId),
        from: Option<SessionId>,
    ) -> Result<Self, ApiError> {
        let now = request.clock.now();
        let session = transaction
            .create_session((user, tenant), from, &request.device(), now)
            .await?
            .ok_or(ApiError::Unauthenticated)?;
        Self::next_tokens(
            transaction,
            services,
            Bearer {
                user,
                tenant,
                session,
            },
            now,
        )
        .await
    }

    /// Issues the next pair of tokens.
    async fn next_tokens(
        transaction: &mut SystemTx,
        services: &MutationContext,
        bearer: Bearer,
        now: DateTime<Utc>,
    ) -> Result<Self, ApiError> {
        let refresh_token = RefreshToken::generate()?;
        transaction
            .add_refresh_token(bearer.session, &refresh_token.hash(), now)
            .await?;
        let access = services.tokens.issue(bearer)?;
        Ok(Self {
            token: access.token,
            expires_at: access.expires_at,
            refresh_token: refresh_token.secret().clone(),
        })
    }
}

/// Input of `login`.
#[derive(InputObject)]
pub(super) struct LoginInput {
    /// The user's email address.
    email: String,
    /// The user's password.
    password: String,
}

/// The result of `login`.
#[derive(Default, SimpleObject)]
pub(super) struct LoginPayload {
    /// The new session. Null if there are `userErrors`.
    session: Option<Session>,
    /// The signed-in user. Null if there are `userErrors`.
    user: Option<User>,
    /// Errors that prevented the sign-in. Empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `refreshSession`.
#[derive(Default, SimpleObject)]
pub(super) struct RefreshSessionPayload {
    /// The new pair of tokens. Null if there are `userErrors`.
    session: Option<Session>,
    /// Errors that prevented the refresh. Empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `logout`.
#[derive(Default, SimpleObject)]
pub(super) struct LogoutPayload {
    /// Always empty. No input can make this mutation fail.
    user_errors: Vec<UserError>,
}

impl From<UserError> for LoginPayload {
    fn from(error: UserError) -> Self {
        Self {
            user_errors: vec![error],
            ..Self::default()
        }
    }
}

impl From<UserError> for RefreshSessionPayload {
    fn from(error: UserError) -> Self {
        Self {
            user_errors: vec![error],
            ..Self::default()
        }
    }
}

/// Mutations for signing in and out.
#[derive(Default)]
pub(super) struct SessionMutations;

#[Object]
impl SessionMutations {
    /// Signs a user in to the shop of their oldest membership. The error does not say whether the
    /// email address or the password was wrong. Rate limited per email address and per IP address
    /// (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The email address and password.")] input: LoginInput,
    ) -> Result<LoginPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        if let Err(error) = services.count_attempt(request, &input.email) {
            return Ok(error.into());
        }
        let password = SecretString::from(input.password);
        let Some(user) = authenticate(request, services, &input.email, &password).await? else {
            let (database, now) = (request.database.clone(), request.clock.now());
            let noting = record_failed_login(database, input.email, request.client_address, now);
            services.background.spawn(noting);
            let message = "Incorrect email or password.";
            return Ok(
                UserError::new(&["input"], UserErrorCode::InvalidCredentials, message).into(),
            );
        };
        let now = request.clock.now();
        let mut transaction = request.database.system().await?;
        if user.disabled {
            let entry = Entry::refused(Action::SignedIn, Actor::User(user.email));
            let entry = entry.from(request.client_address);
            record_for_all_tenants(transaction, user.id, &entry, now).await?;
            return Ok(disabled(&["input"]).into());
        }
        let Some(&(tenant, _)) = transaction.memberships_of(user.id).await?.first() else {
            let message = "You are not a member of any shop.";
            return Ok(UserError::new(&["input"], UserErrorCode::NotAllowed, message).into());
        };
        let session =
            Session::create(&mut transaction, request, services, (user.id, tenant), None).await?;
        let entry = Entry::done(Action::SignedIn, Actor::User(user.email.clone()))
            .from(request.client_address);
        let mut transaction = transaction.into_tenant(tenant).await?;
        transaction.note(&entry, now).await?;
        transaction.commit().await?;
        request.refresh().await;
        Ok(LoginPayload {
            session: Some(session),
            user: Some(User::new(user.id, tenant)),
            user_errors: Vec::new(),
        })
    }

    /// Exchanges a refresh token for a new pair of tokens. Each refresh token works once. Using one
    /// a second time ends the whole session, because it must have been copied. `EXPIRED`: the
    /// session has ended. `INVALID`: the token is not valid.
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The newest refresh token of the session. Empty to use the token in the cookie (`XBoard-Session: cookie`)."
        )]
        refresh_token: String,
    ) -> Result<RefreshSessionPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        let refused = |code, message: &str| {
            request.refresh_tokens.delete_cookie();
            Ok(UserError::new(&["refreshToken"], code, message).into())
        };
        let refresh_token = request.refresh_tokens.received(refresh_token);
        let Ok(token) = RefreshToken::parse(refresh_token.expose_secret()) else {
            return refused(UserErrorCode::Invalid, "The refresh token is invalid.");
        };
        let now = request.clock.now();
        let mut transaction = request.database.system().await?;
        let outcome = transaction
            .use_refresh_token(&token.hash(), &request.device(), now)
            .await?;
        let RefreshTokenUse::Accepted(session) = outcome else {
            // Commit, so that the session of a reused token stays ended.
            if let RefreshTokenUse::Reused(Some(ended)) = outcome {
                let whose = actor(&mut transaction, ended.user).await?;
                let entry = Entry::refused(Action::RefreshTokenReused, whose);
                let entry = entry.from(request.client_address);
                let mut transaction = transaction.into_tenant(ended.tenant).await?;
                transaction.note(&entry, now).await?;
                transaction.commit().await?;
            } else {
                transaction.commit().await?;
            }
            return match outcome {
                RefreshTokenUse::Ended => refused(
                    UserErrorCode::Expired,
                    "The session has ended. Sign in again.",
                ),
                RefreshTokenUse::Reused(_) => {
                    tracing::warn!("a refresh token was reused; its session was ended");
                    refused(
                        UserErrorCode::Invalid,
                        "The refresh token has already been used. Sign in again.",
                    )
                }
                _ => refused(UserErrorCode::Invalid, "The refresh token is invalid."),
            };
        };
        let bearer = Bearer {
            user: session.user,
            tenant: session.tenant,
            session: session.id,
        };
        let session = Session::next_tokens(&mut transaction, services, bearer, now).await?;
        transaction.commit().await?;
        Ok(RefreshSessionPayload {
            session: Some(session),
            user_errors: Vec::new(),
        })
    }

    /// Ends the current session. Its tokens stop working immediately.
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn logout(&self, ctx: &Context<'_>) -> Result<LogoutPayload, ApiError> {
        let request = RequestContext::of(ctx)?;
        let principal = permissions::permit(ctx)?;
        let mut transaction = request.database.system().await?;
        let now = request.clock.now();
        transaction.end_session(principal.session, now).await?;
        let actor = actor(&mut transaction, principal.user).await?;
        let entry = Entry::done(Action::SignedOut, actor).from(request.client_address);
        let mut transaction = transaction.into_tenant(principal.tenant).await?;
        transaction.note(&entry, now).await?;
        transaction.commit().await?;
        request.refresh_tokens.delete_cookie();
        Ok(LogoutPayload::default())
    }
}

/// The error for a disabled user. It is returned only after the password was verified, so that
/// others cannot find out.
pub(super) fn disabled(field: &[&str]) -> UserError {
    let message = "This account is disabled. Contact the operator of this server.";
    UserError::new(field, UserErrorCode::NotAllowed, message)
}

/// Records a failed sign-in in the audit log of the user's tenants, if the user exists. It runs in
/// the background, because its duration would reveal whether the user exists.
async fn record_failed_login(
    database: Database,
    email: String,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) {
    let note = async {
        let Ok(email) = Email::parse(&email) else {
            return Ok(());
        };
        let mut system = database.system().await?;
        let Some(user) = system.find_user_by_email(&email).await? else {
            return Ok(());
        };
        let entry = Entry::refused(Action::SignedIn, Actor::User(user.email)).from(address);
        record_for_all_tenants(system, user.id, &entry, now).await
    };
    let noted: Result<(), ApiError> = note.await;
    if noted.is_err() {
        tracing::warn!("a failed sign-in could not be recorded in the audit log");
    }
}

/// The user with this address and password. The duration does not depend on whether the address
/// exists. No connection is held while hashing.
async fn authenticate(
    request: &RequestContext,
    services: &MutationContext,
    email: &str,
    password: &SecretString,
) -> Result<Option<UserRecord>, ApiError> {
    let user = match Email::parse(email) {
        Ok(email) => {
            request
                .database
                .system()
                .await?
                .find_user_by_email(&email)
                .await?
        }
        Err(_) => None,
    };
    let hash = user.as_ref().map(|user| &user.password_hash);
    let right = services.passwords.verify(password, hash).await?;
    Ok(user.filter(|_| right))
}

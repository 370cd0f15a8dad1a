//! Signing up: a user, their store and its first sync, all or nothing.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::SecretString;

use super::connecting::{self, Proven};
use super::credentials::{self, Fields, ShopCredentialsInput};
use super::installs::no_store;
use super::new_password;
use super::session::Session;
use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, sentence};
use crate::domain::credentials::Credentials;
use crate::domain::email::Email;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::shop::ShopDomain;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::types::{SyncRun, User};

/// Input of `register`.
#[derive(InputObject)]
pub(super) struct RegisterInput {
    /// The email address to sign in with.
    email: String,
    /// The password: at least 12 characters, and not a common password.
    password: String,
    /// The shop to connect. The user becomes its owner.
    shop: ShopCredentialsInput,
}

/// The result of `register` and `registerInstalled`.
#[derive(Default, SimpleObject)]
pub(super) struct RegisterPayload {
    /// The user's first session. Null if there are `userErrors`.
    session: Option<Session>,
    /// The new user. Null if there are `userErrors`.
    user: Option<User>,
    /// The initial sync, already started. Null if there are `userErrors`.
    sync_run: Option<SyncRun>,
    /// Errors that prevented the registration. If there are any, nothing was created. Empty on
    /// success.
    user_errors: Vec<UserError>,
}

impl From<Vec<UserError>> for RegisterPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self {
            user_errors,
            ..Self::default()
        }
    }
}

/// Signing up.
#[derive(Default)]
pub(super) struct RegisterMutation;

#[Object]
impl RegisterMutation {
    /// Creates a user, connects a shop and starts the initial sync. The credentials are verified by
    /// querying the shop. If any step fails, nothing is created. Rate limited per email address and
    /// per IP address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new user and the shop to connect.")] input: RegisterInput,
    ) -> Result<RegisterPayload, ApiError> {
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
        if let Err(error) = tools.count_attempt(request, &input.email) {
            return Ok(vec![error].into());
        }
        let candidate = match Candidate::parse(input) {
            Ok(candidate) => candidate,
            Err(errors) => return Ok(errors.into()),
        };
        Box::pin(sign_up(
            request,
            tools,
            &candidate,
            credentials::OF_SHOP,
            None,
        ))
        .await
    }
}

/// Asks the store, and writes everything. `claim` is the hash of the token of an installed store.
pub(super) async fn sign_up(
    request: &RequestContext,
    tools: &MutationContext,
    candidate: &Candidate,
    fields: Fields,
    claim: Option<&[u8]>,
) -> Result<RegisterPayload, ApiError> {
    let proven = credentials::prove(
        &tools.sync,
        &candidate.domain,
        &candidate.credentials,
        fields,
    );
    let record = match proven.await? {
        Ok(record) => record,
        Err(error) => return Ok(vec![error].into()),
    };
    // The slowest part, so it comes last before the transaction, which it would keep open.
    let hash = tools.passwords.hash(&candidate.password).await?;
    let proven = Proven {
        record: &record,
        credentials: &candidate.credentials,
        fields,
        claim,
    };
    Box::pin(enter(request, tools, candidate, proven, &hash)).await
}

/// Who wants to sign up: everything that can be checked without asking anyone is.
pub(super) struct Candidate {
    email: Email,
    password: SecretString,
    domain: ShopDomain,
    credentials: Credentials,
}

impl Candidate {
    fn parse(input: RegisterInput) -> Result<Self, Vec<UserError>> {
        let mut errors = Vec::new();
        let label = input.shop.domain.split('.').next().map(str::to_owned);
        let shop = credentials::parse(input.shop, &mut errors);
        let label = label.unwrap_or_default();
        Self::of(&input.email, input.password, &label, shop.ok_or(errors))
    }

    /// Somebody with a store, or all that is wrong with them and with the store.
    pub(super) fn of(
        email: &str,
        password: String,
        label: &str,
        shop: Result<(ShopDomain, Credentials), Vec<UserError>>,
    ) -> Result<Self, Vec<UserError>> {
        let mut errors = Vec::new();
        let parsed = Email::parse(email);
        if let Err(wrong) = &parsed {
            let (field, message) = (["input", "email"], sentence(wrong));
            errors.push(UserError::new(&field, UserErrorCode::Invalid, message));
        }
        let password = SecretString::from(password);
        let own_words = [email.trim(), label];
        errors.extend(new_password::check(
            &password,
            &own_words,
            &["input", "password"],
        ));
        match (parsed, shop) {
            (Ok(email), Ok((domain, credentials))) if errors.is_empty() => Ok(Self {
                email,
                password,
                domain,
                credentials,
            }),
            (_, shop) => {
                errors.extend(shop.err().unwrap_or_default());
                Err(errors)
            }
        }
    }
}

/// Writes it all in one transaction. That an address or a store is there already is told only now, to
/// somebody who proved to have a store: anyone else could find out who our users are.
async fn enter(
    request: &RequestContext,
    tools: &MutationContext,
    candidate: &Candidate,
    proven: Proven<'_>,
    hash: &SecretString,
) -> Result<RegisterPayload, ApiError> {
    let now = request.clock.now();
    let record = proven.record;
    let mut system = request.database.system().await?;
    if !proven.redeem(&mut system, now).await? {
        return Ok(vec![no_store(proven.fields.domain)].into());
    }
    let user = system.create_user(&candidate.email, hash, now).await?;
    let tenant = system.create_tenant(record, now).await?;
    let (Some(user), Some(tenant)) = (user, tenant) else {
        return Ok(taken(user, tenant, proven.fields).into());
    };
    let member = (user, tenant);
    let (session, sync_run) =
        connecting::enter_store(system, request, tools, member, None, proven).await?;
    Ok(RegisterPayload {
        session: Some(session),
        user: Some(User::new(user, tenant)),
        sync_run: Some(sync_run),
        user_errors: Vec::new(),
    })
}

fn taken(user: Option<UserId>, tenant: Option<TenantId>, fields: Fields) -> Vec<UserError> {
    let mut errors = Vec::new();
    if user.is_none() {
        let message = "There is an account with this email address. Sign in instead.";
        errors.push(UserError::new(
            &["input", "email"],
            UserErrorCode::Taken,
            message,
        ));
    }
    if tenant.is_none() {
        let message = "This store is connected already, by another account. Sign in with that one.";
        errors.push(UserError::new(
            fields.domain,
            UserErrorCode::ShopAlreadyConnected,
            message,
        ));
    }
    errors
}

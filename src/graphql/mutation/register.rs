//! Registration: creates a user, a tenant and its initial sync in one transaction.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::SecretString;

use super::credentials::{self, InputPaths, ShopCredentialsInput};
use super::installs::invalid_code;
use super::new_password;
use super::session::Session;
use super::user_error::{UserError, UserErrorCode};
use super::verified_shop::{self, VerifiedShop};
use super::{MUTATION_COST, MutationContext, to_sentence};
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

/// The `register` mutation.
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
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        if let Err(error) = services.count_attempt(request, &input.email) {
            return Ok(vec![error].into());
        }
        let candidate = match Candidate::parse(input) {
            Ok(candidate) => candidate,
            Err(errors) => return Ok(errors.into()),
        };
        Box::pin(sign_up(
            request,
            services,
            &candidate,
            credentials::SHOP_PATHS,
            None,
        ))
        .await
    }
}

/// Verifies the shop and writes everything. `claim` is the hash of an installed shop's code.
pub(super) async fn sign_up(
    request: &RequestContext,
    services: &MutationContext,
    candidate: &Candidate,
    fields: InputPaths,
    claim: Option<&[u8]>,
) -> Result<RegisterPayload, ApiError> {
    let verified = credentials::verify(
        &services.sync,
        &candidate.domain,
        &candidate.credentials,
        fields,
    );
    let record = match verified.await? {
        Ok(record) => record,
        Err(error) => return Ok(vec![error].into()),
    };
    // Hashing is slow, so it happens before the transaction is opened.
    let hash = services.passwords.hash(&candidate.password).await?;
    let verified = VerifiedShop {
        record: &record,
        credentials: &candidate.credentials,
        fields,
        claim,
    };
    Box::pin(enter(request, services, candidate, verified, &hash)).await
}

/// A registration whose input is completely parsed.
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
        Self::new(&input.email, input.password, &label, shop.ok_or(errors))
    }

    /// Parses the input, or returns all errors in it and in the shop.
    pub(super) fn new(
        email: &str,
        password: String,
        label: &str,
        shop: Result<(ShopDomain, Credentials), Vec<UserError>>,
    ) -> Result<Self, Vec<UserError>> {
        let mut errors = Vec::new();
        let parsed = Email::parse(email);
        if let Err(wrong) = &parsed {
            let (field, message) = (["input", "email"], to_sentence(wrong));
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

/// Writes everything in one transaction. Errors about existing addresses and shops are returned
/// only at this point, to callers who have verified access to a shop. Otherwise anyone could find out
/// which users exist.
async fn enter(
    request: &RequestContext,
    services: &MutationContext,
    candidate: &Candidate,
    verified: VerifiedShop<'_>,
    hash: &SecretString,
) -> Result<RegisterPayload, ApiError> {
    let now = request.clock.now();
    let record = verified.record;
    let mut system = request.database.system().await?;
    if !verified.redeem(&mut system, now).await? {
        return Ok(vec![invalid_code(verified.fields.domain)].into());
    }
    let user = system.create_user(&candidate.email, hash, now).await?;
    let tenant = system.create_tenant(record, now).await?;
    let (Some(user), Some(tenant)) = (user, tenant) else {
        return Ok(taken(user, tenant, verified.fields).into());
    };
    let member = (user, tenant);
    let (session, sync_run) =
        verified_shop::create_shop(system, request, services, member, None, verified).await?;
    Ok(RegisterPayload {
        session: Some(session),
        user: Some(User::new(user, tenant)),
        sync_run: Some(sync_run),
        user_errors: Vec::new(),
    })
}

fn taken(user: Option<UserId>, tenant: Option<TenantId>, fields: InputPaths) -> Vec<UserError> {
    let mut errors = Vec::new();
    if user.is_none() {
        let message = "There is already an account with this email address. Sign in instead.";
        errors.push(UserError::new(
            &["input", "email"],
            UserErrorCode::Taken,
            message,
        ));
    }
    if tenant.is_none() {
        let message =
            "This shop is already connected by another account. Sign in with that account.";
        errors.push(UserError::new(
            fields.domain,
            UserErrorCode::ShopAlreadyConnected,
            message,
        ));
    }
    errors
}

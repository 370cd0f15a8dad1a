//! Signing up: a user, their store and its first sync, all or nothing.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::SecretString;

use super::connecting::{self, Proven};
use super::credentials::{self, ShopCredentialsInput};
use super::new_password;
use super::session::Session;
use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, sentence};
use crate::domain::credentials::Credentials;
use crate::domain::email::Email;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::shop::{ShopDomain, ShopRecord};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::types::{SyncRun, User};

/// Who signs up, with which store.
#[derive(InputObject)]
pub(super) struct RegisterInput {
    /// The address to sign in with.
    email: String,
    /// At least 12 characters, and none of the passwords that anyone would try first.
    password: String,
    /// The store to connect. The user becomes its owner.
    shop: ShopCredentialsInput,
}

/// What became of signing up.
#[derive(Default, SimpleObject)]
pub(super) struct RegisterPayload {
    /// The user's first session. Null if there are `userErrors`.
    session: Option<Session>,
    /// The new user. Null if there are `userErrors`.
    user: Option<User>,
    /// The store's first sync, which has begun. Null if there are `userErrors`.
    sync_run: Option<SyncRun>,
    /// All that stood in the way. Nothing was made then.
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
    /// Creates the user, connects the store (verified by asking it for its own name) and starts the first
    /// sync. All of it is done, or nothing. Limited per account and per address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs up, and with which store.")] input: RegisterInput,
    ) -> Result<RegisterPayload, ApiError> {
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
        if let Err(error) = tools.count_attempt(request, &input.email) {
            return Ok(vec![error].into());
        }
        let candidate = match Candidate::parse(input) {
            Ok(candidate) => candidate,
            Err(errors) => return Ok(errors.into()),
        };
        let proven = credentials::prove(
            &tools.ingest,
            &candidate.domain,
            &candidate.credentials,
            credentials::OF_SHOP,
        );
        let record = match proven.await? {
            Ok(record) => record,
            Err(error) => return Ok(vec![error].into()),
        };
        // The slowest part, so it comes last before the transaction, which it would keep open.
        let hash = tools.passwords.hash(&candidate.password).await?;
        Box::pin(enter(request, tools, &candidate, &record, &hash)).await
    }
}

/// Who wants to sign up: everything that can be checked without asking anyone is.
struct Candidate {
    email: Email,
    password: SecretString,
    domain: ShopDomain,
    credentials: Credentials,
}

impl Candidate {
    fn parse(input: RegisterInput) -> Result<Self, Vec<UserError>> {
        let mut errors = Vec::new();
        let email = Email::parse(&input.email);
        if let Err(wrong) = &email {
            let (field, message) = (["input", "email"], sentence(wrong));
            errors.push(UserError::new(&field, UserErrorCode::Invalid, message));
        }
        let password = SecretString::from(input.password);
        let shop = input.shop.domain.split('.').next().unwrap_or_default();
        let own_words = [input.email.trim(), shop];
        errors.extend(new_password::check(
            &password,
            &own_words,
            &["input", "password"],
        ));
        let shop = credentials::parse(input.shop, &mut errors);
        match (email, shop) {
            (Ok(email), Some((domain, credentials))) if errors.is_empty() => Ok(Self {
                email,
                password,
                domain,
                credentials,
            }),
            _ => Err(errors),
        }
    }
}

/// Writes it all in one transaction. That an address or a store is there already is told only now, to
/// somebody who proved to have a store: anyone else could find out who our users are.
async fn enter(
    request: &RequestContext,
    tools: &MutationContext,
    candidate: &Candidate,
    record: &ShopRecord,
    hash: &SecretString,
) -> Result<RegisterPayload, ApiError> {
    let now = request.clock.now();
    let mut system = request.database.system().await?;
    let user = system.create_user(&candidate.email, hash, now).await?;
    let tenant = system
        .create_tenant(&record.domain, &record.gid, now)
        .await?;
    let (Some(user), Some(tenant)) = (user, tenant) else {
        return Ok(taken(user, tenant).into());
    };
    let proven = Proven {
        record,
        credentials: &candidate.credentials,
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

fn taken(user: Option<UserId>, tenant: Option<TenantId>) -> Vec<UserError> {
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
        let field = ["input", "shop", "domain"];
        let message = "This store is connected already, by another account. Sign in with that one.";
        errors.push(UserError::new(
            &field,
            UserErrorCode::ShopAlreadyConnected,
            message,
        ));
    }
    errors
}

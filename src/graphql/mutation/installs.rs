//! Claims a shop whose merchant installed the operator's app, for a signed-in user or a new one.

use async_graphql::{Context, InputObject, Object};

use super::credentials::{self, InputPaths};
use super::register::{self, Candidate, RegisterPayload};
use super::stores::{self, ConnectShopPayload};
use super::user_error::{UserError, UserErrorCode};
use super::verified_shop::VerifiedShop;
use super::{MUTATION_COST, MutationContext, permit};
use crate::auth::single_use_token::{Purpose, SingleUseToken};
use crate::domain::credentials::Credentials;
use crate::domain::shop::ShopDomain;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;

/// Input of `registerInstalled`.
#[derive(InputObject)]
pub(super) struct RegisterInstalledInput {
    /// The email address to sign in with.
    email: String,
    /// The password: at least 12 characters, and not a common password.
    password: String,
    /// The code shown at the end of the installation.
    token: String,
}

/// Mutations for installed shops.
#[derive(Default)]
pub(super) struct InstallMutations;

const TOKEN_PATHS: InputPaths = InputPaths {
    domain: &["token"],
    credentials: &["token"],
};
const INPUT_TOKEN_PATHS: InputPaths = InputPaths {
    domain: &["input", "token"],
    credentials: &["input", "token"],
};

#[Object]
impl InstallMutations {
    /// Connects a shop whose merchant installed the app from Shopify, and starts its initial sync.
    /// Owners and admins can reconnect a disconnected shop this way. The page at the end of the
    /// installation shows the code. It works once, within 30 minutes. `EXPIRED`: the code is
    /// invalid, already used or expired. Rate limited per user and per IP address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn claim_shop(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code shown at the end of the installation.")] token: String,
    ) -> Result<ConnectShopPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        let principal = match permit(ctx, &["token"])? {
            Ok(principal) => principal,
            Err(error) => return Ok(vec![error].into()),
        };
        if let Err(error) = services.count_attempt(request, &principal.user.to_string()) {
            return Ok(vec![error].into());
        }
        let Some((token, domain, held)) = pending_install(services, &token).await? else {
            return Ok(vec![invalid_code(&["token"])].into());
        };
        let verified = credentials::verify(&services.sync, &domain, &held, TOKEN_PATHS);
        let record = match verified.await? {
            Ok(record) => record,
            Err(error) => return Ok(vec![error].into()),
        };
        let hash = token.hash();
        let verified = VerifiedShop {
            record: &record,
            credentials: &held,
            fields: TOKEN_PATHS,
            claim: Some(&hash),
        };
        Box::pin(stores::connect(request, services, principal, verified)).await
    }

    /// Creates a user and connects a shop whose merchant installed the app from Shopify. Like
    /// `register`, with the code shown at the end of the installation instead of the shop's
    /// credentials. `EXPIRED`: the code is invalid, already used or expired.
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn register_installed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new user, and the code.")] input: RegisterInstalledInput,
    ) -> Result<RegisterPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        if let Err(error) = services.count_attempt(request, &input.email) {
            return Ok(vec![error].into());
        }
        let Some((token, domain, held)) = pending_install(services, &input.token).await? else {
            return Ok(vec![invalid_code(&["input", "token"])].into());
        };
        let label = domain.label().to_owned();
        let shop = Ok((domain, held));
        let candidate = Candidate::new(&input.email, input.password, &label, shop);
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(errors) => return Ok(errors.into()),
        };
        let hash = token.hash();
        Box::pin(register::sign_up(
            request,
            services,
            &candidate,
            INPUT_TOKEN_PATHS,
            Some(&hash),
        ))
        .await
    }
}

/// The installed shop that this code belongs to.
async fn pending_install(
    services: &MutationContext,
    token: &str,
) -> Result<Option<(SingleUseToken, ShopDomain, Credentials)>, ApiError> {
    let Ok(token) = SingleUseToken::parse(Purpose::InstallClaim, token.trim()) else {
        return Ok(None);
    };
    let waiting = services.sync.claimable_shop(&token).await?;
    Ok(waiting.map(|(domain, credentials)| (token, domain, credentials)))
}

pub(super) fn invalid_code(field: &[&str]) -> UserError {
    let message = "The code is invalid or has expired. Install the app again.";
    UserError::new(field, UserErrorCode::Expired, message)
}

//! Taking over a store whose merchant installed the operator's app: by who is signed in, or who signs up.

use async_graphql::{Context, InputObject, Object};

use super::connecting::Proven;
use super::credentials::{self, Fields};
use super::register::{self, Candidate, RegisterPayload};
use super::stores::{self, ConnectShopPayload};
use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, permit};
use crate::auth::one_time::{OneTimeToken, Purpose};
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

/// Taking installed stores over.
#[derive(Default)]
pub(super) struct InstallMutations;

const OF_TOKEN: Fields = Fields {
    domain: &["token"],
    credentials: &["token"],
};
const OF_INPUT: Fields = Fields {
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
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
        let principal = match permit(ctx, &["token"])? {
            Ok(principal) => principal,
            Err(error) => return Ok(vec![error].into()),
        };
        if let Err(error) = tools.count_attempt(request, &principal.user.to_string()) {
            return Ok(vec![error].into());
        }
        let Some((token, domain, held)) = waiting(tools, &token).await? else {
            return Ok(vec![no_store(&["token"])].into());
        };
        let proven = credentials::prove(&tools.sync, &domain, &held, OF_TOKEN);
        let record = match proven.await? {
            Ok(record) => record,
            Err(error) => return Ok(vec![error].into()),
        };
        let hash = token.hash();
        let proven = Proven {
            record: &record,
            credentials: &held,
            fields: OF_TOKEN,
            claim: Some(&hash),
        };
        Box::pin(stores::connect(request, tools, principal, proven)).await
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
        let (request, tools) = (RequestContext::of(ctx)?, MutationContext::of(ctx)?);
        if let Err(error) = tools.count_attempt(request, &input.email) {
            return Ok(vec![error].into());
        }
        let Some((token, domain, held)) = waiting(tools, &input.token).await? else {
            return Ok(vec![no_store(&["input", "token"])].into());
        };
        let label = domain.label().to_owned();
        let shop = Ok((domain, held));
        let candidate = Candidate::of(&input.email, input.password, &label, shop);
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(errors) => return Ok(errors.into()),
        };
        let hash = token.hash();
        Box::pin(register::sign_up(
            request,
            tools,
            &candidate,
            OF_INPUT,
            Some(&hash),
        ))
        .await
    }
}

/// The store that waits for who has this token.
async fn waiting(
    tools: &MutationContext,
    token: &str,
) -> Result<Option<(OneTimeToken, ShopDomain, Credentials)>, ApiError> {
    let Ok(token) = OneTimeToken::parse(Purpose::InstallClaim, token.trim()) else {
        return Ok(None);
    };
    let waiting = tools.sync.claimable_shop(&token).await?;
    Ok(waiting.map(|(domain, credentials)| (token, domain, credentials)))
}

pub(super) fn no_store(field: &[&str]) -> UserError {
    let message = "No store waits for this code, or not any more. Install the app again.";
    UserError::new(field, UserErrorCode::Expired, message)
}

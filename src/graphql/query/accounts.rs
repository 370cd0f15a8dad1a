//! The caller's account.

use async_graphql::{Context, Object};

use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::types::User;

/// Queries for the caller's account.
#[derive(Default)]
pub(super) struct AccountQueries;

#[Object]
impl AccountQueries {
    /// The signed-in user. Null without a token.
    #[expect(clippy::unused_async, reason = "resolvers must be async")]
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>, ApiError> {
        let principal = RequestContext::of(ctx)?.principal;
        Ok(principal.map(|principal| User::new(principal.user, principal.tenant)))
    }
}

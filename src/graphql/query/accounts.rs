//! Who is asking.

use async_graphql::{Context, Object};

use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::types::User;

/// Questions about the caller.
#[derive(Default)]
pub(super) struct AccountQueries;

#[Object]
impl AccountQueries {
    /// The signed-in user. Null without a token.
    #[expect(
        clippy::unused_async,
        reason = "resolvers are async, whether they wait or not"
    )]
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>, ApiError> {
        let principal = RequestContext::of(ctx)?.principal;
        Ok(principal.map(|principal| User::new(principal.user, principal.tenant)))
    }
}

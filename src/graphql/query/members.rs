//! Members, invitations and sessions.

use async_graphql::{Context, Object};

use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::permissions::permit;
use crate::graphql::types::{ActiveSession, Invitation, Member};

/// The base cost of such a list, without its items.
const LIST_COST: usize = 10;

/// Queries for members, invitations and sessions.
#[derive(Default)]
pub(super) struct MemberQueries;

#[Object]
impl MemberQueries {
    /// The members of the shop, oldest membership first, at most 100. Requires the role owner or
    /// admin (`FORBIDDEN`).
    #[graphql(complexity = "LIST_COST + 10 * child_complexity")]
    async fn members(&self, ctx: &Context<'_>) -> Result<Vec<Member>, ApiError> {
        let tenant = permit(ctx)?.tenant;
        let members = RequestContext::of(ctx)?.read_members(tenant).await?;
        let member = |record| Member::new(tenant, record);
        Ok(members.into_iter().map(member).collect())
    }

    /// The open invitations to the shop, newest first. The shop can have at most 100 members and
    /// open invitations together. Requires the role owner or admin (`FORBIDDEN`).
    #[graphql(complexity = "LIST_COST + 10 * child_complexity")]
    async fn invitations(&self, ctx: &Context<'_>) -> Result<Vec<Invitation>, ApiError> {
        let tenant = permit(ctx)?.tenant;
        let invitations = RequestContext::of(ctx)?.read_invitations(tenant).await?;
        Ok(invitations.into_iter().map(Invitation::new).collect())
    }

    /// The active sessions of the signed-in user in all of their shops, most recently used first,
    /// at most 100.
    #[graphql(complexity = "LIST_COST + 10 * child_complexity")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<ActiveSession>, ApiError> {
        let user = permit(ctx)?.user;
        let sessions = RequestContext::of(ctx)?.read_sessions(user).await?;
        Ok(sessions.into_iter().map(ActiveSession::new).collect())
    }
}

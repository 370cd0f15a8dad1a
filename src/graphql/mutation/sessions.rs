//! Ends other sessions of the user.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, actor, record_for_all_tenants};
use crate::db::SystemTx;
use crate::domain::audit::{Action, Entry};
use crate::domain::ids::TenantId;
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::numbers::to_graphql_int;
use crate::graphql::permissions::permit;

/// The result of `endSession`.
#[derive(Default, SimpleObject)]
pub(super) struct EndSessionPayload {
    /// Errors that prevented the session from ending. Empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `endOtherSessions`.
#[derive(Default, SimpleObject)]
pub(super) struct EndOtherSessionsPayload {
    /// The number of sessions that were ended.
    ended: i32,
    /// Always empty. No input can make this mutation fail.
    user_errors: Vec<UserError>,
}

/// Mutations for ending sessions.
#[derive(Default)]
pub(super) struct SessionListMutations;

#[Object]
impl SessionListMutations {
    /// Ends one of the signed-in user's sessions, for any shop. Its tokens stop working
    /// immediately. `INVALID`: the user has no such session.
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id, from `sessions { id }`.")] id: ID,
    ) -> Result<EndSessionPayload, ApiError> {
        let request = RequestContext::of(ctx)?;
        let principal = permit(ctx)?;
        let mut system = request.database.system().await?;
        let now = request.clock.now();
        let ended = match NodeId::decode(&id, principal.tenant) {
            Some(NodeId::Session(session)) => {
                system.end_session_of(principal.user, session, now).await?
            }
            _ => None,
        };
        let Some(tenant) = ended else {
            let message = "You have no such session.";
            let error = UserError::new(&["id"], UserErrorCode::Invalid, message);
            return Ok(EndSessionPayload {
                user_errors: vec![error],
            });
        };
        note_ended(request, system, principal, &[tenant]).await?;
        Ok(EndSessionPayload::default())
    }

    /// Ends all sessions of the signed-in user except the current one, for all shops.
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn end_other_sessions(
        &self,
        ctx: &Context<'_>,
    ) -> Result<EndOtherSessionsPayload, ApiError> {
        let request = RequestContext::of(ctx)?;
        let principal = permit(ctx)?;
        let mut system = request.database.system().await?;
        let now = request.clock.now();
        let tenants = system
            .end_sessions_but(principal.user, principal.session, now)
            .await?;
        note_ended(request, system, principal, &tenants).await?;
        Ok(EndOtherSessionsPayload {
            ended: to_graphql_int(i64::try_from(tenants.len()).unwrap_or(i64::MAX))?,
            user_errors: Vec::new(),
        })
    }
}

/// Records the number of ended sessions for all of the user's tenants, and commits.
async fn note_ended(
    request: &RequestContext,
    mut system: SystemTx,
    principal: Principal,
    tenants: &[TenantId],
) -> Result<(), ApiError> {
    let actor = actor(&mut system, principal.user).await?;
    let entry = Entry::done(Action::SessionsEnded, actor)
        .to(tenants.len().to_string())
        .from(request.client_address);
    record_for_all_tenants(system, principal.user, &entry, request.clock.now()).await?;
    request.refresh().await;
    Ok(())
}

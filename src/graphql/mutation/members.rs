//! Manages the members of the current shop.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, actor, permit, record_refusal};
use crate::db::SystemTx;
use crate::db::members::{MemberChange, MemberRecord};
use crate::domain::audit::{Action, Entry};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::types::{Member, Role};

/// Input of `changeMemberRole`.
#[derive(InputObject)]
pub(super) struct ChangeMemberRoleInput {
    /// The member's user id, from `members { userId }`.
    user_id: ID,
    /// The new role.
    role: Role,
}

/// The result of `changeMemberRole`.
#[derive(Default, SimpleObject)]
pub(super) struct ChangeMemberRolePayload {
    /// The member with the new role. Null if there are `userErrors`.
    member: Option<Member>,
    /// Errors that prevented the change. Empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `removeMember`.
#[derive(Default, SimpleObject)]
pub(super) struct RemoveMemberPayload {
    /// The removed member. Null if there are `userErrors`.
    member: Option<Member>,
    /// Errors that prevented the removal. Empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `leaveShop`.
#[derive(Default, SimpleObject)]
pub(super) struct LeaveShopPayload {
    /// Errors that prevented the user from leaving. Empty on success.
    user_errors: Vec<UserError>,
}

/// Mutations for members.
#[derive(Default)]
pub(super) struct MemberMutations;

#[Object]
impl MemberMutations {
    /// Changes a member's role from their next request on. If the new role has fewer permissions,
    /// the member's open invitations are withdrawn. The last owner cannot be changed
    /// (`LAST_OWNER`). Requires the role owner (`NOT_ALLOWED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn change_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member and the new role.")] input: ChangeMemberRoleInput,
    ) -> Result<ChangeMemberRolePayload, ApiError> {
        let refused = |error| {
            Ok(ChangeMemberRolePayload {
                member: None,
                user_errors: vec![error],
            })
        };
        let request = RequestContext::of(ctx)?;
        let principal = match permit(ctx, &["input"])? {
            Ok(principal) => principal,
            Err(error) => return refused(error),
        };
        let field = ["input", "userId"];
        let Some(user) = member_of(&input.user_id, principal.tenant) else {
            return refused(no_member(&field));
        };
        let mut system = request.database.system().await?;
        let may = |by: &MemberRecord| by.role == principal.role;
        if let Err(error) = still(ctx, &mut system, principal, may).await? {
            return refused(error);
        }
        let role = input.role.into();
        let change = system.change_role(principal.tenant, user, role).await?;
        let before = match settled(change, &field) {
            Ok(before) => before,
            Err(error) => return refused(error),
        };
        let entry = Entry::done(
            Action::RoleChanged,
            actor(&mut system, principal.user).await?,
        )
        .to_member(&before.email, role)
        .from(request.client_address);
        note(request, system, principal.tenant, &entry).await?;
        let member = MemberRecord { role, ..before };
        Ok(ChangeMemberRolePayload {
            member: Some(Member::new(principal.tenant, member)),
            user_errors: Vec::new(),
        })
    }

    /// Removes a member from the shop. Their sessions for the shop end immediately, and their open
    /// invitations are withdrawn. The last owner cannot be removed (`LAST_OWNER`). Owners can
    /// remove any member; admins can remove viewers (`NOT_ALLOWED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member's user id, from `members { userId }`.")] user_id: ID,
    ) -> Result<RemoveMemberPayload, ApiError> {
        let refused = |error| {
            Ok(RemoveMemberPayload {
                member: None,
                user_errors: vec![error],
            })
        };
        let request = RequestContext::of(ctx)?;
        let (field, tenant) = (["userId"], request.require_principal()?.tenant);
        let principal = match permit(ctx, &field)? {
            Ok(principal) => principal,
            Err(error) => return refused(error),
        };
        let Some(user) = member_of(&user_id, tenant) else {
            return refused(no_member(&field));
        };
        let mut system = request.database.system().await?;
        system.lock_members(tenant).await?;
        let Some(member) = system.find_member(tenant, user).await? else {
            return refused(no_member(&field));
        };
        let may = |by: &MemberRecord| by.role.may_manage(member.role);
        if let Err(error) = still(ctx, &mut system, principal, may).await? {
            return refused(error);
        }
        let change = system
            .remove_member(tenant, user, request.clock.now())
            .await?;
        let removed = match settled(change, &field) {
            Ok(removed) => removed,
            Err(error) => return refused(error),
        };
        let entry = Entry::done(
            Action::MemberRemoved,
            actor(&mut system, principal.user).await?,
        )
        .to_member(&removed.email, removed.role)
        .from(request.client_address);
        note(request, system, tenant, &entry).await?;
        Ok(RemoveMemberPayload {
            member: Some(Member::new(tenant, removed)),
            user_errors: Vec::new(),
        })
    }

    /// Ends the signed-in user's membership in the current shop and their sessions for it. The last
    /// owner cannot leave (`LAST_OWNER`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn leave_shop(&self, ctx: &Context<'_>) -> Result<LeaveShopPayload, ApiError> {
        let request = RequestContext::of(ctx)?;
        let principal = match permit(ctx, &[])? {
            Ok(principal) => principal,
            Err(error) => {
                return Ok(LeaveShopPayload {
                    user_errors: vec![error],
                });
            }
        };
        let mut system = request.database.system().await?;
        let actor = actor(&mut system, principal.user).await?;
        let change = system
            .remove_member(principal.tenant, principal.user, request.clock.now())
            .await?;
        if let Err(error) = settled(change, &[]) {
            return Ok(LeaveShopPayload {
                user_errors: vec![error],
            });
        }
        let entry = Entry::done(Action::MemberLeft, actor).from(request.client_address);
        note(request, system, principal.tenant, &entry).await?;
        Ok(LeaveShopPayload::default())
    }
}

/// The user with a `Member.userId`.
fn member_of(id: &ID, tenant: TenantId) -> Option<UserId> {
    match NodeId::decode(id, tenant) {
        Some(NodeId::User(user)) => Some(user),
        _ => None,
    }
}

fn no_member(field: &[&str]) -> UserError {
    let message = "The shop has no such member.";
    UserError::new(field, UserErrorCode::Invalid, message)
}

fn settled(change: MemberChange, field: &[&str]) -> Result<MemberRecord, UserError> {
    match change {
        MemberChange::Made(member) => Ok(member),
        MemberChange::Unknown => Err(no_member(field)),
        MemberChange::LastOwner => {
            let message = "A shop needs an owner. Make another member the owner first.";
            Err(UserError::new(field, UserErrorCode::LastOwner, message))
        }
    }
}

/// Whether the caller currently has the permission. The members of the shop are locked until the
/// transaction ends, so that no one can act with a permission that is being removed.
pub(super) async fn still(
    ctx: &Context<'_>,
    system: &mut SystemTx,
    principal: Principal,
    may: impl FnOnce(&MemberRecord) -> bool,
) -> Result<Result<(), UserError>, ApiError> {
    system.lock_members(principal.tenant).await?;
    let caller = system
        .find_member(principal.tenant, principal.user)
        .await?
        .ok_or(ApiError::Unauthenticated)?;
    Ok(if may(&caller) {
        Ok(())
    } else {
        record_refusal(ctx, principal)?;
        let message = "Only owners of the shop can do this.";
        Err(UserError::new(&[], UserErrorCode::NotAllowed, message))
    })
}

/// Adds an entry to the audit log, and commits.
pub(super) async fn note(
    request: &RequestContext,
    system: SystemTx,
    tenant: TenantId,
    entry: &Entry,
) -> Result<(), ApiError> {
    let mut transaction = system.into_tenant(tenant).await?;
    transaction.note(entry, request.clock.now()).await?;
    transaction.commit().await?;
    request.refresh().await;
    Ok(())
}

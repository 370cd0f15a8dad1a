//! The table of permissions, and the check against it. Every resolver of a query, mutation or
//! subscription calls the check first. A test calls every field in every role and compares the
//! result with the table.

use async_graphql::Context;

use super::context::RequestContext;
use super::error::ApiError;
use crate::domain::principal::{Principal, Role};

/// Who may use a field: the permission that it requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// No permission: callers may be signed in or not.
    Anyone,
    /// Members with at least this role.
    From(Role),
}

impl Access {
    /// Whether a caller with this role is allowed. `None` is a caller who is not signed in.
    #[must_use]
    pub fn allows(self, role: Option<Role>) -> bool {
        match self {
            Self::Anyone => true,
            Self::From(least) => role.is_some_and(|role| role >= least),
        }
    }
}

const ANYONE: Access = Access::Anyone;
const VIEWER: Access = Access::From(Role::Viewer);
const ADMIN: Access = Access::From(Role::Admin);
const OWNER: Access = Access::From(Role::Owner);

/// Every field of the three root types. No two fields have the same name. A field that is missing
/// here is always refused.
pub const TABLE: &[(&str, Access)] = &[
    // Queries.
    ("me", ANYONE),
    ("overview", VIEWER),
    ("ordersByDate", VIEWER),
    ("topCustomers", VIEWER),
    ("recentOrders", VIEWER),
    ("orders", VIEWER),
    ("customers", VIEWER),
    ("products", VIEWER),
    ("syncRuns", VIEWER),
    ("node", VIEWER),
    ("nodes", VIEWER),
    ("privacyRequests", ADMIN),
    ("members", ADMIN),
    ("invitations", ADMIN),
    ("sessions", VIEWER),
    ("auditLog", OWNER),
    // Mutations.
    ("register", ANYONE),
    ("registerInstalled", ANYONE),
    ("login", ANYONE),
    ("refreshSession", ANYONE),
    ("logout", VIEWER),
    ("sync", ADMIN),
    ("updateShopCredentials", ADMIN),
    // Another shop belongs to the user, whatever the user's role in the current shop is.
    ("connectShop", VIEWER),
    ("claimShop", VIEWER),
    ("switchTenant", VIEWER),
    ("disconnectShop", OWNER),
    // Admins can manage only viewers: `Role::may_manage`.
    ("inviteMember", ADMIN),
    ("withdrawInvitation", ADMIN),
    ("removeMember", ADMIN),
    ("changeMemberRole", OWNER),
    ("leaveShop", VIEWER),
    ("acceptInvitation", ANYONE),
    ("changePassword", VIEWER),
    ("resetPassword", ANYONE),
    ("endSession", VIEWER),
    ("endOtherSessions", VIEWER),
    // Subscriptions.
    ("syncProgress", VIEWER),
    ("storeChanged", VIEWER),
];

/// The permission for a field. `None` if the table does not contain it.
#[must_use]
pub fn access(field: &str) -> Option<Access> {
    TABLE
        .iter()
        .find(|(name, _)| *name == field)
        .map(|(_, access)| *access)
}

/// The caller, if the table allows the field that `ctx` resolves. Not for fields of `Anyone`, which
/// may have no caller.
pub(super) fn permit(ctx: &Context<'_>) -> Result<Principal, ApiError> {
    let caller = RequestContext::of(ctx)?.principal;
    let access = access(ctx.field().name())
        .ok_or_else(|| ApiError::internal(&"a field is missing in the table of permissions"))?;
    let caller = caller.ok_or(ApiError::Unauthenticated)?;
    if access.allows(Some(caller.role)) {
        Ok(caller)
    } else {
        Err(ApiError::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_stands_in_the_table_once() {
        let mut names: Vec<_> = TABLE.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_greater_role_may_what_a_lesser_one_may() {
        for access in [ANYONE, VIEWER, ADMIN, OWNER] {
            let may = [
                None,
                Some(Role::Viewer),
                Some(Role::Admin),
                Some(Role::Owner),
            ]
            .map(|role| access.allows(role));
            assert!(may.is_sorted(), "{access:?}");
        }
    }
}

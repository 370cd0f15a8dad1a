//! Users and what they may do.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::shop::Tenant;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;

/// A user. Visible only to that user.
#[derive(Clone, Copy, Debug)]
pub struct User {
    id: UserId,
    tenant: TenantId,
}

impl User {
    /// A user, and the tenant that they are signed in to.
    #[must_use]
    pub const fn new(id: UserId, tenant: TenantId) -> Self {
        Self { id, tenant }
    }
}

/// A user. Visible only to that user.
#[Object]
impl User {
    /// The user's id, for `node`.
    pub async fn id(&self) -> ID {
        NodeId::User(self.id).encode(self.tenant)
    }

    /// The email address that the user signs in with, in lower case.
    async fn email(&self, ctx: &Context<'_>) -> Result<String, ApiError> {
        let account = RequestContext::of(ctx)?.read_account(self.id).await?;
        Ok(account.ok_or(ApiError::Unauthenticated)?.email.clone())
    }

    /// The tenant that the access token is for. All other fields of the operation read this tenant.
    async fn tenant(&self) -> Tenant {
        Tenant::new(self.tenant)
    }

    /// All shops that the user is a member of, oldest membership first.
    async fn memberships(&self, ctx: &Context<'_>) -> Result<Vec<Membership>, ApiError> {
        let account = RequestContext::of(ctx)?.read_account(self.id).await?;
        let account = account.ok_or(ApiError::Unauthenticated)?;
        let memberships = account.memberships.iter();
        Ok(memberships
            .map(|membership| Membership {
                tenant: Tenant::listed(membership.tenant, membership.shop.clone()),
                role: membership.role.into(),
            })
            .collect())
    }
}

/// A user's access to one shop.
#[derive(Clone, Debug, SimpleObject)]
pub struct Membership {
    /// The tenant of the shop.
    pub tenant: Tenant,
    /// The user's role in the shop.
    pub role: Role,
}

/// A member's role in a shop. Each role includes the permissions of the roles after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Role {
    /// Full access: can also manage all members, read the audit log and disconnect the shop. The
    /// user who connects a shop becomes its owner.
    Owner,
    /// Can also start syncs, replace the shop's credentials, and invite and remove viewers.
    Admin,
    /// Can read the shop's figures and objects, and change nothing.
    Viewer,
}

impl From<principal::Role> for Role {
    fn from(role: principal::Role) -> Self {
        match role {
            principal::Role::Owner => Self::Owner,
            principal::Role::Admin => Self::Admin,
            principal::Role::Viewer => Self::Viewer,
        }
    }
}

impl From<Role> for principal::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Viewer => Self::Viewer,
        }
    }
}

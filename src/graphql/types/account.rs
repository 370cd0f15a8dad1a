//! Users and what they may do.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::shop::Tenant;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;

/// A person who can sign in. Only users themselves see this.
#[derive(Clone, Copy, Debug)]
pub struct User {
    id: UserId,
    tenant: TenantId,
}

impl User {
    /// A user, seen from the store they are signed in to.
    #[must_use]
    pub const fn new(id: UserId, tenant: TenantId) -> Self {
        Self { id, tenant }
    }
}

/// A person who can sign in. Only users themselves see this.
#[Object]
impl User {
    /// The user's id, for `node`.
    pub async fn id(&self) -> ID {
        NodeId::User(self.id).encode(self.tenant)
    }

    /// The email address that the user signs in with, in lower case.
    async fn email(&self, ctx: &Context<'_>) -> Result<String, ApiError> {
        let account = RequestContext::of(ctx)?.read_account(self.id).await?;
        Ok(account.ok_or(ApiError::Unauthenticated)?.email)
    }

    /// The store that the token speaks for: everything else that is asked with it is about this store.
    async fn tenant(&self) -> Tenant {
        Tenant::new(self.tenant)
    }

    /// Every store that the user is a member of, the longest-standing membership first.
    async fn memberships(&self, ctx: &Context<'_>) -> Result<Vec<Membership>, ApiError> {
        let account = RequestContext::of(ctx)?.read_account(self.id).await?;
        let account = account.ok_or(ApiError::Unauthenticated)?;
        let memberships = account.memberships.into_iter();
        Ok(memberships
            .map(|(tenant, role)| Membership {
                tenant: Tenant::new(tenant),
                role: role.into(),
            })
            .collect())
    }
}

/// That a user may see a store, and what they may do there.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct Membership {
    /// The store.
    pub tenant: Tenant,
    /// What the user may do there.
    pub role: Role,
}

/// What a member may do with a store. Each role may do what those listed after it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Role {
    /// May do everything: also looks after members of every role, reads the audit log, disconnects the store.
    /// Whoever connects a store owns it.
    Owner,
    /// Also starts syncs, changes the store's credentials, and invites and removes viewers.
    Admin,
    /// Sees the store's figures and objects, and changes nothing.
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

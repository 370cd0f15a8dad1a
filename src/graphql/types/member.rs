//! The people of a store: its members, who is invited, and where one is signed in.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::account::Role;
use super::shop::Tenant;
use crate::db::invitations::InvitationRecord;
use crate::db::members::MemberRecord;
use crate::db::sessions::LiveSession;
use crate::domain::ids::TenantId;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::scalars::Instant;

/// Somebody who may see the store.
#[derive(Clone, Debug, SimpleObject)]
pub struct Member {
    /// The user's id. Good for `removeMember` and `changeMemberRole`.
    user_id: ID,
    /// The email address that they sign in with, in lower case.
    email: String,
    /// What they may do.
    role: Role,
    /// The instant at which they became a member.
    joined_at: Instant,
}

impl Member {
    /// A member of this store.
    #[must_use]
    pub fn new(tenant: TenantId, record: MemberRecord) -> Self {
        Self {
            user_id: NodeId::User(record.user).encode(tenant),
            email: record.email,
            role: record.role.into(),
            joined_at: Instant(record.since),
        }
    }
}

/// An invitation into the store that was not accepted yet.
#[derive(Clone, Debug)]
pub struct Invitation {
    record: InvitationRecord,
}

impl Invitation {
    /// An open invitation.
    #[must_use]
    pub const fn new(record: InvitationRecord) -> Self {
        Self { record }
    }
}

/// An invitation into the store that was not accepted yet.
#[Object]
impl Invitation {
    /// The invitation's id, for `node` and `withdrawInvitation`.
    pub async fn id(&self) -> ID {
        NodeId::Invitation(self.record.id).encode(self.record.tenant)
    }

    /// The email address that is invited, in lower case: nobody with another one can accept.
    async fn email(&self) -> &str {
        self.record.email.as_str()
    }

    /// What they will be allowed to do.
    async fn role(&self) -> Role {
        self.record.role.into()
    }

    /// The instant from which it can no longer be accepted: seven days after it was made.
    async fn expires_at(&self) -> Instant {
        Instant(self.record.expires_at)
    }
}

/// A place where the user is signed in. Only users themselves see this.
#[derive(Clone, Debug)]
pub struct ActiveSession {
    session: LiveSession,
}

impl ActiveSession {
    /// A session that is alive.
    #[must_use]
    pub const fn new(session: LiveSession) -> Self {
        Self { session }
    }
}

/// A place where the user is signed in. Only users themselves see this.
#[Object]
impl ActiveSession {
    /// The session's id, for `endSession`.
    async fn id(&self) -> ID {
        NodeId::Session(self.session.id).encode(self.session.tenant)
    }

    /// Whether it is the session that this was asked with.
    #[expect(
        clippy::unused_async,
        reason = "resolvers are async, whether they wait or not"
    )]
    async fn current(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        let principal = RequestContext::of(ctx)?.require_principal()?;
        Ok(principal.session == self.session.id)
    }

    /// The store that the session speaks for.
    async fn tenant(&self) -> Tenant {
        Tenant::new(self.session.tenant)
    }

    /// The instant at which the session began.
    async fn created_at(&self) -> Instant {
        Instant(self.session.created_at)
    }

    /// The instant at which its tokens were last traded for new ones (or at which it began): it was in use for
    /// up to 15 minutes after that.
    async fn last_used_at(&self) -> Instant {
        Instant(self.session.last_used_at)
    }

    /// The instant at which it ends if it is not used.
    async fn expires_at(&self) -> Instant {
        Instant(self.session.expires_at)
    }

    /// The network address that it was last used from. Null when it is not known.
    async fn address(&self) -> Option<&str> {
        self.session.address.as_deref()
    }

    /// What the browser or program called itself then: its own word. Null when it said nothing.
    async fn user_agent(&self) -> Option<&str> {
        self.session.user_agent.as_deref()
    }
}

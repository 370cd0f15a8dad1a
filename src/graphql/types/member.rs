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

/// A user with access to the shop.
#[derive(Clone, Debug, SimpleObject)]
pub struct Member {
    /// The user's id. Pass it to `removeMember` and `changeMemberRole`.
    user_id: ID,
    /// The email address that the member signs in with, in lower case.
    email: String,
    /// The member's role.
    role: Role,
    /// The time the user became a member.
    joined_at: Instant,
}

impl Member {
    /// A member of this tenant.
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

/// An open invitation to join the shop.
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

/// An open invitation to join the shop.
#[Object]
impl Invitation {
    /// The invitation's id, for `node` and `withdrawInvitation`.
    pub async fn id(&self) -> ID {
        NodeId::Invitation(self.record.id).encode(self.record.tenant)
    }

    /// The invited email address, in lower case. Only a user with this address can accept.
    async fn email(&self) -> &str {
        self.record.email.as_str()
    }

    /// The role that the invited person gets.
    async fn role(&self) -> Role {
        self.record.role.into()
    }

    /// The time the invitation expires: seven days after it was created.
    async fn expires_at(&self) -> Instant {
        Instant(self.record.expires_at)
    }
}

/// A session of the signed-in user. Visible only to that user.
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

/// A session of the signed-in user. Visible only to that user.
#[Object]
impl ActiveSession {
    /// The session's id. Pass it to `endSession`.
    async fn id(&self) -> ID {
        NodeId::Session(self.session.id).encode(self.session.tenant)
    }

    /// Whether this is the session that sent the request.
    #[expect(
        clippy::unused_async,
        reason = "resolvers are async, whether they wait or not"
    )]
    async fn current(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        let principal = RequestContext::of(ctx)?.require_principal()?;
        Ok(principal.session == self.session.id)
    }

    /// The tenant that the session is signed in to.
    async fn tenant(&self) -> Tenant {
        Tenant::new(self.session.tenant)
    }

    /// The time the session began.
    async fn created_at(&self) -> Instant {
        Instant(self.session.created_at)
    }

    /// The time the session's tokens were last refreshed, or issued if they were never refreshed.
    /// An access token lives for 15 minutes, so the session may have been used up to 15 minutes
    /// later.
    async fn last_used_at(&self) -> Instant {
        Instant(self.session.last_used_at)
    }

    /// The time the session expires if its tokens are not refreshed before.
    async fn expires_at(&self) -> Instant {
        Instant(self.session.expires_at)
    }

    /// The IP address of the last refresh. Null if unknown.
    async fn address(&self) -> Option<&str> {
        self.session.address.as_deref()
    }

    /// The `User-Agent` header of the last refresh, as sent by the client. Null if none was sent.
    async fn user_agent(&self) -> Option<&str> {
        self.session.user_agent.as_deref()
    }
}

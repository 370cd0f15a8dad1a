//! Who is asking.

use super::ids::{SessionId, TenantId, UserId};

/// What a verified token says: who asks, for which store, in which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The signed-in user.
    pub user: UserId,
    /// The store that the token speaks for.
    pub tenant: TenantId,
    /// The session that the token belongs to.
    pub session: SessionId,
    /// What the user may do there.
    pub role: Role,
}

/// What a member may do with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees the figures.
    Viewer,
    /// Also starts syncs and invites members.
    Admin,
    /// Also disconnects the store.
    Owner,
}

impl Role {
    /// The role as the database keeps it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Viewer => "VIEWER",
            Self::Admin => "ADMIN",
            Self::Owner => "OWNER",
        }
    }

    /// The role with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Viewer, Self::Admin, Self::Owner]
            .into_iter()
            .find(|role| role.code() == code)
    }
}

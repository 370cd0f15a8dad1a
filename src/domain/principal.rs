//! Who is asking, and from where.

use std::net::IpAddr;

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

/// Where somebody signs in from, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The network address.
    pub address: Option<IpAddr>,
    /// What the browser or program calls itself: its word, shown to the user and believed by nobody.
    pub user_agent: Option<String>,
}

/// What a member may do with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees the figures.
    Viewer,
    /// Also starts syncs, changes the store's credentials and looks after its viewers.
    Admin,
    /// Also looks after members of every role, reads the audit log and disconnects the store.
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

    /// Whether somebody of this role may invite and remove members of another: owners everybody, admins
    /// those who only look.
    #[must_use]
    pub const fn may_manage(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => matches!(other, Self::Viewer),
            Self::Viewer => false,
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

//! The authenticated caller, and the device of the request.

use std::net::IpAddr;

use super::ids::{SessionId, TenantId, UserId};

/// The content of a verified token, with the caller's current role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The signed-in user.
    pub user: UserId,
    /// The current tenant.
    pub tenant: TenantId,
    /// The session that the token belongs to.
    pub session: SessionId,
    /// The user's role in the tenant.
    pub role: Role,
}

/// The device of a sign-in, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The IP address.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header. It is shown to the user and not used otherwise.
    pub user_agent: Option<String>,
}

/// The role of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Can read figures.
    Viewer,
    /// Can also start syncs, replace the shop's credentials and manage viewers.
    Admin,
    /// Can also manage all members, read the audit log and disconnect the shop.
    Owner,
}

impl Role {
    /// The code of the role in the database.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Viewer => "VIEWER",
            Self::Admin => "ADMIN",
            Self::Owner => "OWNER",
        }
    }

    /// Whether a member with this role may invite and remove members with another role: owners may
    /// manage everyone, admins only viewers.
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

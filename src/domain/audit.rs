//! What the audit log of a store tells: who did what, to whom, from where, and whether it was let.

use std::net::IpAddr;

use super::principal::Role;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// What somebody did, or tried to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)+
        }

        impl Action {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The action as the database and the API write it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// The action with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.code() == code)
            }
        }
    };
}

actions! {
    /// The store was connected for the first time.
    StoreConnected = "STORE_CONNECTED",
    /// A store that had been disconnected was connected again.
    StoreReconnected = "STORE_RECONNECTED",
    /// The store was disconnected.
    StoreDisconnected = "STORE_DISCONNECTED",
    /// The store got new credentials.
    CredentialsChanged = "CREDENTIALS_CHANGED",
    /// A sync was asked for.
    SyncRequested = "SYNC_REQUESTED",
    /// A member signed in, or tried to with a wrong password.
    SignedIn = "SIGNED_IN",
    /// Somebody used a refresh token that had been used before, so the session was ended.
    RefreshTokenReused = "REFRESH_TOKEN_REUSED",
    /// A member signed out.
    SignedOut = "SIGNED_OUT",
    /// A member went over to this store from another of theirs.
    SwitchedHere = "SWITCHED_HERE",
    /// A member tried what their role does not allow.
    NotAllowed = "NOT_ALLOWED",
    /// Sessions of a member were ended.
    SessionsEnded = "SESSIONS_ENDED",
    /// A member changed their password, or tried to.
    PasswordChanged = "PASSWORD_CHANGED",
    /// An operator handed out a way to set a member's password anew.
    PasswordResetIssued = "PASSWORD_RESET_ISSUED",
    /// A member set their password anew.
    PasswordReset = "PASSWORD_RESET",
    /// An operator no longer lets a member in.
    UserDisabled = "USER_DISABLED",
    /// An operator lets a member in again.
    UserEnabled = "USER_ENABLED",
    /// An operator deleted a member's account.
    UserDeleted = "USER_DELETED",
    /// Somebody was invited.
    MemberInvited = "MEMBER_INVITED",
    /// An invitation was withdrawn.
    InvitationWithdrawn = "INVITATION_WITHDRAWN",
    /// Somebody accepted an invitation.
    InvitationAccepted = "INVITATION_ACCEPTED",
    /// A member got another role.
    RoleChanged = "ROLE_CHANGED",
    /// A member was removed.
    MemberRemoved = "MEMBER_REMOVED",
    /// A member left.
    MemberLeft = "MEMBER_LEFT",
    /// A customer's request was answered.
    DataRequestAnswered = "DATA_REQUEST_ANSWERED",
    /// A customer's personal fields were taken away.
    CustomerRedacted = "CUSTOMER_REDACTED",
    /// What is kept encrypted was sealed with the newest key.
    KeysRotated = "KEYS_ROTATED",
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, by the email address of that time.
    User(String),
    /// Somebody at the program's command line.
    Operator,
    /// Shopify.
    Shopify,
    /// The program itself.
    Program,
}

impl Actor {
    /// The kind of actor as the database and the API write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "USER",
            Self::Operator => "OPERATOR",
            Self::Shopify => "SHOPIFY",
            Self::Program => "PROGRAM",
        }
    }

    /// A user's address.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::User(email) => Some(email),
            Self::Operator | Self::Shopify | Self::Program => None,
        }
    }
}

/// An entry of the log, before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was done.
    pub action: Action,
    /// Whether it was let.
    pub succeeded: bool,
    /// By whom.
    pub actor: Actor,
    /// To whom or what.
    pub subject: Option<String>,
    /// From which network address.
    pub address: Option<IpAddr>,
}

impl Entry {
    /// Something that was done.
    #[must_use]
    pub const fn done(action: Action, actor: Actor) -> Self {
        Self {
            action,
            succeeded: true,
            actor,
            subject: None,
            address: None,
        }
    }

    /// Something that was tried and refused.
    #[must_use]
    pub fn refused(action: Action, actor: Actor) -> Self {
        Self {
            succeeded: false,
            ..Self::done(action, actor)
        }
    }

    /// To whom or what it was done.
    #[must_use]
    pub fn to(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// To a member, and which role that member then had.
    #[must_use]
    pub fn to_member(self, email: &str, role: Role) -> Self {
        self.to(format!("{email} ({})", role.code()))
    }

    /// From where.
    #[must_use]
    pub fn from(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_reads_back_as_it_was_written() {
        for &action in Action::ALL {
            assert_eq!(Action::from_code(action.code()), Some(action));
        }
        assert_eq!(Action::from_code("NONE"), None);
    }
}

//! Entries of the audit log: an action, its actor, subject and address, and whether it was allowed.

use std::net::IpAddr;

use super::codes::codes;
use super::principal::Role;

codes! {
    /// An action.
    Action {
        /// The shop was connected for the first time.
        StoreConnected = "STORE_CONNECTED",
        /// A disconnected shop was connected again.
        StoreReconnected = "STORE_RECONNECTED",
        /// The shop was disconnected.
        StoreDisconnected = "STORE_DISCONNECTED",
        /// The shop's credentials were replaced.
        CredentialsChanged = "CREDENTIALS_CHANGED",
        /// A sync was requested.
        SyncRequested = "SYNC_REQUESTED",
        /// A member signed in, or tried to with a wrong password.
        SignedIn = "SIGNED_IN",
        /// A refresh token was reused, so its session was ended.
        RefreshTokenReused = "REFRESH_TOKEN_REUSED",
        /// A member signed out.
        SignedOut = "SIGNED_OUT",
        /// A member switched to this shop from another one.
        SwitchedHere = "SWITCHED_HERE",
        /// A member tried an action that their role does not allow.
        NotAllowed = "NOT_ALLOWED",
        /// Sessions of a member were ended.
        SessionsEnded = "SESSIONS_ENDED",
        /// A member changed their password, or tried to.
        PasswordChanged = "PASSWORD_CHANGED",
        /// An operator issued a password reset token.
        PasswordResetIssued = "PASSWORD_RESET_ISSUED",
        /// A member set a new password with a reset token.
        PasswordReset = "PASSWORD_RESET",
        /// An operator disabled a member's account.
        UserDisabled = "USER_DISABLED",
        /// An operator enabled a member's account.
        UserEnabled = "USER_ENABLED",
        /// An operator deleted a member's account.
        UserDeleted = "USER_DELETED",
        /// A person was invited.
        MemberInvited = "MEMBER_INVITED",
        /// An invitation was withdrawn.
        InvitationWithdrawn = "INVITATION_WITHDRAWN",
        /// A person accepted an invitation.
        InvitationAccepted = "INVITATION_ACCEPTED",
        /// A member's role was changed.
        RoleChanged = "ROLE_CHANGED",
        /// A member was removed.
        MemberRemoved = "MEMBER_REMOVED",
        /// A member left.
        MemberLeft = "MEMBER_LEFT",
        /// A customer's data request was completed.
        DataRequestAnswered = "DATA_REQUEST_ANSWERED",
        /// A customer's personal data was deleted.
        CustomerRedacted = "CUSTOMER_REDACTED",
        /// The credentials were encrypted again with the current key.
        KeysRotated = "KEYS_ROTATED",
    }
}

/// The actor of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, by their email address at that time.
    User(String),
    /// An operator at the command line.
    Operator,
    /// Shopify, through a webhook.
    Shopify,
    /// The program, without a request from outside.
    Program,
}

impl Actor {
    /// The code of the kind of actor in the database and the API.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "USER",
            Self::Operator => "OPERATOR",
            Self::Shopify => "SHOPIFY",
            Self::Program => "PROGRAM",
        }
    }

    /// The email address, if the actor is a user.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::User(email) => Some(email),
            Self::Operator | Self::Shopify | Self::Program => None,
        }
    }
}

/// An entry of the audit log, before it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The action.
    pub action: Action,
    /// Whether the action was carried out.
    pub succeeded: bool,
    /// The actor.
    pub actor: Actor,
    /// The object of the action.
    pub subject: Option<String>,
    /// The IP address of the request.
    pub address: Option<IpAddr>,
}

impl Entry {
    /// An action that was carried out.
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

    /// An action that was refused.
    #[must_use]
    pub fn refused(action: Action, actor: Actor) -> Self {
        Self {
            succeeded: false,
            ..Self::done(action, actor)
        }
    }

    /// Sets the object of the action.
    #[must_use]
    pub fn to(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets a member as the object, with their role at that time.
    #[must_use]
    pub fn to_member(self, email: &str, role: Role) -> Self {
        self.to(format!("{email} ({})", role.code()))
    }

    /// Sets the IP address.
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

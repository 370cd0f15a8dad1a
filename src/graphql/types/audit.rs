//! Entries of the audit log.

use async_graphql::{Enum, ID, SimpleObject};

use crate::db::audit::AuditRow;
use crate::domain::audit::{Action, Actor};
use crate::domain::ids::TenantId;
use crate::graphql::ids::NodeId;
use crate::graphql::scalars::Instant;

/// Something that somebody did to the store, its members or a member's sessions, or was not let do.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditEntry {
    /// The entry's id.
    id: ID,
    /// The instant at which it happened.
    at: Instant,
    /// What was done, in capitals: `SIGNED_IN`, `ROLE_CHANGED`, … All of them are listed in docs/accounts.md. There will
    /// be more.
    action: String,
    /// Whether it was done. False: it was tried, and refused.
    succeeded: bool,
    /// What kind of actor did it.
    actor_kind: AuditActorKind,
    /// The email address of the user who did it, as it was then. Null when it was no user.
    actor_email: Option<String>,
    /// To whom or what it was done: an email address, a role, a kind of sync. Null when the action says it all.
    subject: Option<String>,
    /// The network address that it was done from. Null when it did not come over the network, or the address is
    /// not known.
    address: Option<String>,
}

impl AuditEntry {
    /// An entry of this store's log.
    #[must_use]
    pub fn new(tenant: TenantId, row: AuditRow) -> Self {
        Self {
            id: NodeId::AuditEntry(row.id).encode(tenant),
            at: Instant(row.at),
            action: Action::code(row.action).to_owned(),
            succeeded: row.succeeded,
            actor_kind: (&row.actor).into(),
            actor_email: row.actor.email().map(str::to_owned),
            subject: row.subject,
            address: row.address,
        }
    }
}

/// Who can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AuditActorKind {
    /// A user: `actorEmail` says who.
    User,
    /// Somebody who runs the program, at its command line.
    Operator,
    /// Shopify, by a webhook.
    Shopify,
    /// The program itself.
    Program,
}

impl From<&Actor> for AuditActorKind {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::User(_) => Self::User,
            Actor::Operator => Self::Operator,
            Actor::Shopify => Self::Shopify,
            Actor::Program => Self::Program,
        }
    }
}

//! Entries of the audit log.

use async_graphql::{Enum, ID, SimpleObject};

use crate::db::audit::AuditRow;
use crate::domain::audit::{Action, Actor};
use crate::domain::ids::TenantId;
use crate::graphql::ids::NodeId;
use crate::graphql::scalars::Instant;

/// A recorded action on the shop, its members or a member's sessions. Refused attempts are recorded
/// too.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuditEntry {
    /// The entry's id.
    id: ID,
    /// The time of the action.
    at: Instant,
    /// The action, such as `SIGNED_IN` or `ROLE_CHANGED`. docs/accounts.md lists all actions. Later
    /// versions may add more.
    action: String,
    /// Whether the action was carried out. False if it was refused.
    succeeded: bool,
    /// The kind of actor.
    actor_kind: AuditActorKind,
    /// The email address that the acting user had at that time. Null if the actor was not a user.
    actor_email: Option<String>,
    /// The object of the action: an email address, a role or a sync mode. Null if the action has
    /// none.
    subject: Option<String>,
    /// The IP address of the request. Null if unknown, or if the action did not come over the
    /// network.
    address: Option<String>,
}

impl AuditEntry {
    /// An entry of this tenant's audit log.
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

/// The kinds of actor in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AuditActorKind {
    /// A user. `actorEmail` names the user.
    User,
    /// An operator at the command line of the server.
    Operator,
    /// Shopify, through a webhook.
    Shopify,
    /// XBoard, without a request from outside.
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

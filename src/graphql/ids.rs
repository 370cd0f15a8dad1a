//! The ids of the API. They are opaque, and contain a type prefix and the tenant. So the id of
//! another tenant's object is recognised and treated like one that does not exist.

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::ids::{
    AuditEntryId, CustomerId, InvitationId, LineItemId, OrderId, ProductId, RefundId, SessionId,
    SyncRunId, TenantId, UserId,
};

/// The object that an id refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeId {
    /// A user. The id is the same for every tenant.
    User(UserId),
    /// The tenant itself.
    Tenant,
    /// A sync run.
    SyncRun(SyncRunId),
    /// An open invitation.
    Invitation(InvitationId),
    /// A session of a user. Not a node: only its user sees it.
    Session(SessionId),
    /// An entry of the audit log. Not a node.
    AuditEntry(AuditEntryId),
    /// An order.
    Order(OrderId),
    /// A customer.
    Customer(CustomerId),
    /// A product.
    Product(ProductId),
    /// A line item. Not a node: it is read through its order.
    LineItem(OrderId, LineItemId),
    /// A refund. Not a node: it is read through its order.
    Refund(OrderId, RefundId),
}

impl NodeId {
    /// The id of an object of this tenant.
    #[must_use]
    pub fn encode(self, tenant: TenantId) -> ID {
        let tenant = tenant.uuid().into_bytes();
        let numbers = |numbers: &[i64]| {
            let mut bytes = tenant.to_vec();
            bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
            bytes
        };
        let (prefix, bytes) = match self {
            Self::User(id) => ("usr", id.uuid().into_bytes().to_vec()),
            Self::Tenant => ("ten", tenant.to_vec()),
            Self::SyncRun(id) => ("syn", [tenant, id.uuid().into_bytes()].concat()),
            Self::Invitation(id) => ("inv", [tenant, id.uuid().into_bytes()].concat()),
            Self::Session(id) => ("ses", id.uuid().into_bytes().to_vec()),
            Self::AuditEntry(id) => ("aud", [tenant, id.uuid().into_bytes()].concat()),
            Self::Order(id) => ("ord", numbers(&[id.number()])),
            Self::Customer(id) => ("cus", numbers(&[id.number()])),
            Self::Product(id) => ("pro", numbers(&[id.number()])),
            Self::LineItem(order, id) => ("lin", numbers(&[order.number(), id.number()])),
            Self::Refund(order, id) => ("ref", numbers(&[order.number(), id.number()])),
        };
        ID(format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The object of an id, if it belongs to this tenant. `None` for any other text, so that
    /// callers cannot distinguish malformed ids from those of other tenants.
    #[must_use]
    pub fn decode(id: &str, tenant: TenantId) -> Option<Self> {
        let (prefix, bytes) = parts(id)?;
        let uuid = |bytes: &[u8]| Uuid::from_slice(bytes).ok();
        match prefix {
            "usr" => return uuid(&bytes).map(UserId::trusted).map(Self::User),
            "ses" => return uuid(&bytes).map(SessionId::trusted).map(Self::Session),
            _ => {}
        }
        let key = bytes.strip_prefix(tenant.uuid().as_bytes().as_slice())?;
        let number = || Some(i64::from_be_bytes(key.try_into().ok()?));
        match prefix {
            "ten" => key.is_empty().then_some(Self::Tenant),
            "syn" => uuid(key).map(SyncRunId::trusted).map(Self::SyncRun),
            "inv" => uuid(key).map(InvitationId::trusted).map(Self::Invitation),
            "aud" => uuid(key).map(AuditEntryId::trusted).map(Self::AuditEntry),
            "ord" => number().map(OrderId::new).map(Self::Order),
            "cus" => number().map(CustomerId::new).map(Self::Customer),
            "pro" => number().map(ProductId::new).map(Self::Product),
            _ => None,
        }
    }

    /// The tenant of a tenant id. It proves nothing: the caller compares it with the user's
    /// memberships.
    #[must_use]
    pub fn decode_tenant(id: &str) -> Option<Uuid> {
        match parts(id)? {
            ("ten", bytes) => Uuid::from_slice(&bytes).ok(),
            _ => None,
        }
    }
}

fn parts(id: &str) -> Option<(&str, Vec<u8>)> {
    let (prefix, encoded) = id.split_once('_')?;
    Some((prefix, URL_SAFE_NO_PAD.decode(encoded).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_reads_back_in_its_own_store_only() {
        let (ours, theirs) = (TenantId::generate(), TenantId::generate());
        for id in [
            NodeId::Tenant,
            NodeId::SyncRun(SyncRunId::generate()),
            NodeId::Invitation(InvitationId::generate()),
            NodeId::Order(OrderId::new(1)),
            NodeId::Customer(CustomerId::new(i64::MAX)),
            NodeId::Product(ProductId::new(3)),
        ] {
            let text = id.encode(ours);
            assert_eq!(NodeId::decode(&text, ours), Some(id));
            assert_eq!(NodeId::decode(&text, theirs), None);
        }
    }

    #[test]
    fn a_user_is_the_same_in_every_store() {
        let id = NodeId::User(UserId::generate());
        let text = id.encode(TenantId::generate());
        assert_eq!(NodeId::decode(&text, TenantId::generate()), Some(id));
    }

    #[test]
    fn a_tenant_is_named_by_its_own_id_only() {
        let tenant = TenantId::generate();
        let id = NodeId::Tenant.encode(tenant);
        assert_eq!(NodeId::decode_tenant(&id), Some(tenant.uuid()));
        let order = NodeId::Order(OrderId::new(1)).encode(tenant);
        assert_eq!(NodeId::decode_tenant(&order), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,80}") {
            prop_assert_eq!(NodeId::decode(&text, TenantId::generate()).filter(|id| !matches!(id, NodeId::User(_) | NodeId::Session(_))), None);
        }
    }
}

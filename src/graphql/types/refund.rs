//! Refunds in the API.

use async_graphql::{ID, SimpleObject};

use super::money::Money;
use crate::db::refunds::RefundRow;
use crate::domain::ids::TenantId;
use crate::domain::money;
use crate::graphql::ids::NodeId;
use crate::graphql::scalars::Instant;

/// A refund to a customer.
#[derive(Clone, Debug, SimpleObject)]
pub struct Refund {
    /// The refund's id. Refunds are read through their order, not through `node`.
    id: ID,
    /// The time the refund was processed.
    processed_at: Instant,
    /// The amount refunded, with taxes and shipping. In the order's currency.
    total_refunded: Money,
}

impl Refund {
    pub(in crate::graphql) fn new(
        tenant: TenantId,
        row: &RefundRow,
        currency: &money::Currency,
    ) -> Self {
        Self {
            id: NodeId::Refund(row.order_id, row.id).encode(tenant),
            processed_at: Instant(row.processed_at),
            total_refunded: money::Money::new(row.total_refunded, currency.clone()).into(),
        }
    }
}

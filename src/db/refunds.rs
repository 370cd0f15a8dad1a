//! Refunds as they are read.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Result, TenantTx};
use crate::domain::ids::{OrderId, RefundId};

/// Money that went back to the customer.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundRow {
    /// The order it is of.
    pub order_id: OrderId,
    /// Shopify's number.
    pub id: RefundId,
    /// When it was processed.
    pub processed_at: DateTime<Utc>,
    /// How much.
    pub total_refunded: Decimal,
}

impl TenantTx {
    /// The refunds of these orders, the earliest of each first.
    pub async fn refunds_of(&mut self, orders: &[OrderId]) -> Result<Vec<RefundRow>> {
        let tenant = self.tenant();
        let ids: Vec<_> = orders.iter().map(|id| id.number()).collect();
        Ok(sqlx::query_as!(
            RefundRow,
            "select order_id as \"order_id: OrderId\", id as \"id: RefundId\", processed_at, total_refunded \
             from refunds where tenant_id = $1 and order_id = any($2) order by order_id, processed_at, id",
            tenant.uuid(),
            &ids
        )
        .fetch_all(self.connection())
        .await?)
    }
}

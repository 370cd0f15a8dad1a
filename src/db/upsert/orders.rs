//! Upserts orders with their line items, refunds and ledger. Orders with unchanged hashes are skipped. If only the
//! order's own row differs, only that row is written. Every other order is replaced: its children are upserted, and
//! the rollups change by the difference of its contributions.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::assemble::AssembledOrder;
use super::rows::{LineItemRow, OrderRow, RefundRow, SaleRow, json};
use super::{LockedShop, Upserted};
use crate::db::{Result, TenantTx};
use crate::domain::ids::{CustomerId, OrderId};
use crate::domain::money::Currency;

/// How many orders one statement writes at most.
const MAX_BATCH: usize = 100;

/// An order that is new or differs from the stored order.
#[derive(Debug)]
pub(super) struct ChangedOrder {
    pub(super) id: OrderId,
    pub(super) is_stored: bool,
    only_row_differs: bool,
    customer: Option<CustomerId>,
    currency: Option<Currency>,
    processed_at: Option<DateTime<Utc>>,
    /// Whether the figure "orders" includes the stored order.
    is_counted: bool,
}

impl ChangedOrder {
    /// The customers who gain or lose an order, or whose order moves to another day or currency.
    fn moved_customers(&self, order: &AssembledOrder) -> impl Iterator<Item = CustomerId> + use<> {
        let old =
            self.is_counted
                .then_some((self.customer, self.currency.as_ref(), self.processed_at));
        let record = &order.order;
        let new = order.counts().then_some((
            record.customer,
            Some(&record.currency),
            Some(record.processed_at),
        ));
        let customers = if old == new {
            [None, None]
        } else {
            [
                old.and_then(|(customer, ..)| customer),
                new.and_then(|(customer, ..)| customer),
            ]
        };
        customers.into_iter().flatten()
    }
}

impl TenantTx {
    /// Upserts orders. During an initial backfill the rollups stay empty; they are built at its end.
    pub(super) async fn upsert_orders(
        &mut self,
        shop: &LockedShop,
        orders: &BTreeMap<OrderId, AssembledOrder>,
        fetched_at: DateTime<Utc>,
    ) -> Result<Upserted> {
        let changed = self.changed_orders(orders, fetched_at).await?;
        self.write_orders(shop, orders, &changed, fetched_at)
            .await?;
        Ok(Upserted {
            seen: orders.len(),
            changed: changed.len(),
        })
    }

    /// Selects the orders that are new or differ from the stored ones.
    pub(super) async fn changed_orders(
        &mut self,
        orders: &BTreeMap<OrderId, AssembledOrder>,
        fetched_at: DateTime<Utc>,
    ) -> Result<Vec<ChangedOrder>> {
        let tenant = self.tenant().uuid();
        let ids: Vec<_> = orders.keys().map(|id| id.number()).collect();
        let row_hashes: Vec<_> = orders.values().map(|order| order.row_hash).collect();
        let children_hashes: Vec<_> = orders.values().map(|order| order.children_hash).collect();
        let updated_at: Vec<_> = orders
            .values()
            .map(|order| order.order.updated_at)
            .collect();
        Ok(sqlx::query_file_as!(
            ChangedOrder,
            "src/db/upsert/sql/load_orders.sql",
            tenant,
            &ids,
            &row_hashes,
            &children_hashes,
            &updated_at,
            fetched_at
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Writes the orders that are new or different.
    pub(super) async fn write_orders(
        &mut self,
        shop: &LockedShop,
        orders: &BTreeMap<OrderId, AssembledOrder>,
        changed: &[ChangedOrder],
        fetched_at: DateTime<Utc>,
    ) -> Result<()> {
        for batch in changed.chunks(MAX_BATCH) {
            let batch = batch
                .iter()
                .filter_map(|changed| Some((changed, orders.get(&changed.id)?)));
            self.write_batch(shop, batch.collect(), fetched_at).await?;
        }
        Ok(())
    }

    async fn write_batch(
        &mut self,
        shop: &LockedShop,
        batch: Vec<(&ChangedOrder, &AssembledOrder)>,
        fetched_at: DateTime<Utc>,
    ) -> Result<()> {
        let replaced: Vec<_> = batch
            .iter()
            .copied()
            .filter(|(changed, _)| !changed.only_row_differs)
            .collect();
        if replaced.is_empty() {
            return self.upsert_order_rows(&batch, fetched_at).await;
        }
        let ids = replaced.iter().map(|(changed, _)| changed.id);
        let customers: BTreeSet<_> = replaced
            .iter()
            .flat_map(|(changed, order)| changed.moved_customers(order))
            .collect();
        let before = self.rollups_before(shop, ids, &customers).await?;
        self.upsert_order_rows(&batch, fetched_at).await?;
        self.upsert_children(&replaced).await?;
        self.delete_missing_children(&replaced).await?;
        let named: BTreeSet<_> = replaced
            .iter()
            .filter(|(changed, order)| changed.customer != order.order.customer)
            .filter_map(|(_, order)| order.order.customer)
            .collect();
        self.add_unknown_customers(shop, &named, fetched_at).await?;
        match before {
            Some(before) => self.update_rollups(shop, before).await,
            None => Ok(()),
        }
    }

    async fn upsert_order_rows(
        &mut self,
        batch: &[(&ChangedOrder, &AssembledOrder)],
        fetched_at: DateTime<Utc>,
    ) -> Result<()> {
        let rows: Vec<_> = batch
            .iter()
            .map(|(_, order)| OrderRow::from(*order))
            .collect();
        let tenant = self.tenant().uuid();
        let days = sqlx::query_file_scalar!(
            "src/db/upsert/sql/upsert_orders.sql",
            tenant,
            json(&rows)?,
            fetched_at
        )
        .fetch_all(self.connection())
        .await?;
        self.note_changed_days(days);
        Ok(())
    }

    async fn upsert_children(
        &mut self,
        replaced: &[(&ChangedOrder, &AssembledOrder)],
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        let orders = || replaced.iter().map(|(_, order)| *order);
        let line_items: Vec<_> = orders()
            .flat_map(|order| &order.line_items)
            .map(LineItemRow::from)
            .collect();
        if !line_items.is_empty() {
            let rows = json(&line_items)?;
            sqlx::query_file!("src/db/upsert/sql/upsert_line_items.sql", tenant, rows)
                .execute(self.connection())
                .await?;
        }
        let refunds: Vec<_> = orders()
            .flat_map(|order| {
                let refunds = order.order.refunds.iter();
                refunds.map(|refund| RefundRow::new(order.order.id, refund))
            })
            .collect();
        if !refunds.is_empty() {
            let rows = json(&refunds)?;
            sqlx::query_file!("src/db/upsert/sql/upsert_refunds.sql", tenant, rows)
                .execute(self.connection())
                .await?;
        }
        let sales: Vec<_> = orders()
            .flat_map(|order| {
                let ledger = order.ledger().into_iter();
                ledger.map(|entry| SaleRow::new(order.order.id, &entry))
            })
            .collect();
        if !sales.is_empty() {
            let rows = json(&sales)?;
            sqlx::query_file!("src/db/upsert/sql/upsert_sales.sql", tenant, rows)
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Deletes the children that stored orders no longer have.
    async fn delete_missing_children(
        &mut self,
        replaced: &[(&ChangedOrder, &AssembledOrder)],
    ) -> Result<()> {
        let mut orders = Vec::new();
        let mut last_positions = Vec::new();
        let (mut line_items, mut refunds) = (ChildIds::default(), ChildIds::default());
        for (_, order) in replaced.iter().filter(|(changed, _)| changed.is_stored) {
            let id = order.order.id;
            orders.push(id.number());
            last_positions.push(i32::try_from(order.ledger().len()).unwrap_or(i32::MAX));
            for line in &order.line_items {
                line_items.add(id, line.id.number());
            }
            for refund in &order.order.refunds {
                refunds.add(id, refund.id.number());
            }
        }
        if orders.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        sqlx::query_file!(
            "src/db/upsert/sql/delete_sales.sql",
            tenant,
            &orders,
            &last_positions
        )
        .execute(self.connection())
        .await?;
        sqlx::query_file!(
            "src/db/upsert/sql/delete_line_items.sql",
            tenant,
            &orders,
            &line_items.orders,
            &line_items.ids
        )
        .execute(self.connection())
        .await?;
        sqlx::query_file!(
            "src/db/upsert/sql/delete_refunds.sql",
            tenant,
            &orders,
            &refunds.orders,
            &refunds.ids
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Marks orders as deleted and removes them from every figure. The rows stay, so that a late response from before
    /// the deletion does not insert the orders again.
    pub(super) async fn delete_orders(
        &mut self,
        shop: &LockedShop,
        ids: &[i64],
        fetched_at: DateTime<Utc>,
    ) -> Result<usize> {
        let tenant = self.tenant().uuid();
        let orders = sqlx::query!(
            "select id, customer_id as \"customer: CustomerId\" from orders \
             where tenant_id = $1 and id = any($2) and deleted_at is null and synced_at <= $3",
            tenant,
            ids,
            fetched_at
        )
        .fetch_all(self.connection())
        .await?;
        let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let customers = orders.iter().filter_map(|order| order.customer).collect();
        let before = self
            .rollups_before(shop, ids.iter().copied().map(OrderId::new), &customers)
            .await?;
        self.delete_all_children(&ids).await?;
        sqlx::query!(
            "update orders set deleted_at = $3 where tenant_id = $1 and id = any($2)",
            tenant,
            &ids,
            fetched_at
        )
        .execute(self.connection())
        .await?;
        if let Some(before) = before {
            self.update_rollups(shop, before).await?;
        }
        Ok(ids.len())
    }

    async fn delete_all_children(&mut self, orders: &[i64]) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "delete from sales where tenant_id = $1 and order_id = any($2)",
            tenant,
            orders
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from line_items where tenant_id = $1 and order_id = any($2)",
            tenant,
            orders
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from refunds where tenant_id = $1 and order_id = any($2)",
            tenant,
            orders
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

/// Ids of children, column by column.
#[derive(Default)]
struct ChildIds {
    orders: Vec<i64>,
    ids: Vec<i64>,
}

impl ChildIds {
    fn add(&mut self, order: OrderId, id: i64) {
        self.orders.push(order.number());
        self.ids.push(id);
    }
}

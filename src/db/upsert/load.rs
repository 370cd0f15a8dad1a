//! Writes the orders of an initial backfill. The shop has no stored version of these orders, and its rollups are not
//! built yet. The rows are therefore copied without a comparison. PostgreSQL refuses COPY into tables with row
//! security, so the rows are copied into temporary tables of the same columns first.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::LockedShop;
use super::assemble::{AssembledOrder, LedgerEntry};
use crate::db::staging::binary::BinaryRows;
use crate::db::{Result, TenantTx};
use crate::domain::ids::{CustomerId, OrderId, TenantId};
use crate::domain::record::{LineItemRecord, OrderRecord, RefundRecord};

const CREATE_TABLES: &str = include_str!("sql/create_loaded.sql");
const INSERT: &str = include_str!("sql/insert_loaded.sql");

/// The local day of each instant.
type Days = BTreeMap<DateTime<Utc>, NaiveDate>;

/// Orders as rows of the tables that hold them.
#[derive(Default)]
struct LoadedRows {
    orders: BinaryRows,
    line_items: BinaryRows,
    refunds: BinaryRows,
    sales: BinaryRows,
}

impl LoadedRows {
    fn add(
        &mut self,
        tenant: TenantId,
        assembled: &AssembledOrder,
        ledger: &[LedgerEntry<'_>],
        days: &Days,
    ) {
        let id = assembled.order.id;
        for line in &assembled.line_items {
            self.line_items.add(|row| {
                row.value(tenant.uuid());
                fill_line_item(row, line);
            });
        }
        for refund in &assembled.order.refunds {
            self.refunds.add(|row| {
                row.value(tenant.uuid());
                fill_refund(row, id, refund);
            });
        }
        for entry in ledger {
            let day = days.get(&entry.happened_at).copied();
            self.sales.add(|row| {
                row.value(tenant.uuid());
                fill_sale(row, id, entry, day);
            });
        }
    }
}

/// The values of a row of `orders`.
struct OrderRow<'a> {
    tenant: TenantId,
    assembled: &'a AssembledOrder,
    day: Option<NaiveDate>,
    is_redacted: bool,
    fetched_at: DateTime<Utc>,
}

impl OrderRow<'_> {
    fn fill(&self, row: &mut BinaryRows) {
        let OrderRecord {
            id,
            name,
            customer,
            created_at,
            processed_at,
            updated_at,
            cancelled_at,
            test,
            currency,
            financial_status,
            fulfillment_status,
            source_name,
            discount_codes,
            tags,
            total_price,
            net_payment,
            refunds: _,
        } = &self.assembled.order;
        row.value(self.tenant.uuid());
        row.value(*id);
        row.text(name);
        row.value(*customer);
        row.value(*created_at);
        row.value(*processed_at);
        row.value(*updated_at);
        row.value(*cancelled_at);
        row.value(self.day);
        row.value(*test);
        row.text(currency.code());
        row.optional_text(financial_status.as_deref());
        row.optional_text(fulfillment_status.as_deref());
        row.optional_text(source_name.as_deref());
        row.texts(discount_codes);
        row.texts(if self.is_redacted { &[] } else { tags });
        row.value(*total_price);
        row.value(*net_payment);
        row.value(self.assembled.has_product());
        row.value(self.assembled.row_hash);
        row.value(self.assembled.children_hash);
        row.value(self.fetched_at);
    }
}

impl TenantTx {
    /// Inserts orders that are not stored yet.
    pub(super) async fn insert_orders(
        &mut self,
        shop: &LockedShop,
        orders: &[&AssembledOrder],
        fetched_at: DateTime<Utc>,
    ) -> Result<()> {
        if orders.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant();
        let ledgers: Vec<_> = orders.iter().map(|order| order.ledger()).collect();
        let days = self.local_days(shop, orders, &ledgers).await?;
        let redacted = self.redacted_orders(orders).await?;
        let mut rows = LoadedRows::default();
        for (assembled, ledger) in orders.iter().zip(&ledgers) {
            let order = OrderRow {
                tenant,
                assembled,
                day: days.get(&assembled.order.processed_at).copied(),
                is_redacted: redacted.contains(&assembled.order.id),
                fetched_at,
            };
            rows.orders.add(|row| order.fill(row));
            rows.add(tenant, assembled, ledger, &days);
        }
        self.insert_rows(rows).await
    }

    async fn insert_rows(&mut self, rows: LoadedRows) -> Result<()> {
        sqlx::raw_sql(CREATE_TABLES)
            .execute(self.connection())
            .await?;
        for (statement, rows) in [
            (
                "copy loaded_orders (tenant_id, id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, \
                 day, test, currency, financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, \
                 net_payment, has_product, row_hash, children_hash, synced_at) from stdin (format binary)",
                rows.orders,
            ),
            (
                "copy loaded_line_items (tenant_id, order_id, id, title, variant_title, sku, quantity, current_quantity, \
                 original_total, discounted_total, product_id, variant_id) from stdin (format binary)",
                rows.line_items,
            ),
            (
                "copy loaded_refunds (tenant_id, order_id, id, processed_at, total_refunded) from stdin (format binary)",
                rows.refunds,
            ),
            (
                "copy loaded_sales (tenant_id, order_id, position, agreement, happened_at, day, reason, action_type, \
                 line_type, quantity, currency, total, tax, discount, line_item_id, product_id, variant_id) \
                 from stdin (format binary)",
                rows.sales,
            ),
        ] {
            self.copy(statement, rows).await?;
        }
        sqlx::raw_sql(INSERT).execute(self.connection()).await?;
        Ok(())
    }

    /// Computes the local days of instants. PostgreSQL computes all local days, because the time zone data of this
    /// program may be another version.
    async fn local_days(
        &mut self,
        shop: &LockedShop,
        orders: &[&AssembledOrder],
        ledgers: &[Vec<LedgerEntry<'_>>],
    ) -> Result<Days> {
        let placed = orders.iter().map(|order| order.order.processed_at);
        let sold = ledgers.iter().flatten().map(|entry| entry.happened_at);
        let instants: BTreeSet<_> = placed.chain(sold).collect();
        let instants: Vec<_> = instants.into_iter().collect();
        let days = sqlx::query_scalar!(
            "select (i.instant at time zone $1::text)::date as \"day!\" \
             from unnest($2::timestamptz[]) with ordinality i(instant, number) order by i.number",
            shop.time_zone,
            &instants
        )
        .fetch_all(self.connection())
        .await?;
        Ok(instants.into_iter().zip(days).collect())
    }

    /// Selects the orders whose tags a privacy request has redacted.
    async fn redacted_orders(&mut self, orders: &[&AssembledOrder]) -> Result<HashSet<OrderId>> {
        let tenant = self.tenant().uuid();
        let ids: Vec<_> = orders.iter().map(|order| order.order.id.number()).collect();
        let customers: Vec<_> = orders
            .iter()
            .map(|order| order.order.customer.map_or(0, CustomerId::number))
            .collect();
        let redacted = sqlx::query_scalar!(
            "select o.id as \"id!: OrderId\" from unnest($2::bigint[], $3::bigint[]) o(id, customer_id) \
             where o.id in (select unnest(p.order_ids) from privacy_requests p \
                            where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                or o.customer_id in (select p.customer_id from privacy_requests p \
                                     where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION')",
            tenant,
            &ids,
            &customers
        )
        .fetch_all(self.connection())
        .await?;
        Ok(redacted.into_iter().collect())
    }

    /// Copies rows into a temporary table.
    pub(in crate::db) async fn copy(
        &mut self,
        statement: &'static str,
        mut rows: BinaryRows,
    ) -> Result<()> {
        if !rows.is_empty() {
            let rows = rows.take()?;
            let mut copy = self.connection().copy_in_raw(statement).await?;
            copy.send(rows).await?;
            copy.finish().await?;
        }
        Ok(())
    }
}

/// Writes a sale as a row of the ledger, without the tenant.
fn fill_sale(
    row: &mut BinaryRows,
    order: OrderId,
    entry: &LedgerEntry<'_>,
    day: Option<NaiveDate>,
) {
    let LedgerEntry {
        position,
        happened_at,
        agreement,
        sale,
        line_item,
    } = entry;
    row.value(order);
    row.value(*position);
    row.text(
        agreement
            .gid
            .strip_prefix("gid://shopify/")
            .unwrap_or(&agreement.gid),
    );
    row.value(*happened_at);
    row.value(day);
    row.text(agreement.reason.word());
    row.text(sale.action.word());
    row.text(sale.line_type.word());
    row.value(sale.quantity);
    row.text(sale.currency.code());
    row.value(sale.total);
    row.value(sale.tax);
    row.value(sale.discount);
    row.value(sale.line_item);
    row.value(line_item.and_then(|line| line.product));
    row.value(line_item.and_then(|line| line.variant));
}

/// Writes a refund as a row of its table, without the tenant.
fn fill_refund(row: &mut BinaryRows, order: OrderId, refund: &RefundRecord) {
    row.value(order);
    row.value(refund.id);
    row.value(refund.processed_at);
    row.value(refund.total_refunded);
}

/// Writes a line item as a row of its table, without the tenant.
fn fill_line_item(row: &mut BinaryRows, line: &LineItemRecord) {
    row.value(line.order);
    row.value(line.id);
    row.text(&line.title);
    row.optional_text(line.variant_title.as_deref());
    row.optional_text(line.sku.as_deref());
    row.value(line.quantity);
    row.value(line.current_quantity);
    row.value(line.original_total);
    row.value(line.discounted_total);
    row.value(line.product);
    row.value(line.variant);
}

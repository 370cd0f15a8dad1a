//! Orders that are known, or come to a store whose figures are kept: their rows and their parts are written,
//! replaced or taken away, and the sums moved, by one statement over what is handed over inside it. Rows that are the
//! same are left alone.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::Store;
use super::assemble::{AssembledOrder, LedgerEntry, fill_refund, fill_sale};
use super::presence::{Flips, flips};
use super::rollups::with_moves;
use crate::db::staging::rows::{Row, RowArray, fill_line_item, fill_order};
use crate::db::{Result, TenantTx};
use crate::domain::amounts::Amounts;
use crate::domain::ids::CustomerId;

/// The rows of orders themselves.
pub(in crate::db) struct HeaderRows {
    pub(in crate::db) ids: Vec<i64>,
    pub(in crate::db) hashes: Vec<i64>,
    pub(in crate::db) orders: String,
}

impl HeaderRows {
    pub(super) fn of<'a>(orders: impl Iterator<Item = &'a AssembledOrder>) -> Self {
        let mut ids = Vec::new();
        let mut hashes = Vec::new();
        let mut rows = RowArray::new();
        for order in orders {
            ids.push(order.order.id.number());
            hashes.push(order.row_hash);
            rows.add(|row| {
                fill_order(row, &order.order);
                row.value(order.hash());
            });
        }
        Self {
            ids,
            hashes,
            orders: rows.finish(),
        }
    }
}

/// Orders as rows of all the tables that they go into.
pub(super) struct Rows {
    headers: HeaderRows,
    /// Those that sell a product.
    with_product: Vec<i64>,
    customers: BTreeSet<i64>,
    lines: String,
    refunds: String,
    sales: String,
    /// What they add to the figures.
    figures: String,
}

impl Rows {
    pub(super) fn of<'a>(orders: impl Iterator<Item = &'a AssembledOrder> + Clone) -> Self {
        let headers = HeaderRows::of(orders.clone());
        let mut with_product = Vec::new();
        let mut customers = BTreeSet::new();
        let [mut lines, mut refunds, mut sales, mut figures] = [(); 4].map(|()| RowArray::new());
        for order in orders {
            let id = order.order.id;
            with_product.extend(order.has_product().then_some(id.number()));
            customers.extend(order.order.customer.map(CustomerId::number));
            for line in &order.line_items {
                lines.add(|row| {
                    fill_line_item(row, line);
                    row.value(0);
                });
            }
            // The tenant is left to the database, and the day.
            for refund in &order.order.refunds {
                refunds.add(|row| {
                    row.null();
                    fill_refund(row, id, refund);
                });
            }
            for entered in order.ledger() {
                sales.add(|row| {
                    row.null();
                    fill_sale(row, id, &entered, None);
                });
                if !order.order.test {
                    figures.add(|row| fill_sold(row, order, &entered));
                }
            }
            if order.counts() {
                figures.add(|row| fill_placed(row, order));
            }
        }
        Self {
            headers,
            with_product,
            customers,
            lines: lines.finish(),
            refunds: refunds.finish(),
            sales: sales.finish(),
            figures: figures.finish(),
        }
    }

    /// The customers of the orders, but for these.
    fn customers_but(&self, known: &[i64]) -> Vec<i64> {
        let known: BTreeSet<_> = known.iter().copied().collect();
        self.customers.difference(&known).copied().collect()
    }
}

/// What a sale adds to the figures, as a `given_figure`.
fn fill_sold(row: &mut impl Row, order: &AssembledOrder, sold: &LedgerEntry<'_>) {
    row.optional(order.order.customer);
    row.text(sold.sale.currency.code());
    row.instant(sold.happened_at);
    row.value(0);
    fill_amounts(row, &sold.amounts());
    row.optional(sold.product());
}

/// What an order adds to them by being placed.
fn fill_placed(row: &mut impl Row, order: &AssembledOrder) {
    row.optional(order.order.customer);
    row.text(order.order.currency.code());
    row.instant(order.order.processed_at);
    row.value(1);
    fill_amounts(row, &Amounts::default());
    row.null();
}

fn fill_amounts(row: &mut impl Row, amounts: &Amounts) {
    row.value(amounts.units_sold);
    for amount in [
        amounts.gross_sales,
        amounts.discounts,
        amounts.returns,
        amounts.shipping,
        amounts.taxes,
        amounts.duties,
        amounts.fees,
        amounts.placed_sales,
    ] {
        row.value(amount);
    }
}

/// What orders that are written do where they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// None of them is stored, and all are to be counted.
    AllCome,
    /// Some come, go, or move to another day or customer.
    SomeMove,
    /// They are counted on the days and for the customers as before, or not yet.
    Stay,
}

/// What writing orders gave.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) days: Vec<NaiveDate>,
    /// Customers of whom nothing is known but their orders.
    pub(super) unknown: Vec<i64>,
    /// Customers of whom an order may have gone: their first and last orders are to be looked up.
    pub(super) left: Vec<i64>,
    pub(super) flips: Flips,
}

/// One statement for everything about some orders that is written by adding, replacing or taking away. It takes what they
/// stood for before, as rows of figures, and what is to be taken away: see [`known_orders`] and [`new_orders`].
/// $1: tenant, $2: ids, $3: `staged_orders`, $4: currency, $5: version, $6: `staged_line_items`, $7: `sales`,
/// $8: time zone, $9: asked at, $10: whether the figures are pending, $11: the header hashes, in the order of the ids,
/// $12: the ids of orders with a product, $13: `refunds`, $14: what the orders add to the figures, as `given_figure`,
/// $15: their customers.
macro_rules! replace_orders {
    ($before:literal; $gone:literal; $($argument:expr),+ $(,)?) => {
        with_moves!(
            "with given_sales as materialized ( \
                select order_id, position, agreement, happened_at, (happened_at at time zone $8::text)::date as day, reason, \
                   action_type, line_type, quantity, currency, total, tax, discount, line_item_id, product_id, variant_id \
                from unnest($7::text::sales[]) \
             ), given_lines as materialized ( \
                select * from unnest($6::text::staged_line_items[]) \
             ), given_orders as materialized ( \
                select o.*, (o.processed_at at time zone $8::text)::date as day, o.id = any($12::bigint[]) as has_product, \
                   ($11::bigint[])[array_position($2::bigint[], o.id)] as header_hash \
                from unnest($3::text::staged_orders[]) o \
             ), figures as materialized ( \
                select customer_id, currency, (happened_at at time zone $8::text)::date as day, orders, units_sold, gross_sales, \
                   discounts, returns, shipping, taxes, duties, fees, placed_sales, product_id, \
                   case when orders > 0 then happened_at end as placed_at \
                from unnest($14::text::given_figure[]) where not $10::boolean \
                ",
            $before,
            " ), products as ( \
                insert into product_totals (tenant_id, product_id, units_sold, net_sales) \
                select $1::uuid, product_id, sum(units_sold), sum(gross_sales - discounts - returns) \
                from figures where product_id is not null and currency = $4 group by product_id \
                having (sum(units_sold), sum(gross_sales - discounts - returns)) <> (0, 0) \
                on conflict (tenant_id, product_id) do update set \
                   units_sold = product_totals.units_sold + excluded.units_sold, \
                   net_sales = product_totals.net_sales + excluded.net_sales \
             ), written_orders as ( \
                insert into orders (tenant_id, id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, day, \
                   test, currency, financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, \
                   net_payment, has_product, content_hash, synced_at, header_hash) \
                select $1::uuid, o.id, o.name, o.customer_id, o.created_at, o.processed_at, o.updated_at, o.cancelled_at, o.day, \
                   o.test, o.currency, o.financial_status, o.fulfillment_status, o.source_name, o.discount_codes, \
                   case when o.id in (select unnest(p.order_ids) from privacy_requests p \
                                      where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                          or o.customer_id in (select p.customer_id from privacy_requests p \
                                               where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                        then '{}' else o.tags end, \
                   o.total_price, o.net_payment, o.has_product, o.hash, $9::timestamptz, o.header_hash \
                from given_orders o \
                on conflict (tenant_id, id) do update set \
                   name = excluded.name, customer_id = excluded.customer_id, created_at = excluded.created_at, \
                   processed_at = excluded.processed_at, updated_at = excluded.updated_at, cancelled_at = excluded.cancelled_at, \
                   day = excluded.day, test = excluded.test, currency = excluded.currency, \
                   financial_status = excluded.financial_status, fulfillment_status = excluded.fulfillment_status, \
                   source_name = excluded.source_name, discount_codes = excluded.discount_codes, tags = excluded.tags, \
                   total_price = excluded.total_price, net_payment = excluded.net_payment, has_product = excluded.has_product, \
                   content_hash = excluded.content_hash, synced_at = excluded.synced_at, deleted_at = null, \
                   header_hash = excluded.header_hash \
                returning orders.* \
             ), written_lines as ( \
                insert into line_items (tenant_id, order_id, id, title, variant_title, sku, quantity, current_quantity, \
                   original_total, discounted_total, product_id, variant_id) \
                select $1::uuid, order_id, id, title, variant_title, sku, quantity, current_quantity, \
                   original_total, discounted_total, product_id, variant_id \
                from given_lines \
                on conflict (tenant_id, order_id, id) do update set \
                   title = excluded.title, variant_title = excluded.variant_title, sku = excluded.sku, \
                   quantity = excluded.quantity, current_quantity = excluded.current_quantity, \
                   original_total = excluded.original_total, discounted_total = excluded.discounted_total, \
                   product_id = excluded.product_id, variant_id = excluded.variant_id \
                where line_items.* is distinct from excluded.* \
             ), given_refunds as materialized ( \
                select * from unnest($13::text::refunds[]) \
             ), written_refunds as ( \
                insert into refunds (tenant_id, order_id, id, processed_at, total_refunded) \
                select $1::uuid, order_id, id, processed_at, total_refunded from given_refunds \
                on conflict (tenant_id, order_id, id) do update set \
                   processed_at = excluded.processed_at, total_refunded = excluded.total_refunded \
                where refunds.* is distinct from excluded.* \
             ), written_sales as ( \
                insert into sales (tenant_id, order_id, position, agreement, happened_at, day, reason, action_type, line_type, \
                   quantity, currency, total, tax, discount, line_item_id, product_id, variant_id) \
                select $1::uuid, order_id, position, agreement, happened_at, day, reason, action_type, line_type, \
                   quantity, currency, total, tax, discount, line_item_id, product_id, variant_id \
                from given_sales \
                on conflict (tenant_id, order_id, position) do update set \
                   agreement = excluded.agreement, happened_at = excluded.happened_at, day = excluded.day, \
                   reason = excluded.reason, action_type = excluded.action_type, line_type = excluded.line_type, \
                   quantity = excluded.quantity, currency = excluded.currency, total = excluded.total, tax = excluded.tax, \
                   discount = excluded.discount, line_item_id = excluded.line_item_id, product_id = excluded.product_id, \
                   variant_id = excluded.variant_id \
                where sales.* is distinct from excluded.* \
             ), ",
            $gone;
            "figures";
            ", array(select id from customers where tenant_id = $1 and id = any($15::bigint[])) as \"known!\"";
            $($argument),+
        )
    };
}

/// Where some may be stored already. What they stood for before is read from the ledger as it was when the statement
/// began.
macro_rules! known_orders {
    ($($argument:expr),+ $(,)?) => {
        replace_orders!(
            "union all \
             select customer_id, currency, day, -orders, -units_sold, -gross_sales, -discounts, -returns, -shipping, \
                -taxes, -duties, -fees, -placed_sales, product_id, null \
             from sale_figures where tenant_id = $1 and order_id = any($2::bigint[]) and not $10::boolean";
            "gone_lines as ( \
                delete from line_items l where l.tenant_id = $1 and l.order_id = any($2) \
                   and (l.order_id, l.id) not in (select order_id, id from given_lines) \
             ), gone_refunds as ( \
                delete from refunds r where r.tenant_id = $1 and r.order_id = any($2) \
                   and (r.order_id, r.id) not in (select order_id, id from given_refunds) \
             ), gone_sales as ( \
                delete from sales s where s.tenant_id = $1 and s.order_id = any($2) \
                   and (s.order_id, s.position) not in (select order_id, position from given_sales) \
             ),";
            $($argument),+
        )
    };
}

/// Where none is stored: there is nothing before, and nothing to take away. That costs much less.
macro_rules! new_orders {
    ($($argument:expr),+ $(,)?) => {
        replace_orders!(""; ""; $($argument),+)
    };
}

impl TenantTx {
    /// Writes the rows of known orders of which nothing else is different. Gives the days they were placed on.
    pub(super) async fn replace_headers(
        &mut self,
        rows: &HeaderRows,
        asked_at: DateTime<Utc>,
    ) -> Result<Vec<NaiveDate>> {
        let tenant = self.tenant().uuid();
        let days = sqlx::query!(
            "with written as ( \
                update orders o set \
                   name = n.name, created_at = n.created_at, updated_at = n.updated_at, cancelled_at = n.cancelled_at, \
                   financial_status = n.financial_status, fulfillment_status = n.fulfillment_status, \
                   source_name = n.source_name, discount_codes = n.discount_codes, \
                   tags = case when o.id in (select unnest(p.order_ids) from privacy_requests p \
                                             where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                                 or o.customer_id in (select p.customer_id from privacy_requests p \
                                                      where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                               then '{}' else n.tags end, \
                   total_price = n.total_price, net_payment = n.net_payment, content_hash = n.hash, synced_at = $5, \
                   header_hash = ($3::bigint[])[array_position($2::bigint[], n.id)] \
                from unnest($4::text::staged_orders[]) n \
                where o.tenant_id = $1 and o.id = n.id \
                returning o.* \
             ) select distinct day from written",
            tenant,
            &rows.ids,
            &rows.hashes,
            rows.orders,
            asked_at
        );
        let days = days.fetch_all(self.connection()).await?;
        Ok(days.into_iter().map(|row| row.day).collect())
    }

    /// Writes orders, and moves the sums and the counts.
    pub(super) async fn replace_orders(
        &mut self,
        store: &Store,
        rows: &Rows,
        going: Going,
        asked_at: DateTime<Utc>,
    ) -> Result<Written> {
        let tenant = self.tenant().uuid();
        let headers = &rows.headers;
        let customers: Vec<_> = rows.customers.iter().copied().collect();
        // Where an order may have gone, first and last orders are written after this statement.
        let looked_up = going == Going::SomeMove;
        macro_rules! written_by {
            ($orders:ident) => {{
                let row = $orders!(
                    tenant,
                    &headers.ids,
                    headers.orders,
                    store.currency.code(),
                    store.version,
                    rows.lines,
                    rows.sales,
                    store.time_zone,
                    asked_at,
                    store.figures_pending,
                    &headers.hashes,
                    &rows.with_product,
                    rows.refunds,
                    rows.figures,
                    &customers
                )
                .fetch_one(self.connection())
                .await?;
                Written {
                    days: row.days,
                    unknown: rows.customers_but(&row.known),
                    left: if looked_up { row.customers } else { Vec::new() },
                    flips: flips!(row),
                }
            }};
        }
        Ok(if going == Going::AllCome {
            written_by!(new_orders)
        } else {
            written_by!(known_orders)
        })
    }
}

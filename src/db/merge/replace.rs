//! Orders that are known, or come to a store whose figures are kept: their rows and their parts are written,
//! replaced or taken away, and the sums moved, by one statement over what is handed over inside it. Rows that are the
//! same are left alone.

use chrono::{DateTime, NaiveDate, Utc};

use super::Store;
use super::presence::{Flips, with_presence};
use super::rollups::{Moved, moved, with_flips, with_moves};
use super::whole::{Whole, fill_sale};
use crate::db::staging::rows::{Row as _, RowArray};
use crate::db::{Result, TenantTx};

/// The rows of orders themselves.
pub(in crate::db) struct HeaderRows {
    pub(in crate::db) ids: Vec<i64>,
    pub(in crate::db) hashes: Vec<i64>,
    pub(in crate::db) orders: String,
}

impl HeaderRows {
    pub(super) fn of<'a>(orders: impl Iterator<Item = &'a Whole<'a>>) -> Self {
        let mut ids = Vec::new();
        let mut hashes = Vec::new();
        let mut rows = RowArray::new();
        for order in orders {
            ids.push(order.order.id.number());
            hashes.push(order.header_hash());
            rows.add_record(order.record, order.hash);
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
    lines: String,
    sales: String,
}

impl Rows {
    pub(super) fn of<'a>(orders: impl Iterator<Item = &'a Whole<'a>> + Clone) -> Self {
        let headers = HeaderRows::of(orders.clone());
        let mut lines = RowArray::new();
        let mut sales = RowArray::new();
        for order in orders {
            for (_, record) in order.lines.values() {
                lines.add_record(record, 0);
            }
            for entered in order.ledger() {
                sales.add(|row| {
                    // The tenant and the day are left to the database.
                    row.null();
                    fill_sale(row, order, &entered, None);
                });
            }
        }
        Self {
            headers,
            lines: lines.finish(),
            sales: sales.finish(),
        }
    }
}

/// What a statement that moves orders gave.
macro_rules! written {
    ($row:ident) => {
        Written {
            days: Vec::new(),
            unknown: $row.unknown,
            moved: Some(moved!($row)),
        }
    };
}

/// The statement that writes rows of which nothing else is different, and asks something of what was `written` in the end.
/// $1: tenant, $2: ids, $3: header hashes, $4: `staged_orders`, $5: asked at.
macro_rules! replacing_headers {
    ($($asked:literal),+; $($argument:expr),+ $(,)?) => {
        sqlx::query!(
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
                   header_hash = h.header_hash \
                from unnest($2::bigint[], $3::bigint[]) h(id, header_hash) \
                   join unnest($4::text::staged_orders[]) n on n.id = h.id \
                where o.tenant_id = $1 and o.id = h.id \
                returning o.* \
             ) " $(+ $asked)+,
            $($argument),+
        )
    };
}
pub(in crate::db) use replacing_headers;

/// What orders that are written do where they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// None of them is stored.
    AllCome,
    /// Some come, go, or move to another day or customer.
    SomeMove,
    /// They are counted on the days and for the customers as before, or not yet.
    Stay,
}

/// What writing orders says besides what it moved.
pub(super) struct Written {
    pub(super) moved: Option<Moved>,
    pub(super) days: Vec<NaiveDate>,
    /// Customers of whom nothing is known but their orders.
    pub(super) unknown: Vec<i64>,
}

/// One statement for everything about some orders that is written by adding, replacing or taking away. It takes what
/// they stood for before, as rows of figures, and what is to be taken away: see [`known_orders`] and [`new_orders`].
/// $1: tenant, $2: ids, $3: `staged_orders`, $4: currency, $5: version, $6: `staged_line_items`, $7: `sales`,
/// $8: time zone, $9: asked at, $10: whether the figures are pending, $11: the header hashes, in the order of the ids.
macro_rules! replace_orders {
    ($statement:ident; $with:literal; $before:literal; $gone:literal; $($argument:expr),+ $(,)?) => {
        $statement!(
            $with,
            " given_sales as materialized ( \
                select order_id, position, agreement, happened_at, (happened_at at time zone $8::text)::date as day, reason, \
                   action_type, line_type, quantity, currency, total, tax, discount, line_item_id, product_id, variant_id \
                from unnest($7::text::sales[]) \
             ), given_lines as materialized ( \
                select * from unnest($6::text::staged_line_items[]) \
             ), given_orders as materialized ( \
                select o.*, (o.processed_at at time zone $8::text)::date as day, \
                   exists (select from given_sales s where s.order_id = o.id and s.line_type = 'PRODUCT') as has_product \
                from unnest($3::text::staged_orders[]) o \
             ), figures as materialized ( \
                select o.customer_id, s.currency, s.day, 0 as orders, a.units_sold, a.gross_sales, a.discounts, a.returns, \
                   a.shipping, a.taxes, a.duties, a.fees, a.placed_sales, \
                   case when s.line_type = 'PRODUCT' then s.product_id end as product_id \
                from given_sales s join given_orders o on o.id = s.order_id and not o.test \
                cross join lateral sale_amounts( \
                   s.reason, s.action_type, s.line_type, s.quantity, s.total, s.tax, s.discount) a \
                where not $10::boolean \
                union all \
                select customer_id, currency, day, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, null \
                from given_orders where has_product and not test and not $10::boolean \
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
                   o.total_price, o.net_payment, o.has_product, o.hash, $9::timestamptz, h.header_hash \
                from given_orders o join unnest($2::bigint[], $11::bigint[]) h(id, header_hash) on h.id = o.id \
                on conflict (tenant_id, id) do update set \
                   name = excluded.name, customer_id = excluded.customer_id, created_at = excluded.created_at, \
                   processed_at = excluded.processed_at, updated_at = excluded.updated_at, cancelled_at = excluded.cancelled_at, \
                   day = excluded.day, test = excluded.test, currency = excluded.currency, \
                   financial_status = excluded.financial_status, fulfillment_status = excluded.fulfillment_status, \
                   source_name = excluded.source_name, discount_codes = excluded.discount_codes, tags = excluded.tags, \
                   total_price = excluded.total_price, net_payment = excluded.net_payment, has_product = excluded.has_product, \
                   content_hash = excluded.content_hash, synced_at = excluded.synced_at, deleted_at = null, \
                   header_hash = excluded.header_hash \
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
                select distinct on (o.id, r.id) o.id as order_id, r.id, r.processed_at, r.total_refunded \
                from given_orders o, \
                   jsonb_to_recordset(o.refunds) r(id bigint, processed_at timestamptz, total_refunded numeric) \
                where o.refunds <> '[]' order by o.id, r.id \
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
            $gone,
            " unknown as materialized ( \
                select distinct customer_id as id from given_orders o where customer_id is not null \
                   and not exists (select from customers c where c.tenant_id = $1 and c.id = o.customer_id) \
             ),";
            $($argument),+
        )
    };
}

/// Where some may be stored already. What they stood for before is read from the ledger as it was when the statement
/// began.
macro_rules! known_orders {
    ($statement:ident; $with:literal; $($argument:expr),+ $(,)?) => {
        replace_orders!(
            $statement; $with;
            "union all \
             select customer_id, currency, day, -orders, -units_sold, -gross_sales, -discounts, -returns, -shipping, \
                -taxes, -duties, -fees, -placed_sales, product_id \
             from sale_figures where tenant_id = $1 and order_id = any($2::bigint[]) and not $10::boolean";
            "gone_lines as ( \
                delete from line_items l where l.tenant_id = $1 and l.order_id = any($2) \
                   and not exists (select from given_lines g where g.order_id = l.order_id and g.id = l.id) \
             ), gone_refunds as ( \
                delete from refunds r where r.tenant_id = $1 and r.order_id = any($2) \
                   and not exists (select from given_refunds g where g.order_id = r.order_id and g.id = r.id) \
             ), gone_sales as ( \
                delete from sales s where s.tenant_id = $1 and s.order_id = any($2) \
                   and not exists (select from given_sales g where g.order_id = s.order_id and g.position = s.position) \
             ),";
            $($argument),+
        )
    };
}

/// Where none is stored: there is nothing before, and nothing to take away. That costs much less.
macro_rules! new_orders {
    ($statement:ident; $with:literal; $($argument:expr),+ $(,)?) => {
        replace_orders!($statement; $with; ""; ""; $($argument),+)
    };
}

/// Moves what is moved by adding, for orders that stay where they are.
macro_rules! staying {
    ($($before:literal),+; $($argument:expr),+ $(,)?) => {
        with_moves!(
            plainly; $($before),+; "figures";
            " select array(select distinct day from changes) as \"days!\", array(select id from unknown) as \"unknown!\"";
            $($argument),+
        )
    };
}

macro_rules! plainly {
    ($($before:literal),+; $($after:literal),+; $($argument:expr),+ $(,)?) => {
        sqlx::query!($($before +)+ "" $(+ $after)+, $($argument),+)
    };
}

/// The same for orders of which some come, go, or move to another day or customer.
macro_rules! moving {
    ($($before:literal),+; $($argument:expr),+ $(,)?) => {
        with_flips!(
            $($before),+; "figures"; ", array(select id from unknown) as \"unknown!\" "; $($argument),+
        )
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
        let days = replacing_headers!(
            "select distinct day from written";
            tenant, &rows.ids, &rows.hashes, rows.orders, asked_at
        );
        let days = days.fetch_all(self.connection()).await?;
        Ok(days.into_iter().map(|row| row.day).collect())
    }

    /// Writes orders, and moves what is moved by adding.
    pub(super) async fn replace_orders(
        &mut self,
        store: &Store,
        rows: &Rows,
        going: Going,
        asked_at: DateTime<Utc>,
    ) -> Result<Written> {
        let tenant = self.tenant().uuid();
        let headers = &rows.headers;
        macro_rules! written_by {
            ($orders:ident, $statement:ident, $with:literal) => {
                $orders!(
                    $statement; $with;
                    tenant, &headers.ids, headers.orders, store.currency.code(), store.version, rows.lines, rows.sales,
                    store.time_zone, asked_at, store.figures_pending, &headers.hashes
                )
                .fetch_one(self.connection())
                .await?
            };
        }
        Ok(match going {
            Going::AllCome => {
                let row = written_by!(new_orders, moving, "with recursive ");
                written!(row)
            }
            Going::SomeMove => {
                let row = written_by!(known_orders, moving, "with recursive ");
                written!(row)
            }
            Going::Stay => {
                let row = written_by!(known_orders, staying, "with ");
                Written {
                    moved: None,
                    days: row.days,
                    unknown: row.unknown,
                }
            }
        })
    }
}

//! New orders of a first load, written as they are: there is nothing to compare, to replace or to move. COPY may not
//! write into tables with row security, so the rows are copied into temporary tables shaped like their ends, and
//! inserted from there. Two connections write half of a chunk each: PostgreSQL works on one statement with one
//! processor. The second has nothing to do with what orders share (the store, customers, sums), so that neither
//! waits for the other, and commits first: what it wrote is whole orders, which a retry finds unchanged.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::Store;
use super::figures::FigureRows;
use super::whole::{Entered, Whole, fill_sale};
use crate::db::staging::SecondConnection;
use crate::db::staging::binary::BinaryRows;
use crate::db::staging::rows::{Row as _, fill};
use crate::db::{Result, TenantTx};
use crate::domain::record::OrderRecord;

/// They empty themselves with each commit.
const CREATE_TABLES: &str = "\
    set local client_min_messages = warning; \
    create temporary table if not exists loaded_orders (like public.loaded_orders) on commit delete rows; \
    create temporary table if not exists loaded_line_items (like public.loaded_line_items) on commit delete rows; \
    create temporary table if not exists loaded_refunds (like public.loaded_refunds) on commit delete rows; \
    create temporary table if not exists loaded_sales (like public.loaded_sales) on commit delete rows";

/// So many orders are worth a second connection.
const FOR_TWO: usize = 500;

/// The day of the shop on which each of some instants lies.
type Days = BTreeMap<DateTime<Utc>, NaiveDate>;

/// Orders as rows of the tables that they are copied into.
#[derive(Default)]
struct Rows {
    orders: BinaryRows,
    line_items: BinaryRows,
    refunds: BinaryRows,
    sales: BinaryRows,
    figures: FigureRows,
}

impl Rows {
    fn of(orders: &[&Whole<'_>], ledgers: &[Vec<Entered<'_>>], days: &Days) -> Self {
        let mut rows = Self::default();
        for (whole, ledger) in orders.iter().zip(ledgers) {
            rows.add(whole, ledger, days);
        }
        rows
    }

    fn add(&mut self, whole: &Whole<'_>, ledger: &[Entered<'_>], days: &Days) {
        let day = |instant| days.get(&instant).copied();
        self.figures.add(whole, ledger, day);
        self.orders
            .add(|row| fill_order(row, whole, day(whole.order.processed_at)));
        for (_, record) in whole.lines.values() {
            self.line_items.add(|row| fill(row, record));
        }
        let refunds: BTreeMap<_, _> = whole
            .order
            .refunds
            .iter()
            .map(|refund| (refund.id, refund))
            .collect();
        for refund in refunds.values() {
            self.refunds.add(|row| {
                row.value(whole.order.id);
                row.value(refund.id);
                row.instant(refund.processed_at);
                row.value(refund.total_refunded);
            });
        }
        for entered in ledger {
            self.sales
                .add(|row| fill_sale(row, whole, entered, day(entered.happened_at)));
        }
    }
}

fn fill_order(row: &mut BinaryRows, whole: &Whole<'_>, day: Option<NaiveDate>) {
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
    } = whole.order;
    row.value(*id);
    row.text(name);
    row.optional(*customer);
    row.instant(*created_at);
    row.instant(*processed_at);
    row.instant(*updated_at);
    row.optional_instant(*cancelled_at);
    row.optional(day);
    row.value(*test);
    row.text(currency.code());
    row.optional_text(financial_status.as_deref());
    row.optional_text(fulfillment_status.as_deref());
    row.optional_text(source_name.as_deref());
    row.texts(discount_codes);
    row.texts(tags);
    row.value(*total_price);
    row.value(*net_payment);
    row.value(whole.has_product());
    row.value(whole.hash);
}

impl TenantTx {
    /// Inserts orders that are not stored, into a store whose figures are pending.
    pub(super) async fn insert_orders(
        &mut self,
        store: &Store,
        orders: &[&Whole<'_>],
        second: &SecondConnection,
        asked_at: DateTime<Utc>,
    ) -> Result<()> {
        if orders.is_empty() {
            return Ok(());
        }
        let second = if orders.len() < FOR_TWO {
            None
        } else {
            second.transaction().await?
        };
        let ledgers: Vec<_> = orders.iter().map(|whole| whole.ledger()).collect();
        let days = self.days_of(store, orders, &ledgers).await?;
        let Some(mut second) = second else {
            let rows = Rows::of(orders, &ledgers, &days);
            let figures = self.insert_rows(rows, asked_at).await?;
            return self.keep_figures(figures).await;
        };
        let (ours, theirs) = orders.split_at(orders.len() / 2);
        let (our_ledgers, their_ledgers) = ledgers.split_at(ours.len());
        // The database has nothing to do meanwhile: a processor for each half.
        let (our_rows, their_rows) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| Rows::of(theirs, their_ledgers, &days));
            let ours = Rows::of(ours, our_ledgers, &days);
            match theirs.join() {
                Ok(theirs) => (ours, theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        let (our_figures, their_figures) = tokio::try_join!(
            self.insert_rows(our_rows, asked_at),
            second.insert_rows(their_rows, asked_at)
        )?;
        second.commit().await?;
        self.keep_figures(our_figures).await?;
        self.keep_figures(their_figures).await
    }

    /// Writes some of the orders and their parts, and gives what they add to the figures.
    async fn insert_rows(&mut self, rows: Rows, asked_at: DateTime<Utc>) -> Result<FigureRows> {
        sqlx::raw_sql(CREATE_TABLES)
            .execute(self.connection())
            .await?;
        self.copy("copy loaded_orders from stdin (format binary)", rows.orders)
            .await?;
        self.copy(
            "copy loaded_line_items from stdin (format binary)",
            rows.line_items,
        )
        .await?;
        self.copy(
            "copy loaded_refunds from stdin (format binary)",
            rows.refunds,
        )
        .await?;
        self.copy("copy loaded_sales from stdin (format binary)", rows.sales)
            .await?;
        self.insert_loaded(asked_at).await?;
        Ok(rows.figures)
    }

    /// The days are PostgreSQL's, as everywhere: no other table of time zones has a say.
    async fn days_of(
        &mut self,
        store: &Store,
        orders: &[&Whole<'_>],
        ledgers: &[Vec<Entered<'_>>],
    ) -> Result<Days> {
        let placed = orders.iter().map(|whole| whole.order.processed_at);
        let sold = ledgers.iter().flatten().map(|entered| entered.happened_at);
        let instants: BTreeSet<_> = placed.chain(sold).collect();
        let instants: Vec<_> = instants.into_iter().collect();
        let days = sqlx::query_scalar!(
            "select (i.instant at time zone $1::text)::date as \"day!\" \
             from unnest($2::timestamptz[]) with ordinality i(instant, place) order by i.place",
            store.time_zone,
            &instants
        )
        .fetch_all(self.connection())
        .await?;
        Ok(instants.into_iter().zip(days).collect())
    }

    /// Copies rows into a temporary table.
    pub(super) async fn copy(
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

    async fn insert_loaded(&mut self, asked_at: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into orders (tenant_id, id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, day, \
                test, currency, financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, \
                net_payment, has_product, content_hash, synced_at) \
             select $1::uuid, o.id, o.name, o.customer_id, o.created_at, o.processed_at, o.updated_at, o.cancelled_at, o.day, \
                o.test, o.currency, o.financial_status, o.fulfillment_status, o.source_name, o.discount_codes, \
                case when o.id in (select unnest(p.order_ids) from privacy_requests p \
                                   where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                       or o.customer_id in (select p.customer_id from privacy_requests p \
                                            where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                     then '{}' else o.tags end, \
                o.total_price, o.net_payment, o.has_product, o.content_hash, $2::timestamptz \
             from loaded_orders o",
            tenant,
            asked_at
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into line_items (tenant_id, order_id, id, title, variant_title, sku, quantity, current_quantity, \
                original_total, discounted_total, product_id, variant_id) \
             select $1::uuid, order_id, id, title, variant_title, sku, quantity, current_quantity, original_total, \
                discounted_total, product_id, variant_id \
             from loaded_line_items",
            tenant
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into refunds (tenant_id, order_id, id, processed_at, total_refunded) \
             select $1::uuid, order_id, id, processed_at, total_refunded from loaded_refunds",
            tenant
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into sales (tenant_id, order_id, position, agreement, happened_at, day, reason, action_type, line_type, \
                quantity, currency, total, tax, discount, line_item_id, product_id, variant_id) \
             select $1::uuid, order_id, position, agreement, happened_at, day, reason, action_type, line_type, quantity, \
                currency, total, tax, discount, line_item_id, product_id, variant_id \
             from loaded_sales",
            tenant
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

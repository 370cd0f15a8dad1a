//! Staged orders, a chunk at a time. Those that a first load finds new are written as they are: there is nothing to
//! compare, to replace or to move. COPY may not write into tables with row security, so the rows are copied into temporary
//! tables shaped like their ends, and inserted from there. Two connections take a part of a chunk each: PostgreSQL works
//! on one statement with one processor. The second has nothing to do with what orders share (the store, customers, sums),
//! so that neither waits for the other, and commits first: what it wrote is whole orders, which a retry finds unchanged.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use tokio::task::JoinSet;

use super::figures::{KeptFigures, OrderFigures};
use super::orders::Changed;
use super::whole::{Entered, Whole, fill_refund, fill_sale, whole_orders};
use super::{Merged, Outcome, Store};
use crate::db::staging::binary::BinaryRows;
use crate::db::staging::rows::{Row as _, fill};
use crate::db::staging::{SecondConnection, Staged};
use crate::db::tasks::finished;
use crate::db::{Result, TenantTx};
use crate::domain::ids::OrderId;
use crate::domain::record::OrderRecord;

/// They empty themselves with each commit.
const CREATE_TABLES: &str = "\
    set local client_min_messages = warning; \
    create temporary table if not exists loaded_whole_orders (like public.loaded_whole_orders) on commit delete rows; \
    create temporary table if not exists loaded_line_items (like public.loaded_line_items) on commit delete rows; \
    create temporary table if not exists loaded_refunds (like public.loaded_refunds) on commit delete rows; \
    create temporary table if not exists loaded_sales (like public.loaded_sales) on commit delete rows";

/// So many orders are worth a second connection.
const FOR_TWO: usize = 500;
/// The first connection's part of a chunk: what it does beside takes the time of the rest.
const OURS: usize = 21;
const OF: usize = 50;

/// The day of the shop on which each of some instants lies.
type Days = BTreeMap<DateTime<Utc>, NaiveDate>;

fn flattened(orders: Vec<(OrderId, Vec<Staged>)>) -> Vec<Staged> {
    let mut records = Vec::with_capacity(orders.iter().map(|(_, order)| order.len()).sum());
    for (_, order) in orders {
        records.extend(order);
    }
    records
}

fn whole_staged(records: &[Staged]) -> BTreeMap<OrderId, Whole<'_>> {
    let records: Vec<_> = records
        .iter()
        .map(|staged| (&staged.record, staged.hash))
        .collect();
    whole_orders(&records)
}

/// Orders as rows of the tables that they are copied into.
#[derive(Default)]
struct Rows {
    orders: BinaryRows,
    line_items: BinaryRows,
    refunds: BinaryRows,
    sales: BinaryRows,
    figures: KeptFigures,
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
        let figures = OrderFigures::of(whole, ledger, day);
        self.figures.add(&figures, whole.hash);
        self.orders
            .add(|row| fill_order(row, whole, day(whole.order.processed_at)));
        for (_, record) in whole.lines.values() {
            self.line_items.add(|row| fill(row, record));
        }
        for refund in whole.refunds() {
            self.refunds
                .add(|row| fill_refund(row, whole.order.id, refund));
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
    row.value(whole.header_hash());
}

/// A chunk of staged orders that is being merged.
#[derive(Debug)]
pub(in crate::db) struct Chunk {
    store: Store,
    asked_at: DateTime<Utc>,
    last: Option<i64>,
    /// What the first connection merges.
    ours: Vec<Staged>,
    /// The second, at work already.
    theirs: JoinSet<Result<(TenantTx, Part)>>,
}

/// A part of a chunk, of which the new orders are written.
#[derive(Debug)]
struct Part {
    records: Vec<Staged>,
    seen: usize,
    new: Vec<i64>,
    figures: KeptFigures,
    /// Orders that are stored and different.
    known: Vec<Changed>,
}

impl TenantTx {
    /// Begins to merge staged orders, each given with all its records, in the order of their ids: while the figures are
    /// pending the second connection, if there is one to be had, is at work on a part of them from now on.
    pub(in crate::db) async fn begin_chunk(
        &mut self,
        mut orders: Vec<(OrderId, Vec<Staged>)>,
        second: &SecondConnection,
        asked_at: DateTime<Utc>,
    ) -> Result<Chunk> {
        let store = self.lock_store_for_two().await?;
        let last = orders.last().map(|(id, _)| id.number());
        let second = if store.figures_pending && orders.len() >= FOR_TWO {
            second.transaction().await?
        } else {
            None
        };
        let mut theirs = JoinSet::new();
        if let Some(mut second) = second {
            let records = flattened(orders.split_off(orders.len() * OURS / OF));
            let store = store.clone();
            theirs.spawn(async move {
                let part = second.insert_new(&store, records, asked_at).await?;
                Ok((second, part))
            });
        }
        Ok(Chunk {
            store,
            asked_at,
            last,
            ours: flattened(orders),
            theirs,
        })
    }

    /// Merges the rest of the chunk, and ends it.
    pub(in crate::db) async fn merge_chunk(&mut self, chunk: Chunk) -> Result<Merged> {
        let Chunk {
            store,
            asked_at,
            last,
            ours,
            mut theirs,
        } = chunk;
        let mut parts = vec![self.insert_new(&store, ours, asked_at).await?];
        let mut second = None;
        if let Some(theirs) = theirs.join_next().await {
            let (transaction, part) = finished(theirs)?;
            second = Some(transaction);
            parts.push(part);
        }
        if store.figures_pending {
            let figures: Vec<_> = parts
                .iter_mut()
                .map(|part| std::mem::take(&mut part.figures))
                .collect();
            let commit = async {
                match second {
                    Some(second) => second.commit().await,
                    None => Ok(()),
                }
            };
            tokio::try_join!(commit, self.keep_figures(figures))?;
        }
        let mut outcome = Outcome {
            seen: 0,
            last,
            changed: Vec::new(),
        };
        for part in parts {
            if !part.known.is_empty() {
                let orders = whole_staged(&part.records);
                self.replace_changed(&store, &orders, &part.known, asked_at)
                    .await?;
            }
            outcome.seen += part.seen;
            outcome
                .changed
                .extend(part.known.iter().map(|order| order.id));
            outcome.changed.extend(part.new);
        }
        self.end_merge(&store, outcome).await
    }

    /// Writes those of the orders that are not stored, if the figures are pending: then there are none to move.
    async fn insert_new(
        &mut self,
        store: &Store,
        records: Vec<Staged>,
        asked_at: DateTime<Utc>,
    ) -> Result<Part> {
        let orders = whole_staged(&records);
        let changed = self.changed_among(store, &orders, asked_at).await?;
        let (known, new): (Vec<_>, Vec<_>) = changed
            .into_iter()
            .partition(|order| order.known || !store.figures_pending);
        let new: Vec<_> = new.iter().map(|order| order.id).collect();
        let inserted: Vec<_> = new
            .iter()
            .filter_map(|id| orders.get(&OrderId::new(*id)))
            .collect();
        let mut figures = KeptFigures::default();
        if !inserted.is_empty() {
            let ledgers: Vec<_> = inserted.iter().map(|whole| whole.ledger()).collect();
            let days = self.days_of(store, &inserted, &ledgers).await?;
            let rows = Rows::of(&inserted, &ledgers, &days);
            figures = self.insert_rows(rows, asked_at).await?;
        }
        let seen = orders.len();
        drop(orders);
        Ok(Part {
            records,
            seen,
            new,
            figures,
            known,
        })
    }

    /// Writes some of the orders and their parts, and gives what they add to the figures.
    async fn insert_rows(&mut self, rows: Rows, asked_at: DateTime<Utc>) -> Result<KeptFigures> {
        sqlx::raw_sql(CREATE_TABLES)
            .execute(self.connection())
            .await?;
        self.copy(
            "copy loaded_whole_orders from stdin (format binary)",
            rows.orders,
        )
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
                net_payment, has_product, content_hash, synced_at, header_hash) \
             select $1::uuid, o.id, o.name, o.customer_id, o.created_at, o.processed_at, o.updated_at, o.cancelled_at, o.day, \
                o.test, o.currency, o.financial_status, o.fulfillment_status, o.source_name, o.discount_codes, \
                case when o.id in (select unnest(p.order_ids) from privacy_requests p \
                                   where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                       or o.customer_id in (select p.customer_id from privacy_requests p \
                                            where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION') \
                     then '{}' else o.tags end, \
                o.total_price, o.net_payment, o.has_product, o.content_hash, $2::timestamptz, o.header_hash \
             from loaded_whole_orders o",
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

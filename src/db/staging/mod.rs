//! Staging: records from Shopify on their way into the store's tables. A few are handed over inside the statements
//! that merge them. Many are copied into temporary tables of a connection that belongs to one load, joined there
//! and merged chunk by chunk. Temporary tables are
//! private to their connection, so no other store's load can ever see them; they are gone when it ends, and
//! an interrupted load starts again from Shopify's file, where unchanged objects cost no write.

pub(super) mod rows;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use chrono::{DateTime, Utc};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgPoolOptions;

use super::{Database, DbError, Merged, Patience, Result, TenantTx, begin, enter_tenant, trusting};
use crate::domain::ids::{OrderId, TenantId};
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// Rows are sent when this much has gathered: large enough to amortise a round trip, small enough for memory.
const BUFFER_BYTES: usize = 4 << 20;

macro_rules! staged_tables {
    ($($field:ident: $table:literal ($columns:literal)),+ $(,)?) => {
        #[derive(Debug, Default)]
        struct Buffers {
            $($field: String,)+
        }

        /// Which staging tables hold rows.
        #[derive(Clone, Copy, Debug, Default)]
        struct Written {
            $($field: bool,)+
        }

        impl Written {
            fn note(&mut self, buffers: &Buffers) {
                $(self.$field |= !buffers.$field.is_empty();)+
            }
        }

        impl Buffers {
            fn bytes(&self) -> usize {
                0 $(+ self.$field.len())+
            }

            /// Takes the rows of the tables out that these went into.
            async fn delete_from(tables: Written, transaction: &mut TenantTx) -> Result<()> {
                $(
                    if tables.$field {
                        sqlx::raw_sql(concat!("delete from ", $table))
                            .execute(transaction.connection())
                            .await?;
                    }
                )+
                Ok(())
            }

            async fn copy_into(&mut self, transaction: &mut TenantTx) -> Result<()> {
                $(
                    if !self.$field.is_empty() {
                        let mut copy = transaction
                            .connection()
                            .copy_in_raw(concat!("copy ", $table, " (", $columns, ", hash) from stdin"))
                            .await?;
                        copy.send(self.$field.as_bytes()).await?;
                        copy.finish().await?;
                        self.$field.clear();
                    }
                )+
                Ok(())
            }
        }

        /// Made like the shapes of migration 5; `like` copies columns, not indexes.
        const CREATE_TABLES: &str = concat!(
            $("create temporary table ", $table, " (like public.", $table, ");",)+
        );
        const TRUNCATE_TABLES: &str = concat!("truncate ", staged_tables!(@list $($table),+));
    };
    (@list $first:literal $(, $rest:literal)*) => { concat!($first $(, ", ", $rest)*) };
}

staged_tables! {
    customers: "staged_customers" ("id, display_name, email, tags, created_at, updated_at"),
    products: "staged_products" ("id, title, status, vendor, product_type, created_at, updated_at"),
    variants: "staged_variants" ("product_id, id, title, sku, price, position"),
    orders: "staged_orders" (
        "id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, test, currency, \
         financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, net_payment, refunds"
    ),
    line_items: "staged_line_items" (
        "order_id, id, title, variant_title, sku, quantity, current_quantity, original_total, discounted_total, \
         product_id, variant_id"
    ),
    agreements: "staged_agreements" ("order_id, key, gid, happened_at, reason"),
    sales: "staged_sales" (
        "agreement, key, action_type, line_type, quantity, currency, total, tax, discount, line_item_id, order_id"
    ),
}

/// In the order of their keys the rows are joined without being sorted first.
const CREATE_INDEXES: &str = "\
    create index if not exists staged_orders_id on staged_orders (id, updated_at desc); \
    create index if not exists staged_line_items_order on staged_line_items (order_id, id); \
    create index if not exists staged_agreements_order on staged_agreements (order_id, key); \
    create index if not exists staged_sales_order on staged_sales (order_id, agreement, key); \
    create index if not exists staged_products_id on staged_products (id); \
    create index if not exists staged_variants_product on staged_variants (product_id); \
    create index if not exists staged_customers_id on staged_customers (id); \
    analyze staged_orders; analyze staged_line_items; analyze staged_agreements; analyze staged_sales; \
    analyze staged_products; analyze staged_variants; analyze staged_customers; \
    set plan_cache_mode = force_custom_plan";

/// Gives the sales their orders whose agreements came too late to be noted.
const FIND_ORDERS: &str = "\
    update staged_sales s set order_id = a.order_id from staged_agreements a \
    where s.order_id is null and a.key = s.agreement";

/// So many records are handed over inside the statements that merge them. They are joined without an index.
const FEW: usize = 500;
/// From so many records on, a load is large: its rows are indexed, its plans made for the chunk at hand, and
/// its connection is of no use to another.
const LARGE: usize = 1_000;
/// Rows that were deleted still take room; when so many records have been staged, the tables are made anew.
const WORN: usize = 500;
/// How many connections are kept for the next small loads.
const MOST_IDLE: usize = 4;

/// What a load's connection may use: it sorts and joins much, and looks at few values when it analyzes.
const SETTINGS: [(&str, &str); 6] = [
    ("work_mem", "64MB"),
    ("temp_buffers", "64MB"),
    ("default_statistics_target", "20"),
    // What was just staged is in memory: reading it in the order of an index spares sorting it.
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    // A small load takes the same few rows each time: its statements are planned once.
    ("plan_cache_mode", "force_generic_plan"),
];

/// A load: a connection of its own with its own staging tables.
#[derive(Debug)]
#[expect(
    clippy::disallowed_types,
    reason = "a pool of one, so that transactions come from this connection"
)]
pub struct Loader {
    pool: sqlx::PgPool,
    tenant: TenantId,
    /// How many connections the pool has opened, one after the other.
    opened: Arc<AtomicUsize>,
    /// Which of them has the staging tables, from when there was something to stage.
    staged_on: Option<usize>,
    gathered: Prepared,
    staged: usize,
    written: Written,
    /// Whether sales were staged of which the order is not known yet.
    astray: bool,
    /// How many records have been staged since the tables were last made anew.
    wear: usize,
    /// Whether a large load was made ready on the connection.
    large: bool,
    idle: Weak<Mutex<Vec<Self>>>,
}

/// Connections that have nothing staged. What is fetched because of a webhook is small: to connect and to plan
/// every statement would cost several times what the change does.
#[derive(Clone, Debug, Default)]
pub(super) struct IdleLoaders(Arc<Mutex<Vec<Loader>>>);

impl IdleLoaders {
    fn take(&self) -> Option<Loader> {
        locked(&self.0).pop()
    }

    /// Ends them.
    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *locked(&self.0));
        for loader in idle {
            loader.pool.close().await;
        }
    }
}

fn locked(idle: &Mutex<Vec<Loader>>) -> MutexGuard<'_, Vec<Loader>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Database {
    /// A new load into one store.
    pub async fn loader(&self, tenant: TenantId) -> Result<Loader> {
        while let Some(mut loader) = self.idle_loaders.take() {
            loader.tenant = tenant;
            // The connection that holds the staging tables may have ended meanwhile.
            if loader.staged_on.is_none() || loader.transaction().await.is_ok() {
                return Ok(loader);
            }
            loader.pool.close().await;
        }
        self.new_loader(tenant).await
    }

    async fn new_loader(&self, tenant: TenantId) -> Result<Loader> {
        let opened = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&opened);
        let pool = trusting(PgPoolOptions::new())
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |_, _| {
                counter.fetch_add(1, Ordering::SeqCst);
                Box::pin(async { Ok(()) })
            })
            // Merging a chunk takes its time; that is no slow statement to warn of.
            .connect_with(
                Patience::of_work()
                    .of(&self.options)
                    .options(SETTINGS)
                    .disable_statement_logging(),
            )
            .await?;
        Ok(Loader {
            pool,
            tenant,
            opened,
            staged_on: None,
            gathered: Prepared::default(),
            staged: 0,
            written: Written::default(),
            astray: false,
            wear: 0,
            large: false,
            idle: Arc::downgrade(&self.idle_loaders.0),
        })
    }
}

impl Loader {
    /// Whose rows it loads.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// A transaction on the load's connection, where the staged rows are.
    pub async fn transaction(&self) -> Result<TenantTx> {
        let transaction = begin(&self.pool, "begin", &enter_tenant(self.tenant)).await?;
        if self.staged_on.is_some_and(|one| one != self.opened()) {
            return Err(DbError::StagingLost);
        }
        Ok(TenantTx::entered(transaction, self.tenant))
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// A transaction in which records may be staged.
    async fn staging(&mut self) -> Result<TenantTx> {
        let mut transaction = self.transaction().await?;
        if self.staged_on.is_none() {
            sqlx::raw_sql(CREATE_TABLES)
                .execute(transaction.connection())
                .await?;
            transaction.commit().await?;
            self.staged_on = Some(self.opened());
            transaction = self.transaction().await?;
        }
        Ok(transaction)
    }

    /// Merges whole objects that were fetched, each with its children, in a transaction that the caller commits.
    /// A few are handed over as they are; many are staged.
    pub async fn merge(
        &mut self,
        kind: ObjectKind,
        records: &[Record],
        asked_at: DateTime<Utc>,
    ) -> Result<(TenantTx, Merged)> {
        if records.len() <= FEW {
            let mut transaction = self.transaction().await?;
            let merged = transaction.merge_few(kind, records, asked_at).await?;
            return Ok((transaction, merged));
        }
        self.clear().await?;
        self.stage(records).await?;
        self.finish_staging().await?;
        let mut transaction = self.transaction().await?;
        let merged = transaction
            .merge_staged(kind, 0, i64::MAX, asked_at)
            .await?;
        Ok((transaction, merged))
    }

    /// How many records have been staged.
    #[must_use]
    pub const fn staged(&self) -> usize {
        self.staged
    }

    /// Takes records in. They reach the database when enough have gathered, at the latest with
    /// [`finish_staging`](Self::finish_staging).
    pub async fn stage(&mut self, records: &[Record]) -> Result<()> {
        self.gathered.add(records);
        if self.gathered.is_full() {
            let prepared = self.gathered.take();
            self.stage_prepared(prepared).await
        } else {
            Ok(())
        }
    }

    /// Takes in records that were made ready elsewhere, meanwhile.
    pub async fn stage_prepared(&mut self, mut prepared: Prepared) -> Result<()> {
        if prepared.records == 0 {
            return Ok(());
        }
        self.staged += prepared.records;
        self.astray |= prepared.astray;
        self.written.note(&prepared.buffers);
        let mut transaction = self.staging().await?;
        prepared.buffers.copy_into(&mut transaction).await?;
        transaction.commit().await
    }

    /// Sends what has gathered, and makes a large load ready to be joined.
    pub async fn finish_staging(&mut self) -> Result<()> {
        let rest = self.gathered.rest();
        self.stage_prepared(rest).await?;
        if self.astray {
            let mut transaction = self.staging().await?;
            sqlx::raw_sql(FIND_ORDERS)
                .execute(transaction.connection())
                .await?;
            transaction.commit().await?;
        }
        if self.staged > LARGE {
            let mut transaction = self.staging().await?;
            self.large = true;
            sqlx::raw_sql(CREATE_INDEXES)
                .execute(transaction.connection())
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Empties the staging tables, for the next page.
    pub async fn clear(&mut self) -> Result<()> {
        self.gathered = Prepared::default();
        self.astray = false;
        self.wear += std::mem::take(&mut self.staged);
        let written = std::mem::take(&mut self.written);
        if self.staged_on.is_none() {
            return Ok(());
        }
        let mut transaction = self.transaction().await?;
        if self.wear > WORN {
            sqlx::raw_sql(TRUNCATE_TABLES)
                .execute(transaction.connection())
                .await?;
            self.wear = 0;
        } else {
            Buffers::delete_from(written, &mut transaction).await?;
        }
        transaction.commit().await
    }

    /// Ends the load; the staged rows are gone.
    pub async fn close(mut self) {
        if !self.large
            && self.clear().await.is_ok()
            && let Some(idle) = self.idle.upgrade()
        {
            let mut idle = locked(&idle);
            if idle.len() < MOST_IDLE {
                idle.push(self);
                return;
            }
        }
        self.pool.close().await;
    }
}

/// Records in the form in which they are sent, so that some can be made ready while others are on their way.
#[derive(Debug, Default)]
pub struct Prepared {
    buffers: Buffers,
    records: usize,
    agreements: Agreements,
    /// Whether there are sales among them whose order is not known.
    astray: bool,
}

/// So many agreements are remembered, some 50 MB; then all are forgotten.
const MOST_AGREEMENTS: usize = 1 << 20;
/// So many sales wait for their agreements; then none waits any longer.
const MOST_WAITING: usize = 1 << 16;

/// Which order each agreement is of, and the sales that came before theirs: Shopify gives a sale only its
/// agreement, and names them in any order, but seldom far from each other.
#[derive(Debug, Default)]
struct Agreements {
    orders: HashMap<i64, OrderId>,
    waiting: HashMap<i64, Vec<Record>>,
    /// How many sales wait.
    count: usize,
}

impl Prepared {
    /// Adds records.
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Sale(sale) => self.add_sale(record, rows::key(&sale.agreement_gid)),
                Record::Agreement(agreement) => {
                    self.push(record, None);
                    self.note(rows::key(&agreement.gid), agreement.order);
                }
                _ => self.push(record, None),
            }
        }
    }

    fn push(&mut self, record: &Record, order_of_sale: Option<OrderId>) {
        self.buffers.push(record, order_of_sale);
        self.records += 1;
        self.astray |= matches!(record, Record::Sale(_)) && order_of_sale.is_none();
    }

    fn add_sale(&mut self, sale: &Record, agreement: i64) {
        if let Some(order) = self.agreements.orders.get(&agreement).copied() {
            self.push(sale, Some(order));
            return;
        }
        let waiting = self.agreements.waiting.entry(agreement).or_default();
        waiting.push(sale.clone());
        self.agreements.count += 1;
        if self.agreements.count > MOST_WAITING {
            self.wait_no_longer();
        }
    }

    fn note(&mut self, agreement: i64, order: OrderId) {
        if self.agreements.orders.len() >= MOST_AGREEMENTS {
            self.agreements.orders.clear();
        }
        self.agreements.orders.insert(agreement, order);
        let sales = self.agreements.waiting.remove(&agreement);
        for sale in sales.into_iter().flatten() {
            self.agreements.count -= 1;
            self.push(&sale, Some(order));
        }
    }

    fn wait_no_longer(&mut self) {
        self.agreements.count = 0;
        let waiting = std::mem::take(&mut self.agreements.waiting);
        for sale in waiting.into_values().flatten() {
            self.push(&sale, None);
        }
    }

    /// Whether it is time to send it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.buffers.bytes() >= BUFFER_BYTES
    }

    /// Takes what has gathered; more is to come.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self {
            buffers: std::mem::take(&mut self.buffers),
            records: std::mem::take(&mut self.records),
            agreements: Agreements::default(),
            astray: std::mem::take(&mut self.astray),
        }
    }

    /// Takes the rest: nothing more is to come.
    #[must_use]
    pub fn rest(&mut self) -> Self {
        self.wait_no_longer();
        std::mem::take(self)
    }
}

impl Buffers {
    fn push(&mut self, record: &Record, order_of_sale: Option<OrderId>) {
        let buffer = match record {
            Record::Customer(_) => &mut self.customers,
            Record::Product(_) => &mut self.products,
            Record::Variant(_) => &mut self.variants,
            Record::Order(_) => &mut self.orders,
            Record::LineItem(_) => &mut self.line_items,
            Record::Agreement(_) => &mut self.agreements,
            Record::Sale(_) => return rows::copy_sale(&mut self.sales, record, order_of_sale),
        };
        rows::copy_line(buffer, record);
    }
}

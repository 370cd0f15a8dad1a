//! Staging: records from Shopify on their way into the store's tables. Whole objects are handed over inside the
//! statements that merge them. What comes in pieces, from a bulk file, is copied into temporary tables of a
//! connection that belongs to one load, and read back from there object by object: parts of orders as pages that are
//! sorted by order (`pages.rs`), customers and products as rows. Temporary tables are
//! private to their connection, so no other store's load can ever see them; they are gone when it ends, and
//! an interrupted load starts again from Shopify's file, where unchanged objects cost no write.

pub(super) mod binary;
mod orders;
pub(super) mod packed;
pub(super) mod pages;
mod prepared;
pub(super) mod rows;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgPoolOptions;

pub(super) use self::orders::Staged;
use self::orders::StagedOrders;
pub use self::prepared::Prepared;
use self::prepared::{CREATE_INDEXES, CREATE_TABLES, TRUNCATE_TABLES, Tally};
use super::{Database, DbError, Merged, Patience, Result, TenantTx, begin, enter_tenant, trusting};
use crate::domain::ids::{OrderId, TenantId};
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// So many sales that went astray are given their orders at once.
const ASTRAY_AT_ONCE: i64 = 20_000;

/// So many records are handed over inside the statements that merge them. They are joined without an index.
const FEW: usize = 500;
/// A load does not wait longer for its second connection: it goes on with one.
const FOR_SECOND: Duration = Duration::from_secs(1);
/// From so many records on, a load is large: its rows are indexed, its plans made for the chunk at hand, and
/// its connection is of no use to another.
const LARGE: usize = 1_000;
/// Rows that were deleted still take room; when so many records have been staged, the tables are made anew.
const WORN: usize = 500;
/// How many connections are kept for the next small loads.
const MAX_IDLE: usize = 4;

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

/// What is handed over is found by keys, row by row: a plan that reads a whole table looks cheaper while the store is small,
/// and would stay while it grows.
const BEGIN_BY_KEYS: &str = "begin; set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off";

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
    staged: Tally,
    /// How far the staged objects have been merged.
    merged: Position,
    /// How many records have been staged since the tables were last made anew.
    wear: usize,
    /// Whether a large load was made ready on the connection, or a first load left figures there: it is of no use to
    /// another store then.
    large: bool,
    second: SecondConnection,
    idle: Weak<Mutex<Vec<Self>>>,
}

/// A connection beside that of a load, for half of what it inserts. It is opened when there is something to insert.
#[derive(Debug)]
#[expect(
    clippy::disallowed_types,
    reason = "a pool of one, as that of the load"
)]
pub(super) struct SecondConnection {
    pool: sqlx::PgPool,
    tenant: TenantId,
}

impl SecondConnection {
    /// A transaction that joins the first one's lock of the store. None where there is no second connection to be
    /// had, or the figures are not pending any more.
    pub(super) async fn transaction(&self) -> Result<Option<TenantTx>> {
        let begun = begin(&self.pool, "begin", &enter_tenant(self.tenant)).await;
        let Ok(transaction) = begun else {
            return Ok(None);
        };
        let mut transaction = TenantTx::entered(transaction, self.tenant);
        let pending = transaction.join_lock_of_store().await?;
        Ok(pending.then_some(transaction))
    }
}

/// How far the staged objects have been merged.
#[derive(Debug, Default)]
struct Position {
    /// The last customer.
    customers: i64,
    /// The last product.
    products: i64,
    orders: StagedOrders,
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
            loader.end().await;
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
            loader.second.tenant = tenant;
            // The connection that holds the staging tables may have ended meanwhile.
            if loader.staged_on.is_none() || loader.transaction().await.is_ok() {
                return Ok(loader);
            }
            loader.end().await;
        }
        self.new_loader(tenant).await
    }

    async fn new_loader(&self, tenant: TenantId) -> Result<Loader> {
        // Merging a chunk takes its time; that is no slow statement to warn of.
        let options = Patience::of_work()
            .of(&self.options)
            .options(SETTINGS)
            .disable_statement_logging();
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
            .connect_with(options.clone())
            .await?;
        let second = SecondConnection {
            pool: trusting(PgPoolOptions::new())
                .max_connections(1)
                .acquire_timeout(FOR_SECOND)
                .connect_lazy_with(options),
            tenant,
        };
        Ok(Loader {
            pool,
            tenant,
            opened,
            staged_on: None,
            gathered: Prepared::default(),
            staged: Tally::default(),
            merged: Position::default(),
            wear: 0,
            large: false,
            second,
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
        self.begun_with("begin").await
    }

    async fn begun_with(&self, statement: &'static str) -> Result<TenantTx> {
        let transaction = begin(&self.pool, statement, &enter_tenant(self.tenant)).await?;
        if self.staged_on.is_some_and(|one| one != self.opened()) {
            return Err(DbError::StagingLost);
        }
        Ok(TenantTx::entered(transaction, self.tenant))
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// A transaction in which records may be staged, and in which what is staged may be read, be it nothing: a
    /// statement that found no staging tables would go on reading their empty shapes when there are some, for whichever
    /// store this connection loads next.
    pub async fn staging(&mut self) -> Result<TenantTx> {
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
    /// Orders and a few of the others are handed over as they are; many are staged.
    pub async fn merge(
        &mut self,
        kind: ObjectKind,
        records: &[Record],
        asked_at: DateTime<Utc>,
    ) -> Result<(TenantTx, Merged)> {
        if kind == ObjectKind::Orders || records.len() <= FEW {
            let mut transaction = self.begun_with(BEGIN_BY_KEYS).await?;
            let merged = transaction.merge_whole(kind, records, asked_at).await?;
            return Ok((transaction, merged));
        }
        self.clear().await?;
        self.stage(records).await?;
        self.finish_staging().await?;
        self.merge_staged(kind, i64::MAX, asked_at).await
    }

    /// Merges the next staged objects of a kind, at most `limit` of them, in a transaction that the caller commits.
    /// `asked_at` is when Shopify was asked: an answer that is older than what is stored changes nothing.
    pub async fn merge_staged(
        &mut self,
        kind: ObjectKind,
        limit: i64,
        asked_at: DateTime<Utc>,
    ) -> Result<(TenantTx, Merged)> {
        let mut transaction = self.staging().await?;
        let position = &mut self.merged;
        let merged = match kind {
            ObjectKind::Customers => {
                let after = &mut position.customers;
                let merging = transaction.merge_staged_customers(*after, limit, asked_at);
                let merged = merging.await?;
                *after = merged.last.unwrap_or(i64::MAX);
                merged
            }
            ObjectKind::Products => {
                let after = &mut position.products;
                let merging = transaction.merge_staged_products(*after, limit, asked_at);
                let merged = merging.await?;
                *after = merged.last.unwrap_or(i64::MAX);
                merged
            }
            ObjectKind::Orders => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                let orders = position.orders.next(&mut transaction, limit).await?;
                if orders.is_empty() {
                    return Ok((transaction, Merged::default()));
                }
                // It may hold figures of the store's orders from now on.
                self.large = true;
                let chunk = transaction
                    .begin_chunk(orders, &self.second, asked_at)
                    .await?;
                position.orders.read_ahead(&mut transaction, limit).await?;
                transaction.merge_chunk(chunk).await?
            }
        };
        Ok((transaction, merged))
    }

    /// Builds the rollups if they were left for later, in a transaction of this load.
    pub async fn build_pending_figures(&self, transaction: &mut TenantTx) -> Result<()> {
        transaction.build_loaded_figures(&self.second).await
    }

    /// How many records have been staged.
    #[must_use]
    pub const fn staged(&self) -> usize {
        self.staged.records
    }

    /// The newest change among the staged objects of a kind.
    #[must_use]
    pub fn newest_staged(&self, kind: ObjectKind) -> Option<DateTime<Utc>> {
        self.staged.newest(kind)
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
    pub async fn stage_prepared(&mut self, prepared: Prepared) -> Result<()> {
        if prepared.is_empty() {
            return Ok(());
        }
        let mut transaction = self.staging().await?;
        prepared
            .copy_into(&mut transaction, &mut self.staged)
            .await?;
        transaction.commit().await
    }

    /// Sends what has gathered, and makes it ready to be merged from the start.
    pub async fn finish_staging(&mut self) -> Result<()> {
        let rest = self.gathered.rest();
        self.stage_prepared(rest).await?;
        if self.staged.astray {
            self.find_orders().await?;
        }
        self.merged = Position::default();
        if self.staged.records > LARGE {
            let mut transaction = self.staging().await?;
            self.large = true;
            sqlx::raw_sql(CREATE_INDEXES)
                .execute(transaction.connection())
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Gives those sales their orders whose agreements came too late to be noted.
    async fn find_orders(&mut self) -> Result<()> {
        let mut transaction = self.staging().await?;
        sqlx::raw_sql(
            "create index if not exists staged_agreement_orders_key on staged_agreement_orders (key); \
             create index if not exists astray_sales_number on astray_sales (number); \
             analyze staged_agreement_orders; analyze astray_sales",
        )
        .execute(transaction.connection())
        .await?;
        let mut after = 0;
        loop {
            let found = sqlx::query!(
                "select s.number, a.order_id, s.record from astray_sales s \
                 join staged_agreement_orders a on a.key = s.agreement \
                 where s.number > $1 order by s.number limit $2",
                after,
                ASTRAY_AT_ONCE
            )
            .fetch_all(transaction.connection())
            .await?;
            let Some(last) = found.last() else {
                break;
            };
            after = last.number;
            let mut prepared = Prepared::default();
            for sale in &found {
                prepared.add_found(OrderId::new(sale.order_id), &sale.record);
            }
            prepared
                .copy_into(&mut transaction, &mut self.staged)
                .await?;
        }
        sqlx::query!(
            "delete from astray_sales s using staged_agreement_orders a where a.key = s.agreement"
        )
        .execute(transaction.connection())
        .await?;
        transaction.commit().await
    }

    /// Empties the staging tables, for the next page.
    pub async fn clear(&mut self) -> Result<()> {
        self.gathered = Prepared::default();
        self.merged = Position::default();
        let staged = std::mem::take(&mut self.staged);
        self.wear += staged.records;
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
            staged.written.delete(&mut transaction).await?;
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
            if idle.len() < MAX_IDLE {
                idle.push(self);
                return;
            }
        }
        self.end().await;
    }

    async fn end(self) {
        self.second.pool.close().await;
        self.pool.close().await;
    }
}

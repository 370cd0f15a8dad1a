//! Staging: the records of a bulk file on their way into the shop's tables. A file names the children of an object in
//! any order and at any distance, and it may be larger than memory. So its records are copied into temporary tables, and
//! PostgreSQL sorts them; then whole objects are read back in the order of their ids, a batch at a time. A load that is
//! interrupted starts again from Shopify's file, where unchanged objects cost no write.

mod batch;
pub(super) mod binary;
pub(super) mod encoding;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgPoolOptions;

use self::batch::{StagingBatch, StagingStats};
use self::encoding::decode_all;
use super::{Database, Result, TenantTx, Timeouts, Upserted, begin, without_ping};
use crate::domain::ids::TenantId;
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

const CREATE_TABLES: &str = include_str!("sql/create.sql");
const SORT: &str = include_str!("sql/sort.sql");

/// Memory for sorting a file and for its temporary tables.
const SETTINGS: [(&str, &str); 3] = [
    ("work_mem", "64MB"),
    ("temp_buffers", "64MB"),
    ("jit", "off"),
];

/// A batch of objects is cut off at this size, however few objects are in it.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// A bulk file of one kind of object in a connection of its own.
#[derive(Debug)]
#[expect(
    clippy::disallowed_types,
    reason = "a pool of one, so that all transactions come from the connection with the temporary tables"
)]
pub struct Staging {
    pool: sqlx::PgPool,
    tenant: TenantId,
    kind: ObjectKind,
    batch: StagingBatch,
    /// How many batches were copied.
    batches: i32,
    stats: StagingStats,
    /// The id of the last object that was read back.
    last: i64,
}

impl Database {
    /// Opens a connection with empty staging tables.
    pub async fn staging(&self, tenant: TenantId, kind: ObjectKind) -> Result<Staging> {
        // A statement over a whole file takes its time; a warning about it would say nothing.
        let options = Timeouts::of_jobs()
            .apply(&self.options)
            .options(SETTINGS)
            .disable_statement_logging();
        let pool = without_ping(PgPoolOptions::new())
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await?;
        let staging = Staging {
            pool,
            tenant,
            kind,
            batch: StagingBatch::default(),
            batches: 0,
            stats: StagingStats::default(),
            last: i64::MIN,
        };
        // Once only: should the connection be lost, its successor has no tables and every later statement fails.
        let mut transaction = staging.transaction().await?;
        sqlx::raw_sql(CREATE_TABLES)
            .execute(transaction.connection())
            .await?;
        transaction.commit().await?;
        Ok(staging)
    }
}

impl Staging {
    /// The tenant whose file it is.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// A transaction on the connection with the staged records.
    pub async fn transaction(&self) -> Result<TenantTx> {
        let transaction = begin(&self.pool, "begin").await?;
        TenantTx::enter(transaction, self.tenant).await
    }

    /// How many records the file held.
    #[must_use]
    pub const fn records(&self) -> usize {
        self.stats.records
    }

    /// The newest change of an object in the file.
    #[must_use]
    pub const fn newest(&self) -> Option<DateTime<Utc>> {
        self.stats.newest
    }

    /// Adds records of the file, in any order.
    pub async fn add(&mut self, records: &[Record]) -> Result<()> {
        for record in records {
            self.batch.add(record)?;
        }
        if self.batch.is_full() {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        self.stats.add(batch.stats);
        let mut transaction = self.transaction().await?;
        batch.copy_into(&mut transaction, self.batches).await?;
        transaction.commit().await?;
        self.batches += 1;
        Ok(())
    }

    /// Ends the file: sorts its records by object.
    pub async fn finish(&mut self) -> Result<()> {
        self.flush().await?;
        let mut transaction = self.transaction().await?;
        sqlx::raw_sql(SORT)
            .execute(transaction.connection())
            .await?;
        transaction.commit().await
    }

    /// Upserts the next objects of the file, at most `limit` of them, in a transaction that the caller commits. `None`:
    /// there are no more. `fetched_at` is when Shopify began the file: what is stored and newer stays.
    pub async fn upsert_next(
        &mut self,
        limit: i64,
        fetched_at: DateTime<Utc>,
    ) -> Result<Option<(TenantTx, Upserted)>> {
        let mut transaction = self.transaction().await?;
        let records = self.read_next(&mut transaction, limit).await?;
        if records.is_empty() {
            return Ok(None);
        }
        let upserted = match self.kind {
            ObjectKind::Orders => transaction.load_orders(records, fetched_at).await?,
            kind => transaction.upsert(kind, records, fetched_at).await?,
        };
        Ok(Some((transaction, upserted)))
    }

    /// The records of the next objects, each with all its children.
    #[expect(
        clippy::disallowed_methods,
        reason = "the macro cannot check a statement over a temporary table"
    )]
    async fn read_next(&mut self, transaction: &mut TenantTx, limit: i64) -> Result<Vec<Record>> {
        let mut rows = sqlx::query_as::<_, (i64, Vec<u8>)>(
            "select object_id, records from staged_objects where object_id > $1 order by object_id limit $2",
        )
        .bind(self.last)
        .bind(limit)
        .fetch(transaction.connection());
        let mut records = Vec::new();
        let mut bytes = 0;
        while bytes < MAX_BATCH_BYTES
            && let Some((id, encoded)) = rows.try_next().await?
        {
            bytes += encoded.len();
            decode_all(&encoded, &mut records)?;
            self.last = id;
        }
        Ok(records)
    }

    /// Deletes the stored objects that a complete file does not hold, if they were fetched before it; gives how many.
    /// Orders created before `oldest` stay, since a shop that shows only its newest orders says nothing about the others.
    pub async fn delete_missing(
        &self,
        transaction: &mut TenantTx,
        fetched_at: DateTime<Utc>,
        oldest: Option<DateTime<Utc>>,
    ) -> Result<usize> {
        let mut after = 0;
        let mut deleted = 0;
        loop {
            let stored = transaction
                .stored_ids(self.kind, after, fetched_at, oldest)
                .await?;
            let Some(last) = stored.last() else {
                return Ok(deleted);
            };
            after = *last;
            let missing = unstaged_ids(transaction, &stored).await?;
            deleted += transaction
                .delete_objects(self.kind, &missing, fetched_at)
                .await?;
        }
    }

    /// Ends the connection, and the staged records with it.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// Those of the ids that the file does not hold.
#[expect(
    clippy::disallowed_methods,
    reason = "the macro cannot check a statement over a temporary table"
)]
async fn unstaged_ids(transaction: &mut TenantTx, ids: &[i64]) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "select i.id from unnest($1::bigint[]) i(id) \
         where not exists (select from staged_objects s where s.object_id = i.id)",
    )
    .bind(ids)
    .fetch_all(transaction.connection())
    .await?)
}

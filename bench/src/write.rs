//! `write`: the initial backfill of a shop, from the download of its file to the last commit. The baseline is COPY BINARY
//! of the same rows into empty tables with the same indexes: first orders and ledger, then the rollups that the backfill
//! also builds. Both run on one machine in the same minutes, so compare the ratio and not the rates.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use clap::Args;
use futures_util::StreamExt as _;
use secrecy::SecretString;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;
use xboard::db::Database;
use xboard::domain::clock::Clock;
use xboard::domain::ids::TenantId;
use xboard::domain::record::Record;
use xboard::domain::shop::ShopDomain;
use xboard::domain::sync::ObjectKind;
use xboard::shopify::{ShopClient as Shop, Shopify, ShopifyConfig, TokenProvider};
use xboard::sync::stage_file;

use crate::fill::{self, FillArgs};
use crate::jsonl::write_line;
use crate::store::Store;
use crate::usage::{self, Postmaster};

/// The shop to backfill.
#[derive(Clone, Debug, Args)]
pub(crate) struct WriteArgs {
    #[command(flatten)]
    store: FillArgs,
    /// How many objects are upserted in one transaction.
    #[arg(long, default_value_t = xboard::sync::SyncConfig::default().merge_chunk)]
    chunk: i64,
    /// Skips the baseline.
    #[arg(long)]
    no_baseline: bool,
}

/// A table, and its columns except generated ones.
type Table = (&'static str, &'static str);

/// The tables of orders and ledger.
const LEDGER: [Table; 4] = [
    (
        "orders",
        "tenant_id, id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, day, test, currency, \
         financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, net_payment, has_product, \
         row_hash, children_hash, synced_at, deleted_at",
    ),
    (
        "line_items",
        "tenant_id, order_id, id, title, variant_title, sku, quantity, current_quantity, original_total, \
         discounted_total, product_id, variant_id",
    ),
    (
        "refunds",
        "tenant_id, order_id, id, processed_at, total_refunded",
    ),
    (
        "sales",
        "tenant_id, order_id, position, agreement, happened_at, day, reason, action_type, line_type, quantity, \
         currency, total, tax, discount, line_item_id, product_id, variant_id",
    ),
];

/// The tables of the rollups.
const ROLLUPS: [Table; 5] = [
    (
        "sales_rollups",
        "tenant_id, dimension, currency, day, value_id, orders, units_sold, gross_sales, discounts, returns, shipping, \
         taxes, duties, fees, order_value, version",
    ),
    (
        "sales_totals",
        "tenant_id, dimension, value_id, orders, units_sold, gross_sales, discounts, returns, shipping, taxes, duties, \
         fees, order_value, first_order_at, first_order_day, first_order_currency, last_order_at, version",
    ),
    (
        "first_order_counts",
        "tenant_id, currency, day, first_order_day, customers, version",
    ),
    (
        "repeat_order_counts",
        "tenant_id, currency, day, previous_day, customers, version",
    ),
    (
        "second_order_counts",
        "tenant_id, currency, day, second_order_day, customers, version",
    ),
];

/// The cost of a run.
struct Cost {
    rows: i64,
    time: Duration,
    database: Duration,
    program: Duration,
    written_ahead: i64,
}

impl Cost {
    fn print(&self, label: &str) {
        println!(
            "{label:<28} {:>9} rows in {:>7.2?}: {:>8} rows/s; per row {:.1} µs of database CPU, {:.1} µs of program CPU, \
             {} bytes of write-ahead log",
            self.rows,
            self.time,
            per_second(self.rows, self.time),
            per_row(self.database, self.rows),
            per_row(self.program, self.rows),
            self.written_ahead / self.rows.max(1),
        );
    }
}

fn per_second(rows: i64, time: Duration) -> u128 {
    u128::from(rows.unsigned_abs()) * 1_000_000 / time.as_micros().max(1)
}

#[expect(clippy::float_arithmetic, reason = "a printed measurement")]
fn per_row(time: Duration, rows: i64) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(i32::try_from(rows.max(1)).unwrap_or(i32::MAX))
}

pub(crate) async fn run(url: &str, arguments: &WriteArgs) -> anyhow::Result<()> {
    let database = Database::connect(url, 4).await?;
    database.migrate().await?;
    let mut connection = PgConnection::connect(url).await?;
    let tenant = fill::connect(&database, &arguments.store).await?;
    let directory = std::env::temp_dir().join(format!("xboard-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let outcome = measure(&database, &mut connection, tenant, &directory, arguments).await;
    std::fs::remove_dir_all(&directory)?;
    outcome?;
    database.close().await;
    Ok(())
}

async fn measure(
    database: &Database,
    connection: &mut PgConnection,
    tenant: TenantId,
    directory: &Path,
    arguments: &WriteArgs,
) -> anyhow::Result<()> {
    let files = Files::write(&arguments.store.store()?, directory)?;
    let address = serve(directory).await?;
    let shop = Shopify::new(
        ShopifyConfig {
            base_url: Some(address.clone()),
            ..ShopifyConfig::default()
        },
        Clock::System,
    )?
    .shop(
        ShopDomain::parse(&format!("{}.myshopify.com", arguments.store.shop))?,
        TokenProvider::fixed(SecretString::from("none")),
    );
    let backfill = Backfill {
        database,
        tenant,
        shop,
        address,
        arguments,
    };
    println!(
        "{} orders, {} lines, {} MB",
        arguments.store.orders,
        files.lines,
        files.bytes / 1_000_000
    );
    for kind in [ObjectKind::Customers, ObjectKind::Products] {
        backfill.load(kind).await?;
    }
    usage::forget_peak_memory();
    let watch = Watch::start(connection).await?;
    backfill.load(ObjectKind::Orders).await?;
    let peak = usage::peak_memory();
    let rows = count_rows(connection, tenant, &LEDGER).await?;
    let backfilled = watch.stop(connection, rows).await?;
    backfilled.print("backfill");
    println!("peak memory of the program: {peak} MiB");

    let watch = Watch::start(connection).await?;
    backfill.load(ObjectKind::Orders).await?;
    watch
        .stop(connection, rows)
        .await?
        .print("again, unchanged");
    let began = Instant::now();
    let mut transaction = database.work(tenant).await?;
    transaction.rebuild_figures().await?;
    transaction.commit().await?;
    println!(
        "rollups rebuilt from the ledger, as after a change of the time zone, in {:.2?}",
        began.elapsed()
    );
    if !arguments.no_baseline {
        execute(
            connection,
            "drop schema if exists baseline cascade; create schema baseline; checkpoint",
        )
        .await?;
        let ledger = baseline(connection, tenant, directory, &LEDGER).await?;
        ledger.print("COPY BINARY, same indexes");
        let rollups = baseline(connection, tenant, directory, &ROLLUPS).await?;
        rollups.print("COPY BINARY of the rollups");
        execute(connection, "drop schema baseline cascade").await?;
        let percent = |time: Duration| time.as_micros() * 100 / backfilled.time.as_micros().max(1);
        println!(
            "backfill / COPY BINARY: {} % of the rows per second of all its tables, {} % of those of orders and ledger alone",
            percent(ledger.time + rollups.time),
            percent(ledger.time)
        );
    }
    Ok(())
}

/// The backfill of a shop.
struct Backfill<'a> {
    database: &'a Database,
    tenant: TenantId,
    shop: Shop,
    address: String,
    arguments: &'a WriteArgs,
}

impl Backfill<'_> {
    /// Does all that a backfill of one kind does once Shopify has made the file.
    async fn load(&self, kind: ObjectKind) -> anyhow::Result<()> {
        let mut staging = self.database.staging(self.tenant, kind).await?;
        let began = Instant::now();
        let download = self
            .shop
            .download(&format!("{}/{}", self.address, kind.code()))?;
        stage_file(download, &mut staging).await?;
        let staged = Instant::now();
        let mut transaction = staging.transaction().await?;
        if kind == ObjectKind::Orders {
            transaction.defer_rollups().await?;
        }
        transaction.commit().await?;
        let fetched_at = self.arguments.store.fetched_at();
        while let Some((transaction, _)) = staging
            .upsert_next(self.arguments.chunk, fetched_at)
            .await?
        {
            transaction.commit().await?;
        }
        let upserted = Instant::now();
        let mut transaction = staging.transaction().await?;
        transaction.build_pending_rollups().await?;
        transaction.commit().await?;
        println!(
            "  {}: staged in {:.2?}, upserted in {:.2?}, rollups in {:.2?}",
            kind.code(),
            staged - began,
            upserted - staged,
            upserted.elapsed()
        );
        staging.close().await;
        Ok(())
    }
}

/// Counters at the start of a measured stretch of work.
struct Watch {
    postmaster: Postmaster,
    began: Instant,
    database: Duration,
    program: Duration,
    position: i64,
}

impl Watch {
    async fn start(connection: &mut PgConnection) -> anyhow::Result<Self> {
        let postmaster = Postmaster::of(connection).await?;
        let position = position(connection).await?;
        Ok(Self {
            postmaster,
            database: postmaster.cpu(),
            program: usage::own_cpu(),
            position,
            began: Instant::now(),
        })
    }

    async fn stop(self, connection: &mut PgConnection, rows: i64) -> anyhow::Result<Cost> {
        Ok(Cost {
            rows,
            time: self.began.elapsed(),
            database: self.postmaster.cpu().saturating_sub(self.database),
            program: usage::own_cpu().saturating_sub(self.program),
            written_ahead: position(connection).await? - self.position,
        })
    }
}

/// The position of the write-ahead log.
async fn position(connection: &mut PgConnection) -> anyhow::Result<i64> {
    Ok(
        sqlx::query_scalar("select (pg_current_wal_insert_lsn() - '0/0')::bigint")
            .fetch_one(connection)
            .await?,
    )
}

async fn count_rows(
    connection: &mut PgConnection,
    tenant: TenantId,
    tables: &[Table],
) -> anyhow::Result<i64> {
    let mut rows = 0;
    for (table, _) in tables {
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "select count(*) from {table} where tenant_id = $1"
        )))
        .bind(tenant.uuid())
        .fetch_one(&mut *connection)
        .await?;
        rows += count;
    }
    Ok(rows)
}

/// Copies the stored rows by COPY BINARY into empty tables of the same shape.
async fn baseline(
    connection: &mut PgConnection,
    tenant: TenantId,
    directory: &Path,
    tables: &[Table],
) -> anyhow::Result<Cost> {
    let rows = count_rows(connection, tenant, tables).await?;
    for (table, columns) in tables {
        let create = format!("create table baseline.{table} (like public.{table} including all)");
        execute(connection, &create).await?;
        let path = directory.join(table);
        save(connection, table, columns, &path).await?;
    }
    let watch = Watch::start(connection).await?;
    for (table, columns) in tables {
        let mut file = tokio::fs::File::open(directory.join(table)).await?;
        let statement = format!("copy baseline.{table} ({columns}) from stdin (format binary)");
        let mut copy = connection.copy_in_raw(&statement).await?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let length = file.read(&mut buffer).await?;
            if length == 0 {
                break;
            }
            copy.send(buffer.get(..length).unwrap_or_default()).await?;
        }
        copy.finish().await?;
    }
    watch.stop(connection, rows).await
}

/// Saves the rows of a table in the format of COPY BINARY.
async fn save(
    connection: &mut PgConnection,
    table: &str,
    columns: &str,
    path: &Path,
) -> anyhow::Result<()> {
    let statement = format!("copy (select {columns} from {table}) to stdout (format binary)");
    let mut rows = connection.copy_out_raw(&statement).await?;
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    while let Some(part) = rows.next().await {
        file.write_all(&part?)?;
    }
    file.flush()?;
    Ok(())
}

async fn execute(connection: &mut PgConnection, sql: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await?;
    Ok(())
}

/// The files of a shop's bulk operations.
struct Files {
    lines: u64,
    bytes: u64,
}

impl Files {
    fn write(store: &Store, directory: &Path) -> anyhow::Result<Self> {
        let mut files = Self { lines: 0, bytes: 0 };
        let customers = (0..store.customers()).map(|number| vec![store.customer(number)]);
        files.add(directory, ObjectKind::Customers, customers)?;
        let products = (0..store.products()).map(|number| store.product(number).to_vec());
        files.add(directory, ObjectKind::Products, products)?;
        // As in Shopify's files, children may stand far from their parents: here a thousand orders at a time, sales first.
        let pages = (0..store.orders()).step_by(1_000).map(|first| {
            let last = (first + 1_000).min(store.orders());
            let mut page: Vec<Record> = (first..last)
                .flat_map(|number| store.order(number))
                .collect();
            page.sort_by_key(level);
            page
        });
        files.add(directory, ObjectKind::Orders, pages)?;
        Ok(files)
    }

    fn add(
        &mut self,
        directory: &Path,
        kind: ObjectKind,
        parts: impl Iterator<Item = Vec<Record>>,
    ) -> anyhow::Result<()> {
        let path = directory.join(kind.code());
        let mut file = BufWriter::new(std::fs::File::create(&path)?);
        for part in parts {
            for record in &part {
                write_line(&mut file, record)?;
            }
            self.lines += u64::try_from(part.len())?;
        }
        file.flush()?;
        self.bytes += std::fs::metadata(&path)?.len();
        Ok(())
    }
}

fn level(record: &Record) -> u8 {
    match record {
        Record::Sale(_) => 0,
        Record::LineItem(_) => 1,
        Record::Agreement(_) => 2,
        _ => 3,
    }
}

/// Serves each file under the name of its kind.
async fn serve(directory: &Path) -> anyhow::Result<String> {
    let directory: Arc<PathBuf> = Arc::new(directory.to_owned());
    let router = Router::new().route(
        "/{kind}",
        get(
            move |axum::extract::Path(kind): axum::extract::Path<String>| async move {
                tokio::fs::File::open(directory.join(kind))
                    .await
                    .map(|file| Body::from_stream(ReaderStream::with_capacity(file, 512 << 10)))
                    .map_err(|_| StatusCode::NOT_FOUND)
            },
        ),
    );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr().context("the file server")?;
    // The task ends with the program.
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}

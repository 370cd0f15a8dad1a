//! `tenants`: many small shops in one process: the time of the first figures of each after a start, and the memory
//! of the process.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use uuid::Uuid;
use xboard::db::Database;
use xboard::domain::shop::ShopDomain;

use crate::fill::{self, FillArgs};
use crate::page::Operation;
use crate::subject::{ResponseCache, Server, Subject, ask, client};
use crate::usage;

/// Concurrent requests before the measurement: as many as the program has connections.
const AT_ONCE: usize = 20;

/// The shops to fill.
#[derive(Clone, Debug, Args)]
pub(crate) struct TenantsArgs {
    /// The number of shops.
    #[arg(long, default_value_t = 200)]
    tenants: usize,
    /// The number of orders of each.
    #[arg(long, default_value_t = 2_000)]
    orders: i64,
}

pub(crate) async fn run(url: &str, arguments: &TenantsArgs) -> anyhow::Result<()> {
    let database = Database::connect(url, 4).await?;
    database.migrate().await?;
    let mut connection = PgConnection::connect(url).await?;
    let first = FillArgs::of(arguments.orders, "tenants-0");
    let pattern = fill::fill(&database, &first).await?;
    let began = Instant::now();
    let mut subjects = vec![Subject::of(&database, first, pattern).await?];
    for number in 1..arguments.tenants {
        let label = format!("tenants-{number}");
        let tenant = copy(&mut connection, pattern.uuid(), &label).await?;
        let mut system = database.system().await?;
        let domain = ShopDomain::parse(&format!("{label}.myshopify.com"))?;
        let tenant_id = system
            .find_tenant(&domain)
            .await?
            .context("the copy is not there")?;
        anyhow::ensure!(tenant_id.uuid() == tenant);
        drop(system);
        let arguments = FillArgs::of(arguments.orders, &label);
        subjects.push(Subject::of(&database, arguments, tenant_id).await?);
    }
    println!("{} shops copied in {:.1?}", subjects.len(), began.elapsed());
    // As after some time of operation: reads do not write hint bits and dirty pages of the copy.
    for settle in ["vacuum analyze", "checkpoint"] {
        sqlx::query(settle).execute(&mut connection).await?;
    }
    measure(url, &subjects).await?;
    database.close().await;
    Ok(())
}

async fn measure(url: &str, subjects: &[Subject]) -> anyhow::Result<()> {
    let server = Server::start(url, ResponseCache::On).await?;
    let client = client()?;
    // Opening connections and planning statements is not a cost of the single shop.
    let (others, subjects) = subjects.split_at(subjects.len() / 10);
    let asked = others.iter().map(|subject| {
        let (client, address) = (&client, &server.address);
        async move { ask(client, address, subject, Operation::Figures).await }
    });
    futures_util::stream::iter(asked)
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    let before = usage::memory_of(server.process);
    for round in ["first", "second"] {
        let mut times = Vec::new();
        for subject in subjects {
            let began = Instant::now();
            ask(&client, &server.address, subject, Operation::Figures).await?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let at = |percent: usize| -> Duration {
            let place = times.len().saturating_sub(1) * percent / 100;
            times.get(place).copied().unwrap_or_default()
        };
        println!(
            "{round} figures of each: p50 {:.2?}, p95 {:.2?}, p99 {:.2?}; the process uses {} MiB, {} MiB before",
            at(50),
            at(95),
            at(99),
            usage::memory_of(server.process),
            before,
        );
    }
    server.stop().await
}

/// Copies a shop with all of its rows.
async fn copy(connection: &mut PgConnection, pattern: Uuid, label: &str) -> anyhow::Result<Uuid> {
    let tables: Vec<(String, Vec<String>)> = sqlx::query_as(
        "select c.relname::text, array_agg(a.attname::text order by a.attnum) from pg_class c \
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' \
         where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace \
           and c.relname not in ('jobs', 'sessions', 'refresh_tokens') \
           and exists (select from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id') \
         group by c.relname",
    )
    .fetch_all(&mut *connection)
    .await?;
    let tenant = Uuid::now_v7();
    let mut transaction = connection.begin().await?;
    sqlx::query("set local session_replication_role = replica")
        .execute(&mut *transaction)
        .await?;
    let copied = sqlx::query(
        "insert into tenants (id, shop_domain, shop_gid, shop_name, status, next_sync_at, created_at) \
         select $1, $3, $4, shop_name, status, next_sync_at, created_at from tenants where id = $2",
    )
    .bind(tenant)
    .bind(pattern)
    .bind(format!("{label}.myshopify.com"))
    .bind(format!("gid://shopify/Shop/{label}"))
    .execute(&mut *transaction)
    .await?;
    anyhow::ensure!(copied.rows_affected() == 1, "there is nothing to copy");
    for (table, columns) in tables {
        let values: Vec<_> = columns
            .iter()
            .map(|column| if column == "tenant_id" { "$1" } else { column })
            .collect();
        let statement = format!(
            "insert into {table} ({}) select {} from {table} where tenant_id = $2",
            columns.join(", "),
            values.join(", ")
        );
        sqlx::query(AssertSqlSafe(statement))
            .bind(tenant)
            .bind(pattern)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(tenant)
}

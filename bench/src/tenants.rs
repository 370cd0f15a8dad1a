//! `tenants`: many small stores on one process: how long the first dashboard of each takes, and how much memory
//! the process needs for all of them.

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
use crate::subject::{Server, Subject, ask, client};
use crate::usage;

/// So many stores are asked at once before anything is measured: as many as the server has connections.
const AT_ONCE: usize = 20;

/// The stores to make.
#[derive(Clone, Debug, Args)]
pub(crate) struct TenantsArgs {
    /// How many stores.
    #[arg(long, default_value_t = 200)]
    tenants: usize,
    /// How many orders each has.
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
    println!(
        "{} stores copied in {:.1?}",
        subjects.len(),
        began.elapsed()
    );
    // As if they had been there for long: whoever reads them does not write out what copying them left.
    for settle in ["vacuum analyze", "checkpoint"] {
        sqlx::query(settle).execute(&mut connection).await?;
    }
    measure(url, &subjects).await?;
    database.close().await;
    Ok(())
}

async fn measure(url: &str, subjects: &[Subject]) -> anyhow::Result<()> {
    let server = Server::start(url).await?;
    let client = client()?;
    // Connections and the plans of their statements, which any store's question makes, are not the stores' own.
    let (others, subjects) = subjects.split_at(subjects.len() / 10);
    let asked = others.iter().map(|subject| {
        let (client, address) = (&client, &server.address);
        async move { ask(client, address, subject, 0).await }
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
            ask(&client, &server.address, subject, 0).await?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let at = |percent: usize| -> Duration {
            let place = times.len().saturating_sub(1) * percent / 100;
            times.get(place).copied().unwrap_or_default()
        };
        println!(
            "{round} dashboard of each: p50 {:.2?}, p95 {:.2?}, p99 {:.2?}; the process holds {} MiB, {} MiB before",
            at(50),
            at(95),
            at(99),
            usage::memory_of(server.process),
            before,
        );
    }
    server.stop().await
}

/// Copies a store with everything in it, as its own database would hold it.
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

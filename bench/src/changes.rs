//! `changes`: what it costs the database when one order of a store changes, however large the store is. Each
//! change is fetched alone, as if by a webhook of its own, and takes the way that what webhooks name takes.

use std::time::Instant;

use chrono::TimeDelta;
use clap::Args;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use xboard::db::Database;
use xboard::domain::sync::ObjectKind;

use crate::fill::{self, FillArgs};
use crate::usage::Postmaster;

/// What to change.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChangesArgs {
    #[command(flatten)]
    store: FillArgs,
    /// How many orders change, one after the other.
    #[arg(long, default_value_t = 1_000)]
    changes: i64,
}

pub(crate) async fn run(url: &str, arguments: &ChangesArgs) -> anyhow::Result<()> {
    let database = Database::connect(url, 4).await?;
    database.migrate().await?;
    let tenant = fill::fill(&database, &arguments.store).await?;
    let store = arguments.store.store()?;
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql("vacuum analyze")
        .execute(&mut connection)
        .await?;
    let backend = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut connection)
        .await?;
    let postmaster = Postmaster::of_backend(backend)?;
    let mut asked_at = arguments.store.asked_at();
    // The first few find nothing planned yet; a program that runs has them behind it.
    let warm = 50;
    let mut began = Instant::now();
    let mut before = postmaster.cpu();
    for change in 0..warm + arguments.changes {
        if change == warm {
            began = Instant::now();
            before = postmaster.cpu();
        }
        // Far from one another, so that no two meet in the same pages.
        let order = change * 7_919 % store.orders();
        asked_at += TimeDelta::seconds(1);
        let mut loader = database.loader(tenant).await?;
        loader.clear().await?;
        loader.stage(&store.order_at(order, change + 1)).await?;
        loader.finish_staging().await?;
        let mut transaction = loader.transaction().await?;
        let merged = transaction
            .merge_staged(ObjectKind::Orders, 0, i64::MAX, asked_at)
            .await?;
        transaction.commit().await?;
        anyhow::ensure!(merged.changed == 1, "order {order} did not change");
        loader.close().await;
    }
    let time = began.elapsed();
    let database_cpu = postmaster.cpu().saturating_sub(before);
    let count = u32::try_from(arguments.changes.max(1))?;
    println!(
        "{} orders: a change takes {:.2?} of database CPU, {:.2?} in all ({count} changes)",
        store.orders(),
        database_cpu / count,
        time / count,
    );
    let mut snapshot = database.tenant_snapshot(tenant).await?;
    let differences = snapshot.verify().await?;
    drop(snapshot);
    anyhow::ensure!(
        differences.is_empty(),
        "the figures differ from their recomputation: {differences:?}"
    );
    database.close().await;
    Ok(())
}

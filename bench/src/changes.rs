//! `changes`: what it costs the database when one order of a store changes or a new one comes in, however large the
//! store is. Each is merged alone, as if by a webhook of its own, the way that what webhooks name is merged.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use xboard::db::Database;
use xboard::domain::ids::TenantId;
use xboard::domain::record::Record;
use xboard::domain::sync::ObjectKind;

use crate::fill::{self, FillArgs};
use crate::usage::Postmaster;

/// What to change.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChangesArgs {
    #[command(flatten)]
    store: FillArgs,
    /// How many orders change, one after the other, and how many are new after that.
    #[arg(long, default_value_t = 1_000)]
    changes: i64,
}

pub(crate) async fn run(url: &str, arguments: &ChangesArgs) -> anyhow::Result<()> {
    let database = Database::connect(url, 4).await?;
    database.migrate().await?;
    let store = arguments.store.store()?;
    let count = WARM + arguments.changes;
    anyhow::ensure!(
        store.orders() > count,
        "more changes are asked for than there are orders"
    );
    let tenant = fill::fill_up_to(&database, &arguments.store, store.orders() - count).await?;
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql("vacuum analyze")
        .execute(&mut connection)
        .await?;
    let run = Changes {
        database: &database,
        postmaster: Postmaster::of(&mut connection).await?,
        tenant,
        fetched_at: arguments.store.fetched_at(),
        count: arguments.changes,
    };
    // Far from one another, so that no two meet in the same pages.
    let stored = store.orders() - count;
    run.measure("a changed order", |change| {
        store.order_at(change * 7_919 % stored, change + 1)
    })
    .await?;
    run.measure("a new order", |change| store.order(stored + change))
        .await?;
    fill::verify(&database, tenant).await?;
    database.close().await;
    Ok(())
}

/// The first few find nothing planned yet; a program that runs has them behind it.
const WARM: i64 = 50;

struct Changes<'a> {
    database: &'a Database,
    postmaster: Postmaster,
    tenant: TenantId,
    fetched_at: DateTime<Utc>,
    count: i64,
}

impl Changes<'_> {
    /// Merges orders, each alone.
    async fn measure(&self, what: &str, order: impl Fn(i64) -> Vec<Record>) -> anyhow::Result<()> {
        let mut began = Instant::now();
        let mut before = self.postmaster.cpu();
        for change in 0..WARM + self.count {
            if change == WARM {
                began = Instant::now();
                before = self.postmaster.cpu();
            }
            let fetched_at = self.fetched_at + TimeDelta::seconds(change);
            let (transaction, upserted) = self
                .database
                .upsert(self.tenant, ObjectKind::Orders, order(change), fetched_at)
                .await?;
            transaction.commit().await?;
            anyhow::ensure!(
                upserted.changed == 1,
                "nothing changed with change {change}"
            );
        }
        let time = began.elapsed();
        let database = self.postmaster.cpu().saturating_sub(before);
        let count = u32::try_from(self.count.max(1))?;
        println!(
            "{what}: {:.2?} of database CPU, {:.2?} in all ({count} of them)",
            database / count,
            time / count,
        );
        Ok(())
    }
}

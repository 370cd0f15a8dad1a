//! `beside`: the figures of one shop during the initial backfill of another, on the same machine and database. The
//! response cache is off, and requests follow each other at an even pace.

use std::time::{Duration, Instant};

use clap::Args;
use xboard::db::Database;

use crate::fill::{self, FillArgs};
use crate::page::Operation;
use crate::subject::{ResponseCache, Server, Subject, ask, client};

/// Requests before the measurement, after which the connections have their plans.
const WARM: u64 = 100;

/// The two shops.
#[derive(Clone, Debug, Args)]
pub(crate) struct BesideArgs {
    /// The number of orders of the requested shop.
    #[arg(long, default_value_t = 10_000)]
    orders: i64,
    /// The number of orders of the backfill.
    #[arg(long, default_value_t = 200_000)]
    load: i64,
    /// The pause between two requests.
    #[arg(long, default_value_t = 20, value_name = "MILLISECONDS")]
    pause: u64,
}

pub(crate) async fn run(url: &str, arguments: &BesideArgs) -> anyhow::Result<()> {
    let database = Database::connect(url, 4).await?;
    database.migrate().await?;
    let asked = FillArgs::of(arguments.orders, "beside-asked");
    let tenant = fill::fill(&database, &asked).await?;
    let subject = Subject::of(&database, asked, tenant).await?;
    let server = Server::start(url, ResponseCache::Off).await?;
    let asking = Asking {
        client: client()?,
        server: &server,
        subject: &subject,
        pause: Duration::from_millis(arguments.pause),
    };
    for _ in 0..WARM {
        asking.once().await?;
    }
    let mut alone = Vec::new();
    for _ in 0..300 {
        alone.push(asking.once().await?);
        tokio::time::sleep(asking.pause).await;
    }
    let loading = FillArgs::of(arguments.load, "beside-loading");
    let filler = database.clone();
    let load = tokio::spawn(async move { fill::fill(&filler, &loading).await });
    let mut beside = Vec::new();
    while !load.is_finished() {
        beside.push(asking.once().await?);
        tokio::time::sleep(asking.pause).await;
    }
    load.await??;
    server.stop().await?;
    println!("| figures, response cache off | p50 | p95 | p99 | of |");
    println!("|---|---|---|---|---|");
    for (what, times) in [
        ("alone", &mut alone),
        ("during an initial backfill", &mut beside),
    ] {
        times.sort_unstable();
        let at = |percent: usize| {
            let place = times.len().saturating_sub(1) * percent / 100;
            times.get(place).copied().unwrap_or_default()
        };
        println!(
            "| {what} | {:.2?} | {:.2?} | {:.2?} | {} |",
            at(50),
            at(95),
            at(99),
            times.len()
        );
    }
    database.close().await;
    Ok(())
}

struct Asking<'a> {
    client: reqwest::Client,
    server: &'a Server,
    subject: &'a Subject,
    pause: Duration,
}

impl Asking<'_> {
    /// The time of one request.
    async fn once(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        ask(
            &self.client,
            &self.server.address,
            self.subject,
            Operation::Figures,
        )
        .await?;
        Ok(began.elapsed())
    }
}

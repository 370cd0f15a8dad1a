//! `sync`: syncs a shop now and shows the progress. If the command is stopped, a worker continues the run.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::database::RunningDatabase;
use super::progress::SyncBars;
use super::runtime;
use super::serve::shutdown_on_signal;
use super::verify::stores;
use crate::app::{App, AppConfig};
use crate::config::Settings;
use crate::db::Database;
use crate::db::sync_runs::{SyncProgress, SyncRun};
use crate::domain::ids::{SyncRunId, TenantId};
use crate::domain::sync::{SyncMode, SyncStatus, SyncTrigger};
use crate::sync::worker;

/// The arguments of `sync`.
#[derive(Debug, Clone, Args)]
pub(super) struct SyncArgs {
    /// The shop's domain, such as my-store.myshopify.com
    #[arg(long, value_name = "DOMAIN")]
    shop: String,
    /// Fetch everything again, not only changes
    #[arg(long)]
    full: bool,
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(super) fn sync(settings: &Settings, args: &SyncArgs) -> anyhow::Result<ExitCode> {
    let mut config = settings.resolve()?;
    // The running server schedules the other shops.
    config.sync_interval = None;
    let running = RunningDatabase::join(&config.database)?;
    let config = AppConfig::new(config, running.url());
    let (run, progress) = runtime()?.block_on(async {
        let app = App::build(config).await?;
        let shutdown = shutdown_on_signal()?;
        let ended = request_and_watch(&app, args, shutdown).await?;
        app.database().close().await;
        anyhow::Ok(ended)
    })?;
    running.stop()?;
    match run.status {
        SyncStatus::Succeeded => {
            println!("{} is synced", args.shop);
            for kind in progress
                .iter()
                .filter(|kind| !kind.skipped_objects.is_empty())
            {
                let ids: Vec<_> = kind.skipped_objects.iter().map(i64::to_string).collect();
                println!(
                    "skipped {}: {}",
                    kind.kind.code().to_lowercase(),
                    ids.join(", ")
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        status => {
            let why = run.error.unwrap_or_else(|| {
                "the command was stopped; a worker continues the run".to_owned()
            });
            anyhow::bail!("the sync is {}: {why}", status.code())
        }
    }
}

async fn request_and_watch(
    app: &App,
    args: &SyncArgs,
    shutdown: CancellationToken,
) -> anyhow::Result<(SyncRun, Vec<SyncProgress>)> {
    let (tenant, _) = stores(app.database(), Some(&args.shop))
        .await?
        .into_iter()
        .next()
        .context("no such shop")?;
    let mode = if args.full {
        SyncMode::Full
    } else {
        SyncMode::Incremental
    };
    let mut transaction = app.database().tenant(tenant).await?;
    let run = app
        .sync()
        .request_sync(&mut transaction, mode, SyncTrigger::Manual)
        .await?;
    transaction.commit().await?;
    let tasks = TaskTracker::new();
    let stop_worker = shutdown.child_token();
    tasks.spawn(worker::run(app.sync().clone(), stop_worker.clone()));
    let ended = watch(app.database(), tenant, run.id, &shutdown).await;
    stop_worker.cancel();
    tasks.close();
    tasks.wait().await;
    ended
}

/// Shows the progress of a run until it has ended or `shutdown` is cancelled. Returns its last state.
pub(super) async fn watch(
    database: &Database,
    tenant: TenantId,
    run: SyncRunId,
    shutdown: &CancellationToken,
) -> anyhow::Result<(SyncRun, Vec<SyncProgress>)> {
    let mut bars = SyncBars::new();
    loop {
        let mut snapshot = database.tenant_snapshot(tenant).await?;
        let current = snapshot
            .sync_runs_by_id(&[run])
            .await?
            .into_iter()
            .next()
            .context("the sync run does not exist")?;
        let progress = snapshot.sync_progress(&[run]).await?;
        bars.show(&progress);
        drop(snapshot);
        let ended = !matches!(current.status, SyncStatus::Queued | SyncStatus::Running);
        if ended || shutdown.is_cancelled() {
            bars.finish();
            return Ok((current, progress));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

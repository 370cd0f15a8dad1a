//! `serve`: runs the API and the worker in one process, until a signal.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::database::RunningDatabase;
use super::runtime;
use crate::app::{App, AppConfig};
use crate::config::Settings;
use crate::sync::worker;

/// The arguments of `serve`.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ServeArgs {
    /// Serve the API only. Run `xboard worker` elsewhere to process sync jobs
    #[arg(long)]
    no_worker: bool,
}

pub(super) fn serve(settings: &Settings, args: ServeArgs) -> anyhow::Result<ExitCode> {
    let config = settings.resolve()?;
    let running = RunningDatabase::start(&config.database)?;
    let listen = config.listen;
    let config = AppConfig::new(config, running.url());
    runtime()?.block_on(async {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        let app = App::build(config).await?;
        let shutdown = shutdown_on_signal()?;
        let tasks = TaskTracker::new();
        if !args.no_worker {
            tasks.spawn(worker::run(app.sync().clone(), shutdown.clone()));
        }
        let served = app.serve(listener, shutdown.clone()).await;
        shutdown.cancel();
        tasks.close();
        tasks.wait().await;
        app.database().close().await;
        served
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}

/// A token that the first SIGINT or SIGTERM cancels. The second one ends the program immediately.
pub(super) fn shutdown_on_signal() -> anyhow::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = CancellationToken::new();
    let cancelled = token.clone();
    TaskTracker::new().spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        next().await;
        tracing::info!("stopping");
        cancelled.cancel();
        next().await;
        // Nothing is lost: acknowledged work is committed, and other work is retried.
        std::process::exit(130);
    });
    Ok(token)
}

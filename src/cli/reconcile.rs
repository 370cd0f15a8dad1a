//! `reconcile`: queues the daily maintenance of shops now: webhook subscriptions are checked, and ids are compared.

use std::process::ExitCode;

use clap::Args;

use super::database::RunningDatabase;
use super::runtime;
use super::verify::stores;
use crate::app::{App, AppConfig};
use crate::config::Settings;

/// The arguments of `reconcile`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReconcileArgs {
    /// The shop's domain [default: every shop]
    #[arg(long, value_name = "DOMAIN")]
    shop: Option<String>,
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(super) fn reconcile(settings: &Settings, args: &ReconcileArgs) -> anyhow::Result<ExitCode> {
    let config = settings.resolve()?;
    let running = RunningDatabase::join(&config.database)?;
    let config = AppConfig::new(config, running.url());
    runtime()?.block_on(async {
        let app = App::build(config).await?;
        for (tenant, domain) in stores(app.database(), args.shop.as_deref()).await? {
            app.sync().queue_maintenance(tenant).await?;
            println!("{domain} will be reconciled");
        }
        app.database().close().await;
        anyhow::Ok(())
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}

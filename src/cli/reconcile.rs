//! `reconcile`: asks the workers to look after stores now instead of at the next daily turn: the webhooks are
//! repaired, and the ids of everything are compared.

use std::process::ExitCode;

use clap::Args;

use super::database::RunningDatabase;
use super::runtime;
use super::verify::stores;
use crate::app::{App, AppConfig};
use crate::config::Settings;

/// What `reconcile` takes besides the settings.
#[derive(Debug, Clone, Args)]
pub(super) struct ReconcileArgs {
    /// The store's domain [default: every store]
    #[arg(long, value_name = "DOMAIN")]
    shop: Option<String>,
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
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

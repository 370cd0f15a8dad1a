//! `worker`: runs jobs, in addition to the processes that serve.

use std::process::ExitCode;

use super::database::RunningDatabase;
use super::runtime;
use super::serve::shutdown_on_signal;
use crate::app::{App, AppConfig};
use crate::config::Settings;
use crate::sync;

pub(super) fn worker(settings: &Settings) -> anyhow::Result<ExitCode> {
    let config = settings.resolve()?;
    let running = RunningDatabase::join(&config.database)?;
    let config = AppConfig::new(config, running.url());
    runtime()?.block_on(async {
        let app = App::build(config).await?;
        sync::worker::run(app.sync().clone(), shutdown_on_signal()?).await;
        app.database().close().await;
        anyhow::Ok(())
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}

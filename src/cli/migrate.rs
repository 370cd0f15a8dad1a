//! `migrate`: applies the migrations and checks row security.

use std::process::ExitCode;

use super::{database, runtime};
use crate::config::Settings;

pub(super) fn migrate(settings: &Settings) -> anyhow::Result<ExitCode> {
    let running = database::join(settings)?;
    runtime()?.block_on(async {
        let database = running.open().await?;
        database.close().await;
        anyhow::Ok(())
    })?;
    tracing::info!("the database is up to date");
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}

//! `keys`: looking after the keys of `ENCRYPTION_KEY`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::database::RunningDatabase;
use super::runtime;
use crate::app::{App, AppConfig};
use crate::config::Settings;

/// What `keys` takes besides the settings.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    action: KeysAction,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum KeysAction {
    /// Encrypt everything anew with the first key of `ENCRYPTION_KEY`, while the program runs. May be
    /// interrupted and started again. Ends with 1 when something could not be read; without that, the other
    /// keys can be dropped
    Rotate,
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
pub(super) fn keys(settings: &Settings, args: KeysArgs) -> anyhow::Result<ExitCode> {
    let KeysAction::Rotate = args.action;
    let config = settings.resolve()?;
    let running = RunningDatabase::join(&config.database)?;
    let config = AppConfig::new(config, running.url());
    let rotation = runtime()?.block_on(async {
        let app = App::build(config).await?;
        let rotation = app.sync().rotate_keys().await?;
        app.database().close().await;
        anyhow::Ok(rotation)
    })?;
    running.stop()?;
    println!(
        "{} values of {} stores were encrypted anew; {} had the first key already",
        rotation.resealed, rotation.stores, rotation.current
    );
    for domain in &rotation.unreadable {
        println!("{domain}: not readable with any key of ENCRYPTION_KEY");
    }
    Ok(if rotation.unreadable.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

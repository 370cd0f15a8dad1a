//! `keys`: manages the keys of `ENCRYPTION_KEY`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::database::RunningDatabase;
use super::runtime;
use crate::app::{App, AppConfig};
use crate::config::Settings;

/// The arguments of `keys`.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    action: KeysAction,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum KeysAction {
    /// Encrypt all credentials again with the first key of `ENCRYPTION_KEY`, while the program
    /// runs. Safe to interrupt and repeat. Exits with 1 if a value could not be decrypted;
    /// otherwise, the other keys can be removed
    Rotate,
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
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
        "{} values of {} shops were encrypted again; {} already used the first key",
        rotation.reencrypted, rotation.stores, rotation.current
    );
    for domain in &rotation.unreadable {
        println!("{domain}: cannot be decrypted with any key of ENCRYPTION_KEY");
    }
    Ok(if rotation.unreadable.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

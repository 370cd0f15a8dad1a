//! `jobs`: lists the job queue and retries dead letters. The workers run the jobs.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{database, runtime};
use crate::config::Settings;
use crate::domain::clock::Clock;

/// The arguments of `jobs`.
#[derive(Debug, Clone, Args)]
pub(super) struct JobsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// List the jobs, dead letters first
    List {
        /// List dead letters only
        #[arg(long)]
        dead: bool,
    },
    /// Retry dead letters
    Retry {
        /// The job's id [default: all dead letters]
        id: Option<i64>,
    },
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(super) fn jobs(settings: &Settings, args: &JobsArgs) -> anyhow::Result<ExitCode> {
    let running = database::join(settings)?;
    runtime()?.block_on(async {
        let database = running.open().await?;
        let now = Clock::System.now();
        let mut system = database.system().await?;
        match args.action {
            Action::List { dead } => {
                for job in system.list_jobs(dead, now).await? {
                    println!(
                        "{}\t{}\t{}\t{}\tattempts {}\tdue {}\t{}",
                        job.id,
                        job.state,
                        job.kind,
                        job.shop.as_deref().unwrap_or("-"),
                        job.attempts,
                        job.run_at.format("%Y-%m-%dT%H:%M:%SZ"),
                        job.last_error.as_deref().unwrap_or_default(),
                    );
                }
                // `close` waits for every connection.
                drop(system);
            }
            Action::Retry { id } => {
                let retried = system.retry_dead_jobs(id, now).await?;
                system.commit().await?;
                println!("{retried} jobs will be retried");
            }
        }
        database.close().await;
        anyhow::Ok(())
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}

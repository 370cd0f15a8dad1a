//! `jobs`: what is waiting, what is being worked on and what was set aside, for the operator. Nothing is
//! carried out here: the workers do.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{database, runtime};
use crate::config::Settings;
use crate::domain::clock::Clock;

/// What `jobs` takes besides the settings.
#[derive(Debug, Clone, Args)]
pub(super) struct JobsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// List the jobs, those set aside after too many failures first
    List {
        /// Only those that were set aside
        #[arg(long)]
        dead: bool,
    },
    /// Let jobs that were set aside be tried again
    Retry {
        /// The job's number [default: all of them]
        id: Option<i64>,
    },
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
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
                // Closing waits for every connection.
                drop(system);
            }
            Action::Retry { id } => {
                let revived = system.retry_dead_jobs(id, now).await?;
                system.commit().await?;
                println!("{revived} to be tried again");
            }
        }
        database.close().await;
        anyhow::Ok(())
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}

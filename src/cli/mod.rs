//! What `xboard` can be told to do: a file a command. Each takes the settings, does its work and ends.

mod database;
#[cfg(feature = "demo")]
pub mod demo;
mod erase;
mod jobs;
mod keys;
mod migrate;
mod progress;
mod reconcile;
mod schema;
mod serve;
mod sync;
mod user;
mod verify;
pub mod with_db;
mod worker;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::{Settings, load_dot_env};
use crate::telemetry;

/// A gateway between Shopify stores and the dashboards of their owners: connects stores, keeps their
/// customers, products and orders current, and answers analytics through one GraphQL schema.
///
/// Without `DATABASE_URL` a private PostgreSQL is started in the data directory.
#[derive(Debug, Parser)]
#[command(name = "xboard", version)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and work on syncs, until told to stop
    Serve(serve::ServeArgs),
    /// Run jobs without serving the API
    Worker,
    /// Bring the database up to date
    Migrate,
    /// Sync a shop now, with a progress bar
    Sync(sync::SyncArgs),
    /// Work every figure out anew from the ledger and report where what is kept differs
    Verify(verify::VerifyArgs),
    /// Compare the ids of all objects with Shopify now, instead of once a day
    Reconcile(reconcile::ReconcileArgs),
    /// List the jobs, or retry dead letters
    Jobs(jobs::JobsArgs),
    /// Look after the people who can sign in: list them, let one set a new password, change a role
    User(user::UserArgs),
    /// Delete all data of a disconnected shop
    Erase(erase::EraseArgs),
    /// Look after the keys that the stores' credentials are encrypted with
    Keys(keys::KeysArgs),
    /// Print the GraphQL schema in its own language
    Schema,
    /// Connect a simulated store, sync it, and show its numbers
    #[cfg(feature = "demo")]
    Demo(demo::DemoArgs),
    /// Run a command with an empty PostgreSQL of its own, named by `DATABASE_URL`
    WithDb {
        /// The command and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
}

/// Reads the command line and carries it out. To be called from the main thread: a private PostgreSQL ends
/// with the thread that started it.
#[expect(
    clippy::print_stderr,
    reason = "the last word to the person at the terminal"
)]
pub fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xboard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    load_dot_env()?;
    let cli = Cli::parse();
    let quiet = cli.command.is_quiet().then_some("warn,sqlx=error");
    telemetry::init(
        cli.settings.rust_log.as_deref().or(quiet),
        cli.settings.log_format,
    )?;
    match cli.command {
        Command::Serve(args) => serve::serve(&cli.settings, args),
        Command::Worker => worker::worker(&cli.settings),
        Command::Migrate => migrate::migrate(&cli.settings),
        Command::Sync(args) => sync::sync(&cli.settings, &args),
        Command::Verify(args) => verify::verify(&cli.settings, &args),
        Command::Reconcile(args) => reconcile::reconcile(&cli.settings, &args),
        Command::Jobs(args) => jobs::jobs(&cli.settings, &args),
        Command::User(args) => user::user(&cli.settings, &args),
        Command::Erase(args) => erase::erase(&cli.settings, &args),
        Command::Keys(args) => keys::keys(&cli.settings, args),
        Command::Schema => schema::schema(),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::demo(cli.settings, &args),
        Command::WithDb { command } => with_db::with_db(cli.settings.postgres_bin(), &command),
    }
}

impl Command {
    /// Whether the command talks to a person, whom the log would interrupt.
    const fn is_quiet(&self) -> bool {
        match self {
            Self::Serve(_) | Self::Worker | Self::Migrate => false,
            Self::Sync(_)
            | Self::Verify(_)
            | Self::Reconcile(_)
            | Self::Jobs(_)
            | Self::User(_)
            | Self::Erase(_)
            | Self::Keys(_)
            | Self::Schema
            | Self::WithDb { .. } => true,
            #[cfg(feature = "demo")]
            Self::Demo(_) => true,
        }
    }
}

/// The runtime that commands work in.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime could not be started")
}

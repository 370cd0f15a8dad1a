//! The commands of `xboard`, one file for each. A command takes the settings, does its work and
//! ends.

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

/// A GraphQL gateway for Shopify analytics. It connects shops, keeps their customers, products and
/// orders in sync, and serves figures through one GraphQL schema.
///
/// Without `DATABASE_URL`, a private PostgreSQL server is started in the data directory.
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
    /// Serve the API and process sync jobs, until a signal
    Serve(serve::ServeArgs),
    /// Run jobs without serving the API
    Worker,
    /// Migrate the database to the current version
    Migrate,
    /// Sync a shop now, with a progress bar
    Sync(sync::SyncArgs),
    /// Recompute all figures from the ledger and report differences
    Verify(verify::VerifyArgs),
    /// Compare the ids of all objects with Shopify now, instead of once a day
    Reconcile(reconcile::ReconcileArgs),
    /// List the jobs, or retry dead letters
    Jobs(jobs::JobsArgs),
    /// Manage users: list them, reset a password, change a role
    User(user::UserArgs),
    /// Delete all data of a disconnected shop
    Erase(erase::EraseArgs),
    /// Manage the keys that encrypt shops' credentials
    Keys(keys::KeysArgs),
    /// Print the GraphQL schema in SDL
    Schema,
    /// Connect a simulated shop, sync it and show its figures
    #[cfg(feature = "demo")]
    Demo(demo::DemoArgs),
    /// Run a command with a temporary, empty PostgreSQL server in `DATABASE_URL`
    WithDb {
        /// The command and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
}

/// Parses the command line and runs the command. Call it from the main thread: a private PostgreSQL
/// server ends with the thread that started it.
#[expect(
    clippy::print_stderr,
    reason = "the final message to the user of the terminal"
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
    /// Whether the command is interactive, so that log output would interfere.
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

/// The runtime for commands.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

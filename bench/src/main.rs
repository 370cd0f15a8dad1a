//! Measures XBoard: fills shops of any size and times how they are written and read. Each subcommand is a file.
//! The database is a temporary PostgreSQL with fsync on, or the one of `DATABASE_URL`.
#![expect(clippy::print_stdout, reason = "the report goes to standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "the benchmark runs statements that the program does not have"
)]

mod beside;
mod changes;
mod database;
mod fill;
mod jsonl;
mod page;
mod read;
mod store;
mod subject;
mod target;
mod tenants;
mod usage;
mod webhooks;
mod write;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// As the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures XBoard.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    /// The database to write to; a temporary PostgreSQL if not set
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    database_url: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures the figures of one shop during the initial backfill of another
    Beside(beside::BesideArgs),
    /// Fills a shop through the program's own upsert
    Fill(fill::FillArgs),
    /// Times single changes of orders in a shop of any size
    Changes(changes::ChangesArgs),
    /// Measures the page's operations for shops of several sizes
    Read(read::ReadArgs),
    /// Measures many small shops in one process
    Tenants(tenants::TenantsArgs),
    /// The program that the other commands measure
    #[command(hide = true)]
    Target(target::TargetArgs),
    /// Measures changes that arrive by webhook, alone and at once
    Webhooks(webhooks::WebhooksArgs),
    /// Times the initial backfill of a shop beside COPY BINARY of the same rows
    Write(write::WriteArgs),
}

fn main() -> anyhow::Result<ExitCode> {
    // As the program itself.
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true).ok();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    let options = Options::parse();
    // The temporary server stops with the thread that starts it, so the main thread starts it.
    let database = database::Server::start(options.database_url)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match options.command {
            Command::Beside(arguments) => beside::run(database.url(), &arguments).await,
            Command::Fill(arguments) => fill::run(database.url(), &arguments).await,
            Command::Changes(arguments) => changes::run(database.url(), &arguments).await,
            Command::Read(arguments) => read::run(&database, &arguments).await,
            Command::Tenants(arguments) => tenants::run(database.url(), &arguments).await,
            Command::Target(arguments) => target::run(database.url(), arguments).await,
            Command::Webhooks(arguments) => webhooks::run(database.url(), &arguments).await,
            Command::Write(arguments) => write::run(database.url(), &arguments).await,
        }
    })?;
    drop(runtime);
    database.stop()?;
    Ok(ExitCode::SUCCESS)
}

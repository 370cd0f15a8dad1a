//! Measures XBoard: makes stores of any size, and times how they are written and read. Each subcommand is a
//! file. They measure against a PostgreSQL of their own, or the one that `DATABASE_URL` names.
#![expect(
    clippy::print_stdout,
    reason = "what was measured is the answer of the program"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "it asks the database what no statement of the program asks"
)]

mod beside;
mod changes;
mod database;
mod fill;
mod jsonl;
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
    /// The database to work in; a temporary PostgreSQL of its own when left out. It is written to.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    database_url: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures the dashboards of one store while another one is loaded.
    Beside(beside::BesideArgs),
    /// Makes a store of so many orders in the database, through the program's own merge.
    Fill(fill::FillArgs),
    /// Times single changes of orders in a store of any size.
    Changes(changes::ChangesArgs),
    /// Measures what a dashboard costs, for stores of several sizes.
    Read(read::ReadArgs),
    /// Measures many small stores on one process.
    Tenants(tenants::TenantsArgs),
    /// The server that `read` measures.
    #[command(hide = true)]
    Target,
    /// Measures what a change costs that comes by webhook, from its delivery to its last trace.
    Webhooks(webhooks::WebhooksArgs),
    /// Times the backfill of a store beside COPY BINARY of the same rows.
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
    // The private server asks to end with the thread that starts it, so it is started from this one.
    let database = database::Server::start(options.database_url)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match options.command {
            Command::Beside(arguments) => beside::run(database.url(), &arguments).await,
            Command::Fill(arguments) => fill::run(database.url(), &arguments).await,
            Command::Changes(arguments) => changes::run(database.url(), &arguments).await,
            Command::Read(arguments) => read::run(database.url(), &arguments).await,
            Command::Tenants(arguments) => tenants::run(database.url(), &arguments).await,
            Command::Target => target::run(database.url()).await,
            Command::Webhooks(arguments) => webhooks::run(database.url(), &arguments).await,
            Command::Write(arguments) => write::run(database.url(), &arguments).await,
        }
    })?;
    drop(runtime);
    database.stop()?;
    Ok(ExitCode::SUCCESS)
}

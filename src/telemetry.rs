//! Logging. Log lines go to standard error, because standard output is for the output of commands.
//!
//! A log event has a constant message with its values in dotted fields. It never contains a token,
//! an email address, a postal address or a body.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

/// The default log filter.
const DEFAULT_FILTER: &str = "info";

/// The log filter is invalid.
#[derive(Debug, thiserror::Error)]
#[error("RUST_LOG must be directives such as info or warn,xboard=debug")]
pub struct TelemetryError(#[from] tracing_subscriber::filter::ParseError);

/// Starts logging. Further calls change nothing, so every test may call it.
pub fn init(filter: Option<&str>, format: LogFormat) -> Result<(), TelemetryError> {
    let filter = filter
        .filter(|filter| !filter.trim().is_empty())
        .unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            registry.with(lines.with_ansi(colours)).try_init()
        }
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    // The only possible error is that logging has already started.
    drop(started);
    Ok(())
}

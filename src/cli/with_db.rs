//! `with-db -- COMMAND`: runs a command with an empty, temporary PostgreSQL.
//!
//! The tests run under it, so that `./run test` needs no server and parallel runs do not interfere.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context as _;
use embedded_postgres::EmbeddedPostgres;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the command with the temporary server in `DATABASE_URL`; exits with the status of the command.
///
/// Call it from the main thread, outside of any runtime (see [`embedded_postgres`]).
pub fn with_db(postgres_bin: Option<&Path>, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let (program, arguments) = command.split_first().context("no command given")?;
    let server = EmbeddedPostgres::start_temporary(postgres_bin)?;
    let mut child = tokio::process::Command::new(program);
    child
        .args(arguments)
        .env("DATABASE_URL", server.connection_url());
    child.env("PATH", path_with(server.bin())?);
    // One thread is enough: it waits for the command, and for signals that would otherwise end this
    // program before it has cleaned up.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let status = runtime
        .block_on(run(child))
        .with_context(|| program.display().to_string())?;
    server.stop()?;
    Ok(exit_code(status))
}

/// Waits for the command. The terminal sends an interrupt to the command too, so this process only ignores it.
/// Other signals reach this process alone and are forwarded.
async fn run(mut command: tokio::process::Command) -> std::io::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut child = command.spawn()?;
    loop {
        let forwarded = tokio::select! {
            status = child.wait() => return status,
            Some(()) = interrupt.recv() => None,
            Some(()) = terminate.recv() => Some("-TERM"),
            Some(()) = hangup.recv() => Some("-HUP"),
        };
        if let Some((name, pid)) = forwarded.zip(child.id()) {
            // If the command has exited, its status arrives next.
            let sent = tokio::process::Command::new("kill")
                .args([name, &pid.to_string()])
                .status();
            drop(sent.await);
        }
    }
}

/// `PATH` with the directory of PostgreSQL's programs at its end, because `psql` is not always in `PATH`.
fn path_with(bin: &Path) -> anyhow::Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(OsStr::new(&path)).chain([bin.to_path_buf()]);
    Ok(std::env::join_paths(directories)?)
}

/// The command's exit code, or 128 + signal as in a shell.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

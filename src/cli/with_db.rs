//! `with-db -- COMMAND`: runs a command with an empty PostgreSQL of its own, which is gone afterwards.
//!
//! The tests run under it, so that `./run test` needs no server and no two runs meet.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::db::embedded::EmbeddedPostgres;

/// Runs the command with `DATABASE_URL` naming the temporary server; ends as the command ends.
///
/// Call it from the main thread, outside of any runtime (see [`crate::db::embedded`]).
pub fn with_db(postgres_bin: Option<&Path>, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let (program, arguments) = command.split_first().context("no command was given")?;
    let server = EmbeddedPostgres::start_temporary(postgres_bin)?;
    let mut child = tokio::process::Command::new(program);
    child
        .args(arguments)
        .env("DATABASE_URL", server.connection_url());
    child.env("PATH", path_with(server.bin())?);
    // One thread is enough to wait: for the command, and for the signals that would otherwise end this
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

/// Waits for the command. An interrupt from the terminal reaches the command too and is only outlived here;
/// the other signals reach this process alone and are passed on.
async fn run(mut command: tokio::process::Command) -> std::io::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut child = command.spawn()?;
    loop {
        let pass_on = tokio::select! {
            status = child.wait() => return status,
            Some(()) = interrupt.recv() => None,
            Some(()) = terminate.recv() => Some("-TERM"),
            Some(()) = hangup.recv() => Some("-HUP"),
        };
        if let Some((name, pid)) = pass_on.zip(child.id()) {
            // Should there be nobody to tell any more, the wait is over.
            let told = tokio::process::Command::new("kill")
                .args([name, &pid.to_string()])
                .status();
            drop(told.await);
        }
    }
}

/// The search path with PostgreSQL's programs behind it: `psql` is not always on it.
fn path_with(bin: &Path) -> anyhow::Result<OsString> {
    // Not a setting: where the system keeps its programs.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(OsStr::new(&path)).chain([bin.to_path_buf()]);
    Ok(std::env::join_paths(directories)?)
}

/// The command's own code, or the shell's way of saying which signal ended it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

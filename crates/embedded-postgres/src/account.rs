//! The account that runs the server: our own, or `postgres` if we are root, because PostgreSQL refuses root.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::Error;

/// The account that runs the server's programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    /// The user and group to switch to; `None` keeps our own.
    switch_to: Option<(u32, u32)>,
}

impl Account {
    pub(super) fn choose() -> Result<Self, Error> {
        if !is_root() {
            return Ok(Self { switch_to: None });
        }
        let ids = postgres_id("-u").zip(postgres_id("-g"));
        let ids = ids.ok_or(Error::NoAccount)?;
        Ok(Self {
            switch_to: Some(ids),
        })
    }

    /// A command that the account will run, in a directory that the account can enter.
    pub(super) fn command(self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).stdin(Stdio::null());
        // The operator sets PGDATA, PGPORT and so on for other servers.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        // One message is parsed below, so it must be English; and PostgreSQL on macOS requires a locale.
        command.env("LC_ALL", "C");
        if let Some((user, group)) = self.switch_to {
            command.uid(user).gid(group);
        }
        command
    }

    /// Creates a directory that only the account can enter, unless it exists.
    pub(super) fn create_directory(self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::io("create the directory", path, source);
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failed(error)),
            Ok(()) => self.take_ownership(path).map_err(failed),
        }
    }

    /// Checks that the account can enter and write the directory.
    pub(super) fn check_access(self, directory: &Path) -> Result<(), Error> {
        // Starting the command already fails if the account cannot enter the directory.
        let mut test = self.command(Path::new("test"), directory);
        match test.args(["-w", "."]).status() {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Error::NoAccess(directory.to_path_buf())),
        }
    }

    pub(super) fn take_ownership(self, path: &Path) -> std::io::Result<()> {
        match self.switch_to {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

/// Whether this process runs as root.
///
/// Runs `id`, because the standard library has no call for it and this crate forbids `unsafe`.
pub fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The user id (`-u`) or group id (`-g`) of the account `postgres`.
fn postgres_id(option: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([option, "postgres"])
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

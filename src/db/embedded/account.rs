//! Who runs the server: ourselves, or the `postgres` account when we are root, which PostgreSQL refuses.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::EmbeddedError;
use crate::config::is_root;

/// The account that runs the server's programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    /// The user and group to become; none: stay who we are.
    become_ids: Option<(u32, u32)>,
}

impl Account {
    pub(super) fn choose() -> Result<Self, EmbeddedError> {
        if !is_root() {
            return Ok(Self { become_ids: None });
        }
        let ids = id("-u").zip(id("-g")).ok_or(EmbeddedError::NoAccount)?;
        Ok(Self {
            become_ids: Some(ids),
        })
    }

    /// A program to be run by the account, in a directory that the account can enter.
    pub(super) fn command(self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).stdin(Stdio::null());
        // PGDATA, PGPORT and their like are the operator's, for other servers.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        // English messages, because one is read here; and macOS refuses to start without any locale.
        command.env("LC_ALL", "C");
        if let Some((user, group)) = self.become_ids {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes a directory that only the account may enter. One that exists is kept.
    pub(super) fn make_directory(self, path: &Path) -> Result<(), EmbeddedError> {
        let failed = |source| EmbeddedError::io("make the directory", path, source);
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failed(error)),
            Ok(()) => self.own(path).map_err(failed),
        }
    }

    /// Fails when the account cannot work in the directory, with what to do about it.
    pub(super) fn check_reach(self, directory: &Path) -> Result<(), EmbeddedError> {
        // Changing into the directory is already part of the trial.
        let mut trial = self.command(Path::new("test"), directory);
        match trial.args(["-w", "."]).status() {
            Ok(status) if status.success() => Ok(()),
            _ => Err(EmbeddedError::Unreachable(directory.to_path_buf())),
        }
    }

    pub(super) fn own(self, path: &Path) -> std::io::Result<()> {
        match self.become_ids {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

/// A number of the `postgres` account.
fn id(which: &str) -> Option<u32> {
    let output = Command::new("id").args([which, "postgres"]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

//! Errors of starting and stopping the server.

use std::io;
use std::path::{Path, PathBuf};

/// Why the server could not be started or stopped, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL is not installed.
    #[error(
        "PostgreSQL 15 or newer is not installed: install it (Debian: apt-get install postgresql; \
         macOS: brew install postgresql@17), set XBOARD_PG_BIN to the directory of its programs, \
         or set DATABASE_URL to use another server"
    )]
    NotInstalled,
    /// The configured directory does not contain the programs.
    #[error("XBOARD_PG_BIN is {}, which does not contain postgres, initdb and pg_ctl of version 15 or newer", .0.display())]
    WrongBin(PathBuf),
    /// PostgreSQL refuses to run as root, and there is no account to run it as.
    #[error(
        "PostgreSQL refuses to run as root, and there is no account named postgres to run it: useradd --system postgres"
    )]
    NoAccount,
    /// The account cannot enter or write the directory.
    #[error(
        "the private PostgreSQL runs as the account postgres, which cannot write to {}: \
         set XBOARD_DATA_DIR to a directory whose parents that account can enter", .0.display()
    )]
    NoAccess(PathBuf),
    /// Another program uses the directory.
    #[error("another XBoard (process {holder}) is using {}: stop it, or set XBOARD_DATA_DIR to another directory", .directory.display())]
    InUse {
        /// The data directory.
        directory: PathBuf,
        /// The process that locked it.
        holder: String,
    },
    /// Another version of PostgreSQL created the data, and it is not installed.
    #[error(
        "PostgreSQL {created_by} created the data in {}, but this is PostgreSQL {found}: install \
         PostgreSQL {created_by}, or dump the data there and restore it into a new XBOARD_DATA_DIR", .directory.display()
    )]
    OtherVersion {
        /// The cluster's directory.
        directory: PathBuf,
        /// The version that created the cluster.
        created_by: u32,
        /// The installed version.
        found: u32,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} failed: {output}")]
    Program {
        /// The name of the program.
        program: &'static str,
        /// Its output.
        output: String,
    },
    /// The server exited during its start.
    #[error("the private PostgreSQL did not start: {log}")]
    Exited {
        /// The end of its log.
        log: String,
    },
    /// The server did not start or stop in time.
    #[error("the private PostgreSQL did not {0} in time")]
    TimedOut(&'static str),
    /// A path is not valid UTF-8, so a connection URL cannot contain it.
    #[error("{} is not valid UTF-8: set XBOARD_DATA_DIR to another directory", .0.display())]
    NotUtf8(PathBuf),
    /// A system call failed.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// The action, as a verb phrase.
        action: &'static str,
        /// Its object.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}

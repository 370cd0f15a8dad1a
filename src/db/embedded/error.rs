//! Why a private server could not be started or stopped.

use std::io;
use std::path::{Path, PathBuf};

/// Why a private server could not be started or stopped, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// PostgreSQL is not installed.
    #[error(
        "no PostgreSQL 15 or newer is installed: install one (Debian: apt-get install postgresql; \
         macOS: brew install postgresql@17), name its directory in XBOARD_PG_BIN, \
         or set DATABASE_URL to use a server elsewhere"
    )]
    NotInstalled,
    /// `XBOARD_PG_BIN` does not hold what is needed.
    #[error("XBOARD_PG_BIN is {}, which holds no postgres, initdb and pg_ctl of version 15 or newer", .0.display())]
    WrongBin(PathBuf),
    /// Root cannot run PostgreSQL, and there is nobody to run it as.
    #[error(
        "PostgreSQL refuses to run as root, and there is no account named postgres to run it as: useradd --system postgres"
    )]
    NoAccount,
    /// The account cannot get to the data.
    #[error(
        "the private PostgreSQL runs as the account postgres, which cannot write in {}: \
         set XBOARD_DATA_DIR to a directory whose parents it may enter", .0.display()
    )]
    Unreachable(PathBuf),
    /// Another program holds the directory.
    #[error("another XBoard (process {holder}) is using {}: stop it, or set XBOARD_DATA_DIR to another directory", .directory.display())]
    InUse {
        /// The data directory.
        directory: PathBuf,
        /// The process that holds it.
        holder: String,
    },
    /// The data was made by a PostgreSQL that is not here.
    #[error(
        "the data in {} was made by PostgreSQL {made_by}, but this is PostgreSQL {found}: install \
         PostgreSQL {made_by}, or dump there and restore into a new XBOARD_DATA_DIR", .directory.display()
    )]
    OtherVersion {
        /// The cluster's directory.
        directory: PathBuf,
        /// The version that made it.
        made_by: u32,
        /// The version at hand.
        found: u32,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it said.
        output: String,
    },
    /// The server ended while it was being waited for.
    #[error("the private PostgreSQL did not start: {log}")]
    Exited {
        /// The end of its log.
        log: String,
    },
    /// The server did not get ready, or did not stop, in time.
    #[error("the private PostgreSQL did not {0} in time")]
    TimedOut(&'static str),
    /// A path is not text, so it cannot stand in a connection address.
    #[error("{} is not valid UTF-8: set XBOARD_DATA_DIR to another directory", .0.display())]
    NotText(PathBuf),
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl EmbeddedError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}

//! The database that is measured.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use embedded_postgres::{EmbeddedPostgres, Options};
use tempfile::TempDir;

/// The server of the given URL, or a temporary one. The temporary server has fsync on, as in production: without it a
/// commit costs nothing, and the lock that NOTIFY takes at commit is never contended.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
    temporary: Option<(EmbeddedPostgres, TempDir)>,
}

impl Server {
    /// Uses the URL or starts a temporary server. Call it from the main thread.
    pub(crate) fn start(url: Option<String>) -> anyhow::Result<Self> {
        if let Some(url) = url {
            return Ok(Self {
                url,
                temporary: None,
            });
        }
        // As root, the server runs under another account, which must be able to enter the directory.
        let directory = tempfile::Builder::new()
            .prefix("xboard-bench-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir()?;
        let server = EmbeddedPostgres::start(&Options::new(directory.path()))?;
        Ok(Self {
            url: server.connection_url().to_owned(),
            temporary: Some((server, directory)),
        })
    }

    /// The connection URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The number of statements in the server's log, which has all of the sessions that log them. Only of a temporary
    /// server; of another one the log is not known.
    pub(crate) fn logged_statements(&self) -> anyhow::Result<Option<u64>> {
        let Some((_, directory)) = &self.temporary else {
            return Ok(None);
        };
        let path: PathBuf = directory.path().join("postgres/server.log");
        let log = fs::read(path).context("the log of the database")?;
        let lines = String::from_utf8_lossy(&log);
        let statements = lines
            .lines()
            .filter(|line| line.contains("LOG:  statement:") || line.contains("LOG:  execute "));
        Ok(Some(u64::try_from(statements.count())?))
    }

    /// Stops the temporary server.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        if let Some((server, _directory)) = self.temporary {
            server.stop()?;
        }
        Ok(())
    }
}

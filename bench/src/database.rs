//! The database that is measured.

use std::path::PathBuf;

use embedded_postgres::EmbeddedPostgres;

/// A server that was there, or a temporary one of our own.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
    own: Option<EmbeddedPostgres>,
}

impl Server {
    /// The one at the address, or a new one. To be called from the main thread.
    pub(crate) fn start(url: Option<String>) -> anyhow::Result<Self> {
        if let Some(url) = url {
            return Ok(Self { url, own: None });
        }
        let own = EmbeddedPostgres::start_temporary(None)?;
        Ok(Self {
            url: own.connection_url().to_owned(),
            own: Some(own),
        })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends it, where it is ours.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        if let Some(own) = self.own {
            own.stop()?;
        }
        Ok(())
    }
}

/// PostgreSQL's own load generator: beside the server's other programs, or in the path.
pub(crate) fn pgbench() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin/pgbench"))
        .filter(|path| path.is_file());
    installed.max().unwrap_or_else(|| PathBuf::from("pgbench"))
}

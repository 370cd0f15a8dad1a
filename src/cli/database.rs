//! The database of a command: the operator's, a private one that the command starts, or the private one of a
//! program that is running on this machine.

use anyhow::Context as _;
use embedded_postgres::{EmbeddedPostgres, Options};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Database, Settings};

/// A database that runs until this value is dropped.
#[derive(Debug)]
pub(super) struct RunningDatabase {
    url: SecretString,
    private: Option<EmbeddedPostgres>,
}

impl RunningDatabase {
    /// For a long-running program: starts the private server, and fails if another program runs it.
    pub(super) fn start(database: &Database) -> anyhow::Result<Self> {
        match database {
            Database::External(url) => Ok(Self {
                url: url.clone(),
                private: None,
            }),
            Database::Private { data_dir, bin } => {
                let options = Options {
                    bin: bin.clone(),
                    ..Options::new(data_dir)
                };
                let server = EmbeddedPostgres::start(&options)?;
                Ok(Self {
                    url: server.connection_url().into(),
                    private: Some(server),
                })
            }
        }
    }

    /// For a command beside a running program: connects to that program's private server, or starts one.
    pub(super) fn join(database: &Database) -> anyhow::Result<Self> {
        if let Database::Private { data_dir, .. } = database
            && let Some(url) = EmbeddedPostgres::running_url(data_dir)
        {
            return Ok(Self {
                url: url.into(),
                private: None,
            });
        }
        Self::start(database)
    }

    /// The connection URL.
    pub(super) fn url(&self) -> SecretString {
        self.url.clone()
    }

    /// Connects, applies the migrations and checks row security.
    pub(super) async fn open(&self) -> anyhow::Result<crate::db::Database> {
        let url = self.url.expose_secret();
        let timeouts = crate::db::Timeouts::of_jobs();
        let database = crate::db::Database::connect_with(url, 5, timeouts)
            .await
            .context("cannot connect to the database")?;
        database
            .migrate()
            .await
            .context("the database could not be migrated")?;
        database.check_row_security().await?;
        Ok(database)
    }

    /// Stops the private server if this command started it.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        match self.private {
            Some(server) => Ok(server.stop()?),
            None => Ok(()),
        }
    }
}

/// Connects to or starts the database that the settings name.
pub(super) fn join(settings: &Settings) -> anyhow::Result<RunningDatabase> {
    RunningDatabase::join(&settings.database()?)
}

//! A private PostgreSQL: started by this program, reached by it alone, stopped with it.
//!
//! Without `DATABASE_URL` the program runs the installed PostgreSQL in a directory of its own:
//! the same SQL, driver and row security as in production, and nothing to set up. It listens on a
//! unix socket in a directory that only its account may enter, so it needs no password and no port.
//!
//! ```text
//! DATA_DIR/lock               held for as long as the program lives: one program, one directory
//! DATA_DIR/postgres/          belongs to the account that runs the server
//! DATA_DIR/postgres/data      the cluster; made as data.new and renamed when complete
//! DATA_DIR/postgres/socket    the socket (under /tmp when this path is too long for one)
//! DATA_DIR/postgres/server.log
//! ```
//!
//! **Start it from the main thread.** On Linux the server is told to stop when its parent dies, and the
//! kernel takes the *thread* that started it for the parent. Elsewhere (and after a `kill -9` in the
//! first milliseconds) a server may outlive the program: the next start finds it and stops it.
//!
//! This is plain blocking code: it runs before the asynchronous runtime starts, and after it has ended.

mod account;
mod binaries;
mod cluster;
mod error;
mod postmaster;
mod socket;
mod temporary;
#[cfg(test)]
mod tests;

pub use error::EmbeddedError;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use account::Account;
use binaries::Binaries;
use cluster::Cluster;
use postmaster::Postmaster;
use socket::SocketDirectory;
use temporary::TemporaryDirectory;

/// The superuser of the private server, and the name of its database.
const NAME: &str = "xboard";

/// Only names the socket's file: nothing listens on a port.
const PORT: u16 = 5432;

/// How a private server is run.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// The directory that holds all of it.
    pub data_dir: PathBuf,
    /// The directory of the `postgres` program; none: the newest installed, 15 or later.
    pub bin: Option<PathBuf>,
    /// Whether a commit reaches the disk. Off only for data that may be lost.
    pub fsync: bool,
    /// How many connections it takes.
    pub max_connections: u16,
}

impl EmbeddedOptions {
    /// A durable server in this directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin: None,
            fsync: true,
            max_connections: 100,
        }
    }
}

/// A running private server. Dropping it stops it.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    // Fields are dropped in this order: the server stops first, and the lock goes last.
    postmaster: Postmaster,
    binaries: Binaries,
    url: String,
    _socket: SocketDirectory,
    _temporary: Option<TemporaryDirectory>,
    _lock: File,
}

impl EmbeddedPostgres {
    /// Starts the server, on its first start making its data; returns when it takes connections.
    pub fn start(options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        Self::start_in(options, None)
    }

    /// Starts an empty server in a temporary directory: fast, not durable, gone when dropped.
    pub fn start_temporary(bin: Option<&Path>) -> Result<Self, EmbeddedError> {
        let directory = TemporaryDirectory::make()?;
        let options = EmbeddedOptions {
            bin: bin.map(Path::to_path_buf),
            fsync: false,
            // Every test has a database and a pool of its own.
            max_connections: 300,
            ..EmbeddedOptions::new(directory.path())
        };
        Self::start_in(&options, Some(directory))
    }

    fn start_in(
        options: &EmbeddedOptions,
        temporary: Option<TemporaryDirectory>,
    ) -> Result<Self, EmbeddedError> {
        let started = Instant::now();
        make_data_dir(&options.data_dir)?;
        let lock = lock(&options.data_dir)?;
        let account = Account::choose()?;
        let cluster = Cluster::prepare(&options.data_dir, &account)?;
        let binaries = Binaries::find(options.bin.as_deref(), cluster.major()?)?;
        if temporary.is_some() {
            temporary::sweep(&options.data_dir, &account, &binaries);
        }
        cluster.ensure_made(&account, &binaries, options.fsync)?;
        postmaster::clear_leftovers(&cluster.data, &account, &binaries)?;
        let socket = SocketDirectory::make(&cluster.root, &account)?;
        let postmaster = Postmaster::start(&account, &binaries, &cluster, &socket, options)?;
        // For a command beside this program. It opens nothing by itself: only the account may enter the
        // socket's directory.
        let address = options.data_dir.join("address");
        std::fs::write(&address, socket.url())
            .map_err(|source| EmbeddedError::io("write", &address, source))?;
        tracing::info!(
            postgres.version = binaries.major,
            duration_ms = started.elapsed().as_millis(),
            "private PostgreSQL is ready"
        );
        Ok(Self {
            postmaster,
            url: socket.url(),
            binaries,
            _socket: socket,
            _temporary: temporary,
            _lock: lock,
        })
    }

    /// The address of the server that another program runs in this directory; none when nobody holds it.
    pub fn running_url(data_dir: &Path) -> Option<String> {
        let lock = File::open(data_dir.join("lock")).ok()?;
        let held = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
        held.then(|| std::fs::read_to_string(data_dir.join("address")).ok())
            .flatten()
    }

    /// The address for sqlx, psql and every other client, as the server's superuser.
    pub fn connection_url(&self) -> &str {
        &self.url
    }

    /// The directory of the server's programs, where `psql` usually is too.
    pub fn bin(&self) -> &Path {
        &self.binaries.directory
    }

    /// Stops the server: open transactions are rolled back, committed ones are on disk. Dropping does the
    /// same, but can only log what goes wrong.
    pub fn stop(mut self) -> Result<(), EmbeddedError> {
        self.postmaster.stop()
    }
}

/// Makes the data directory. Others may pass through but not list it: as root, the server runs under
/// another account and must reach its own directory inside.
fn make_data_dir(data_dir: &Path) -> Result<(), EmbeddedError> {
    crate::config::make_data_dir(data_dir)
        .map_err(|source| EmbeddedError::io("make the data directory", data_dir, source))
}

/// Takes the directory for this program. The lock ends with the program, however it ends.
fn lock(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("lock");
    let failed = |source| EmbeddedError::io("lock the data directory by", &path, source);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(failed)?;
            write!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(failed)?;
            Err(EmbeddedError::InUse {
                directory: data_dir.to_path_buf(),
                holder,
            })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

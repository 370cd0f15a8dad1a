//! Runs the installed PostgreSQL as a private server of one program.
//!
//! Without `DATABASE_URL`, XBoard starts this server in its data directory: the same SQL, driver and row security
//! as in production, and nothing to set up. The server listens only on a unix socket, in a directory that only its
//! account can enter. So it needs neither a password nor a port.
//!
//! ```no_run
//! use embedded_postgres::{EmbeddedPostgres, Options};
//!
//! # fn main() -> Result<(), embedded_postgres::Error> {
//! let server = EmbeddedPostgres::start(&Options::new("/var/lib/xboard"))?;
//! println!("{}", server.connection_url());
//! server.stop()
//! # }
//! ```
//!
//! ```text
//! DATA_DIR/lock               locked while the program runs: one program per directory
//! DATA_DIR/address            the connection URL, for commands that run beside the program
//! DATA_DIR/postgres/          belongs to the account that runs the server
//! DATA_DIR/postgres/data      the cluster; created as data.new and renamed when complete
//! DATA_DIR/postgres/socket    the socket (under /tmp if this path is too long for a socket)
//! DATA_DIR/postgres/server.log
//! ```
//!
//! **Start the server from the main thread.** On Linux the kernel stops the server when its parent dies, and
//! for the kernel the parent is the *thread* that started it. On other systems, and after a `kill -9` in the
//! first milliseconds, the server may outlive the program. The next start finds and stops it.
//!
//! The code blocks: run it before the asynchronous runtime starts and after the runtime has ended.

mod account;
mod binaries;
mod cluster;
mod error;
mod postmaster;
mod socket;
mod temporary;
#[cfg(test)]
mod tests;

pub use account::is_root;
pub use error::Error;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use account::Account;
use binaries::Binaries;
use cluster::Cluster;
use postmaster::Postmaster;
use socket::SocketDirectory;
use temporary::TemporaryDirectory;

/// The superuser of the server, and the name of its database.
const NAME: &str = "xboard";

/// Appears only in the name of the socket file: the server listens on no port.
const PORT: u16 = 5432;

/// How to run the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory, which holds all files.
    pub data_dir: PathBuf,
    /// The directory of the `postgres` program; `None` selects the newest installed one, 15 or later.
    pub bin: Option<PathBuf>,
    /// Whether commits reach the disk. Turn it off only for data that may be lost.
    pub fsync: bool,
    /// The maximum number of connections.
    pub max_connections: u16,
}

impl Options {
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

/// A running server. Dropping it stops the server.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    // Rust drops the fields in this order: the server stops first, and the lock is released last.
    postmaster: Postmaster,
    binaries: Binaries,
    url: String,
    _socket: SocketDirectory,
    _temporary: Option<TemporaryDirectory>,
    _lock: File,
}

impl EmbeddedPostgres {
    /// Starts the server and waits until it accepts connections. The first start creates the database.
    pub fn start(options: &Options) -> Result<Self, Error> {
        Self::start_in(options, None)
    }

    /// Starts an empty server in a temporary directory: fast, not durable, deleted on drop.
    pub fn start_temporary(bin: Option<&Path>) -> Result<Self, Error> {
        let directory = TemporaryDirectory::create()?;
        let options = Options {
            bin: bin.map(Path::to_path_buf),
            fsync: false,
            // Each test has its own database and connection pool.
            max_connections: 300,
            ..Options::new(directory.path())
        };
        Self::start_in(&options, Some(directory))
    }

    fn start_in(options: &Options, temporary: Option<TemporaryDirectory>) -> Result<Self, Error> {
        let started = Instant::now();
        create_data_dir(&options.data_dir)
            .map_err(|source| Error::io("create the data directory", &options.data_dir, source))?;
        let lock = lock(&options.data_dir)?;
        let account = Account::choose()?;
        let cluster = Cluster::prepare(&options.data_dir, &account)?;
        let binaries = Binaries::find(options.bin.as_deref(), cluster.major()?)?;
        if temporary.is_some() {
            temporary::remove_abandoned(&options.data_dir, &account, &binaries);
        }
        cluster.ensure_created(&account, &binaries, options.fsync)?;
        postmaster::stop_abandoned(&cluster.data, &account, &binaries)?;
        let socket = SocketDirectory::create(&cluster.root, &account)?;
        let postmaster = Postmaster::start(&account, &binaries, &cluster, &socket, options)?;
        // The URL is no secret: only the account can enter the socket's directory.
        let address = options.data_dir.join("address");
        std::fs::write(&address, socket.url())
            .map_err(|source| Error::io("write", &address, source))?;
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

    /// The connection URL of the server that another program runs in this directory, if one does.
    pub fn running_url(data_dir: &Path) -> Option<String> {
        let lock = File::open(data_dir.join("lock")).ok()?;
        let held = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
        held.then(|| std::fs::read_to_string(data_dir.join("address")).ok())
            .flatten()
    }

    /// The connection URL for sqlx, psql and other clients, as the server's superuser.
    pub fn connection_url(&self) -> &str {
        &self.url
    }

    /// The directory of the server's programs, which usually holds `psql` too.
    pub fn bin(&self) -> &Path {
        &self.binaries.directory
    }

    /// Stops the server: open transactions roll back, committed ones are on disk. Dropping the value does the
    /// same, but can only log errors.
    pub fn stop(mut self) -> Result<(), Error> {
        self.postmaster.stop()
    }
}

/// Creates a data directory, with its parents. Other users can enter but not list it: as root, the server runs
/// under another account, which must reach its own directory inside.
pub fn create_data_dir(data_dir: &Path) -> std::io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(data_dir)
}

/// Locks the directory for this program. The operating system releases the lock when the program ends.
fn lock(data_dir: &Path) -> Result<File, Error> {
    let path = data_dir.join("lock");
    let failed = |source| Error::io("lock the data directory with", &path, source);
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
            Err(Error::InUse {
                directory: data_dir.to_path_buf(),
                holder,
            })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

//! The directory of the server's socket, and the address that leads to it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::EmbeddedError;
use super::{NAME, PORT, temporary};

/// A socket's path has 104 bytes on macOS and 108 on Linux, with the zero that ends it.
const LONGEST_SOCKET_PATH: usize = 100;

/// A directory that only the account may enter.
#[derive(Debug)]
pub(super) struct SocketDirectory {
    path: String,
    /// In /tmp, to be removed with the server.
    is_fallback: bool,
}

impl SocketDirectory {
    /// Beside the cluster, or under /tmp when that path does not do for a socket.
    pub(super) fn make(root: &Path, account: &Account) -> Result<Self, EmbeddedError> {
        let beside = root.join("socket");
        let (path, is_fallback) = if can_hold_socket(&beside) {
            (beside, false)
        } else {
            // A random name: nobody can be there first.
            (
                PathBuf::from(format!("/tmp/xboard-{}", temporary::random_name())),
                true,
            )
        };
        account.make_directory(&path)?;
        let path = path.into_os_string().into_string();
        let path = path.map_err(|path| EmbeddedError::NotText(path.into()))?;
        Ok(Self { path, is_fallback })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The address of the database. The host in it is a placeholder, which the parameter overrides: sqlx
    /// and libpq both read it so. Everything is spelled out, because clients fill gaps from PGPORT and the like.
    pub(super) fn url(&self) -> String {
        let mut url = format!("postgres://{NAME}@localhost:{PORT}/{NAME}?sslmode=disable&host=");
        for byte in self.path.bytes() {
            match byte {
                b'/' | b'-' | b'_' | b'.' => url.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
                // Writing to a string cannot fail.
                _ => _ = write!(url, "%{byte:02X}"),
            }
        }
        url
    }
}

impl Drop for SocketDirectory {
    fn drop(&mut self) {
        if self.is_fallback {
            // What is left of an empty directory does no harm.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

/// Short enough, and free of what PostgreSQL's list of directories gives a meaning to.
fn can_hold_socket(directory: &Path) -> bool {
    let length = directory.as_os_str().len() + format!("/.s.PGSQL.{PORT}").len();
    length <= LONGEST_SOCKET_PATH
        && directory
            .to_str()
            .is_some_and(|text| !text.contains([',', '"', '\'', '\\']))
}

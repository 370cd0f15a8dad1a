//! The directory of the server's socket, and the connection URL.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::Error;
use super::{NAME, PORT, temporary};

/// The path of a socket may have 104 bytes on macOS and 108 on Linux, including the terminating zero.
const MAX_SOCKET_PATH: usize = 100;

/// A directory that only the account can enter.
#[derive(Debug)]
pub(super) struct SocketDirectory {
    path: String,
    /// Under /tmp; removed with the server.
    is_fallback: bool,
}

impl SocketDirectory {
    /// Creates the directory beside the cluster, or under /tmp if that path is not valid for a socket.
    pub(super) fn create(root: &Path, account: &Account) -> Result<Self, Error> {
        let preferred = root.join("socket");
        let (path, is_fallback) = if is_valid_for_socket(&preferred) {
            (preferred, false)
        } else {
            // An unpredictable name, so that no other user can create the directory first.
            (
                PathBuf::from(format!("/tmp/xboard-{}", temporary::random_name())),
                true,
            )
        };
        account.create_directory(&path)?;
        let path = path.into_os_string().into_string();
        let path = path.map_err(|path| Error::NotUtf8(path.into()))?;
        Ok(Self { path, is_fallback })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The connection URL of the database. The host in it is a placeholder, which the parameter overrides in both
    /// sqlx and libpq. The URL contains every part, because clients would read missing ones from PGPORT and so on.
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
            // An empty directory does no harm.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

/// Short enough, and without the characters that have a meaning in `unix_socket_directories`.
fn is_valid_for_socket(directory: &Path) -> bool {
    let length = directory.as_os_str().len() + format!("/.s.PGSQL.{PORT}").len();
    length <= MAX_SOCKET_PATH
        && directory
            .to_str()
            .is_some_and(|text| !text.contains([',', '"', '\'', '\\']))
}

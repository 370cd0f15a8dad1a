//! Where PostgreSQL is installed. Packagers keep the server out of `PATH` and put several versions
//! side by side, so each has a place of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::EmbeddedError;

/// Older servers lack what the SQL relies on.
const OLDEST: u32 = 15;

/// The programs that must stand together.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// Directory, start of the name of the version's directory in it, and where the programs are in that.
const PLACES: [(&str, &str, &str); 8] = [
    ("/usr/lib/postgresql", "", "bin"),         // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                  // Red Hat, by postgresql.org
    ("/usr/libexec", "postgresql", ""),         // Alpine
    ("/usr/lib", "postgresql", "bin"),          // SUSE
    ("/opt/homebrew/opt", "postgresql", "bin"), // macOS on ARM
    ("/usr/local/opt", "postgresql", "bin"),    // macOS on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"), // Homebrew on Linux
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"), // Postgres.app
];

/// An installed PostgreSQL.
#[derive(Debug)]
pub(super) struct Binaries {
    /// Holds `postgres` and its companions.
    pub(super) directory: PathBuf,
    /// 15, 16, …
    pub(super) major: u32,
}

impl Binaries {
    /// The chosen directory; else the version that made the data; else the newest.
    pub(super) fn find(chosen: Option<&Path>, made_by: Option<u32>) -> Result<Self, EmbeddedError> {
        if let Some(directory) = chosen {
            return Self::at(directory.to_path_buf())
                .ok_or_else(|| EmbeddedError::WrongBin(directory.to_path_buf()));
        }
        candidates()
            .filter_map(Self::at)
            .max_by_key(|found| (Some(found.major) == made_by, found.major))
            .ok_or(EmbeddedError::NotInstalled)
    }

    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// What is in this directory, if it is all there and new enough.
    fn at(directory: PathBuf) -> Option<Self> {
        if !PROGRAMS.iter().all(|name| directory.join(name).is_file()) {
            return None;
        }
        let output = Command::new(directory.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let major = major(&String::from_utf8_lossy(&output.stdout))?;
        (major >= OLDEST).then_some(Self { directory, major })
    }
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` or `… 18beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version
        .split(' ')
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Every directory that may hold a PostgreSQL.
fn candidates() -> impl Iterator<Item = PathBuf> {
    let places = PLACES.iter().flat_map(|(directory, prefix, inside)| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(move |entry| entry.path().join(inside))
    });
    // Not a setting, so not for `config` to read: where the system keeps its programs.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).collect();
    places
        .chain([PathBuf::from("/usr/local/pgsql/bin")])
        .chain(path)
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_read_from_every_shape() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("postgres (EnterpriseDB) 16\n"), Some(16));
        assert_eq!(major("no version here"), None);
    }
}

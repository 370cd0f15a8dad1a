//! Finds the installed PostgreSQL. Packages do not put the server into `PATH`, and install several versions side
//! by side, each in its own directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Error;

/// Older versions lack features that the SQL uses.
const MIN_MAJOR: u32 = 15;

/// The programs that a directory must contain.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// The parent directory, the prefix of each version's directory in it, and the path of the programs in that.
const LOCATIONS: [(&str, &str, &str); 8] = [
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
    /// Contains `postgres`, `initdb` and `pg_ctl`.
    pub(super) directory: PathBuf,
    /// 15, 16, …
    pub(super) major: u32,
}

impl Binaries {
    /// The chosen directory, else the version that created the data, else the newest version.
    pub(super) fn find(chosen: Option<&Path>, created_by: Option<u32>) -> Result<Self, Error> {
        if let Some(directory) = chosen {
            return Self::at(directory.to_path_buf())
                .ok_or_else(|| Error::WrongBin(directory.to_path_buf()));
        }
        candidates()
            .filter_map(Self::at)
            .max_by_key(|found| (Some(found.major) == created_by, found.major))
            .ok_or(Error::NotInstalled)
    }

    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The installation in this directory, if complete and new enough.
    fn at(directory: PathBuf) -> Option<Self> {
        if !PROGRAMS.iter().all(|name| directory.join(name).is_file()) {
            return None;
        }
        let output = Command::new(directory.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let major = major(&String::from_utf8_lossy(&output.stdout))?;
        (major >= MIN_MAJOR).then_some(Self { directory, major })
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

/// Every directory that may contain a PostgreSQL.
fn candidates() -> impl Iterator<Item = PathBuf> {
    let locations = LOCATIONS.iter().flat_map(|(directory, prefix, inside)| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(move |entry| entry.path().join(inside))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).collect();
    locations
        .chain([PathBuf::from("/usr/local/pgsql/bin")])
        .chain(path)
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_of_every_vendor_is_parsed() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("postgres (EnterpriseDB) 16\n"), Some(16));
        assert_eq!(major("no version here"), None);
    }
}

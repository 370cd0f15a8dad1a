//! Temporary directories for servers that tests use, and the removal of those that were left behind.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::account::Account;
use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::postmaster;

/// How their names begin.
const PREFIX: &str = "xboard-temporary-";

/// Younger ones may be about to be locked.
const SETTLED: Duration = Duration::from_mins(1);

/// A directory that goes with its owner.
#[derive(Debug)]
pub(super) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    pub(super) fn make() -> Result<Self, EmbeddedError> {
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", random_name()));
        DirBuilder::new()
            .mode(0o711)
            .create(&path)
            .map_err(|source| EmbeddedError::io("make the directory", &path, source))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "could not remove a temporary directory");
        }
    }
}

/// Twelve characters that nobody can guess.
pub(super) fn random_name() -> String {
    let mut name = uuid::Uuid::now_v7().simple().to_string();
    // The first half is the time.
    name.split_off(20)
}

/// Removes the directories of programs that were killed: nobody holds their locks. `own` is ours.
///
/// Nothing depends on it, so what cannot be removed is left alone.
pub(super) fn sweep(own: &Path, account: &Account, binaries: &Binaries) {
    let Some((parent, owner)) = own.parent().zip(fs::symlink_metadata(own).ok()) else {
        return;
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        // A directory that somebody else made could lead anywhere.
        let is_settled = fs::symlink_metadata(&path).is_ok_and(|found| {
            let age = found
                .modified()
                .ok()
                .and_then(|modified| modified.elapsed().ok());
            found.is_dir() && found.uid() == owner.uid() && age.is_some_and(|age| age > SETTLED)
        });
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && path != own && is_settled {
            remove_unlocked(&path, account, binaries);
        }
    }
}

fn remove_unlocked(path: &Path, account: &Account, binaries: &Binaries) {
    let lock = File::open(path.join("lock"));
    if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
        let data = path.join("postgres/data");
        let cleared = postmaster::clear_leftovers(&data, account, binaries);
        if cleared.is_ok() && fs::remove_dir_all(path).is_ok() {
            tracing::info!("removed a temporary PostgreSQL that was left behind");
        }
    }
}

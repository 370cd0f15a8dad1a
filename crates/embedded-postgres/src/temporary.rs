//! Temporary directories for the servers of tests, and the removal of abandoned ones.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::account::Account;
use super::binaries::Binaries;
use super::error::Error;
use super::postmaster;

/// The start of their names.
const PREFIX: &str = "xboard-temporary-";

/// A younger directory may not be locked yet.
const MIN_ABANDONED_AGE: Duration = Duration::from_mins(1);

/// A directory that is removed on drop.
#[derive(Debug)]
pub(super) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    pub(super) fn create() -> Result<Self, Error> {
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", random_name()));
        DirBuilder::new()
            .mode(0o711)
            .create(&path)
            .map_err(|source| Error::io("create the directory", &path, source))?;
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

/// Twelve unpredictable characters.
pub(super) fn random_name() -> String {
    let mut name = uuid::Uuid::now_v7().simple().to_string();
    // The first half contains the time.
    name.split_off(20)
}

/// Removes the directories of killed programs, which are the unlocked ones, except `own`. Errors are ignored:
/// the directories only take space.
pub(super) fn remove_abandoned(own: &Path, account: &Account, binaries: &Binaries) {
    let Some((parent, owner)) = own.parent().zip(fs::symlink_metadata(own).ok()) else {
        return;
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        // A directory or link of another user could lead anywhere.
        let is_candidate = fs::symlink_metadata(&path).is_ok_and(|found| {
            let age = found
                .modified()
                .ok()
                .and_then(|modified| modified.elapsed().ok());
            found.is_dir()
                && found.uid() == owner.uid()
                && age.is_some_and(|age| age > MIN_ABANDONED_AGE)
        });
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && path != own && is_candidate {
            remove_unlocked(&path, account, binaries);
        }
    }
}

fn remove_unlocked(path: &Path, account: &Account, binaries: &Binaries) {
    let lock = File::open(path.join("lock"));
    if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
        let data = path.join("postgres/data");
        let stopped = postmaster::stop_abandoned(&data, account, binaries);
        if stopped.is_ok() && fs::remove_dir_all(path).is_ok() {
            tracing::info!("removed the temporary PostgreSQL of a killed program");
        }
    }
}

//! The bulk operations of a shop and the files they left.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{BulkRecord, BulkStatus};
use crate::clock::Moment;

/// What is kept of an operation.
#[derive(Debug)]
struct Entry {
    app: String,
    record: BulkRecord,
    cancel: Arc<AtomicBool>,
    file: Option<File>,
}

/// A result file and how its download goes wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) expires: Moment,
    pub(crate) expired: bool,
    /// How many downloads still end early, and after how many bytes.
    pub(crate) cuts: u32,
    pub(crate) cut_after: u64,
}

/// What a download address leads to.
#[derive(Debug)]
pub(crate) enum Download {
    Unknown,
    Expired,
    /// A file, and after how many bytes the connection ends.
    File(PathBuf, Option<u64>),
}

/// What came of asking an operation to stop.
#[derive(Debug)]
pub(crate) enum Cancelled {
    Stopping(BulkRecord),
    TooLate(BulkRecord),
    Unknown,
}

/// All operations of a shop.
#[derive(Debug)]
pub(crate) struct BulkBook {
    entries: Vec<Entry>,
    next_id: u64,
}

impl Default for BulkBook {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            next_id: 7_933_223_797_042,
        }
    }
}

impl BulkBook {
    /// The operations of an app.
    pub(crate) fn of(&self, app: &str) -> Vec<BulkRecord> {
        let of_app = self.entries.iter().filter(|entry| entry.app == app);
        of_app.map(|entry| entry.record.clone()).collect()
    }

    /// Notes a new operation.
    pub(crate) fn open(&mut self, app: &str, now: Moment) -> (BulkRecord, Arc<AtomicBool>) {
        self.next_id += 32_768;
        let record = BulkRecord {
            id: self.next_id,
            status: BulkStatus::Created,
            error_code: None,
            created_at: now,
            completed_at: None,
            object_count: 0,
            root_object_count: 0,
            file_size: None,
            url: None,
            partial_data_url: None,
        };
        let cancel = Arc::new(AtomicBool::new(false));
        self.entries.push(Entry {
            app: app.to_owned(),
            record: record.clone(),
            cancel: Arc::clone(&cancel),
            file: None,
        });
        (record, cancel)
    }

    fn entry(&mut self, id: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.record.id == id)
    }

    /// Changes an operation's record; a record that is being cancelled takes no new status but the last.
    pub(crate) fn update(&mut self, id: u64, change: impl FnOnce(&mut BulkRecord)) {
        if let Some(entry) = self.entry(id) {
            change(&mut entry.record);
        }
    }

    /// Leaves a file behind.
    pub(crate) fn keep(&mut self, id: u64, file: File) {
        if let Some(entry) = self.entry(id) {
            entry.file = Some(file);
        }
    }

    /// Asks an app's operation to stop.
    pub(crate) fn cancel(&mut self, app: &str, id: u64) -> Cancelled {
        let entry = self
            .entries
            .iter_mut()
            .find(|one| one.record.id == id && one.app == app);
        let Some(entry) = entry else {
            return Cancelled::Unknown;
        };
        if !entry.record.status.is_running() {
            return Cancelled::TooLate(entry.record.clone());
        }
        entry.record.status = BulkStatus::Canceling;
        entry.cancel.store(true, Ordering::Relaxed);
        Cancelled::Stopping(entry.record.clone())
    }

    /// What a download address leads to; a cut is used up.
    pub(crate) fn download(&mut self, id: u64, now: Moment) -> Download {
        let Some(file) = self.entry(id).and_then(|entry| entry.file.as_mut()) else {
            return Download::Unknown;
        };
        if file.expired || now >= file.expires {
            return Download::Expired;
        }
        let cut = (file.cuts > 0).then_some(file.cut_after);
        file.cuts = file.cuts.saturating_sub(1);
        Download::File(file.path.clone(), cut)
    }
}

impl Drop for BulkBook {
    fn drop(&mut self) {
        for entry in &self.entries {
            entry.cancel.store(true, Ordering::Relaxed);
            if let Some(file) = &entry.file {
                let _ = std::fs::remove_file(&file.path);
            }
        }
    }
}

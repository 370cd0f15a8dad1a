//! Runs one bulk operation in a thread of its own, as fast or slow and as well or badly as asked.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::book::File as KeptFile;
use super::run::{Sink, Stopped, run};
use super::{BulkPlan, BulkRecord, BulkStatus};
use crate::shop::Shop;

/// How long a download address lives.
const URL_LIFE: Duration = Duration::from_hours(7 * 24);
/// How often a waiting job looks whether it was cancelled.
const GLANCE: Duration = Duration::from_millis(5);

/// How one bulk operation goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum BulkFault {
    /// The mutation refuses the query with a user error.
    Refuse {
        /// The message of the error.
        message: String,
    },
    /// It ends as FAILED.
    Fail {
        /// `INTERNAL_SERVER_ERROR`, `TIMEOUT` or `ACCESS_DENIED`.
        error_code: String,
        /// How many lines it wrote before: they are at `partialDataUrl`. None for no file.
        #[serde(default)]
        after_lines: Option<u64>,
    },
    /// Shopify cancels it by itself.
    Cancel,
    /// It stays RUNNING until it is cancelled.
    Stall,
    /// The download address answers 403.
    ExpiredUrl,
    /// Downloads end early.
    CutFile {
        /// After how many bytes of an answer.
        after_bytes: u64,
        /// How many downloads do so.
        times: u32,
    },
    /// `objectCount` is wrong.
    WrongCount {
        /// By how much.
        by: i64,
    },
    /// Lines are missing although both counts say they are there.
    MissingLines {
        /// Every n-th line.
        every: u64,
    },
    /// There is no address although both counts say that there are lines.
    NoFile,
    /// It takes so much longer.
    Slow {
        /// By how many milliseconds.
        millis: u64,
    },
}

/// A fault for the next bulk operation whose query holds a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkScript {
    /// The root field, such as `orders`; any when left out.
    #[serde(default)]
    pub root: Option<String>,
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: BulkFault,
    /// How many operations it meets.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// Writes lines to a file, as many as it shall.
struct FileSink {
    file: BufWriter<File>,
    shop: Weak<Shop>,
    id: u64,
    cancel: Arc<AtomicBool>,
    stop_after: Option<u64>,
    leave_out: Option<u64>,
    seen: u64,
    lines: u64,
    bytes: u64,
    counted: (u64, u64),
    failed: bool,
}

impl FileSink {
    fn write(&mut self, bytes: &[u8]) {
        self.failed |= self.file.write_all(bytes).is_err();
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
    }
}

impl Sink for FileSink {
    fn take(&mut self, lines: &[u8], objects: u64, roots: u64) -> bool {
        self.counted = (objects, roots);
        if self.stop_after.is_none() && self.leave_out.is_none() {
            self.write(lines);
            self.lines = objects;
        } else {
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                self.seen += 1;
                if self.stop_after.is_some_and(|most| self.lines >= most) {
                    return false;
                }
                if self
                    .leave_out
                    .is_some_and(|every| self.seen.is_multiple_of(every))
                {
                    continue;
                }
                self.write(line);
                self.lines += 1;
            }
        }
        if let Some(shop) = self.shop.upgrade() {
            shop.with_bulk(|book| {
                book.update(self.id, |record| {
                    record.object_count = objects;
                    record.root_object_count = roots;
                });
            });
        }
        !self.failed && !self.cancel.load(Ordering::Relaxed)
    }
}

/// Names result files apart.
static FILES: AtomicU64 = AtomicU64::new(0);

fn new_path() -> PathBuf {
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!(
        "simulator-bulk-{}-{number}.jsonl",
        std::process::id()
    ))
}

/// What an operation is started with.
pub(crate) struct Job {
    pub(crate) app: String,
    pub(crate) record: BulkRecord,
    pub(crate) cancel: Arc<AtomicBool>,
    pub(crate) plan: BulkPlan,
    pub(crate) group_objects: bool,
    pub(crate) fault: Option<BulkFault>,
}

/// Starts an operation in the background.
pub(crate) fn start(shop: &Arc<Shop>, job: Job) {
    let shop = Arc::downgrade(shop);
    // The webhook of the end is sent from the runtime in which the operation started.
    let runtime = Handle::try_current().ok();
    std::thread::spawn(move || {
        let _entered = runtime.as_ref().map(Handle::enter);
        work(&shop, &job);
    });
}

fn work(shop: &Weak<Shop>, job: &Job) {
    let id = job.record.id;
    let Some((created, mut running)) = shop.upgrade().map(|shop| shop.bulk_times()) else {
        return;
    };
    if let Some(BulkFault::Slow { millis }) = &job.fault {
        running += Duration::from_millis(*millis);
    }
    if !wait(created, &job.cancel) {
        return end(shop, id, BulkStatus::Canceled, |_| ());
    }
    if let Some(shop) = shop.upgrade() {
        shop.with_bulk(|book| {
            book.update(id, |record| {
                if record.status == BulkStatus::Created {
                    record.status = BulkStatus::Running;
                }
            });
        });
    }
    let began = Instant::now();
    match &job.fault {
        Some(BulkFault::Stall) => {
            wait(Duration::MAX, &job.cancel);
            return end(shop, id, BulkStatus::Canceled, |_| ());
        }
        Some(BulkFault::Cancel) => {
            wait(running, &job.cancel);
            return end(shop, id, BulkStatus::Canceled, |_| ());
        }
        _ => {}
    }
    let path = new_path();
    let written = write(shop, job, &path);
    let goes_on = wait(running.saturating_sub(began.elapsed()), &job.cancel);
    let Some((sink, outcome)) = written.filter(|_| goes_on) else {
        let _ = std::fs::remove_file(&path);
        return end(shop, id, BulkStatus::Canceled, |_| ());
    };
    finish(shop, job, path, &sink, &outcome);
}

/// Waits; false when the operation was cancelled meanwhile.
fn wait(duration: Duration, cancel: &AtomicBool) -> bool {
    let until = Instant::now().checked_add(duration);
    loop {
        if cancel.load(Ordering::Relaxed) {
            return false;
        }
        match until.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => return true,
            Some(left) => std::thread::sleep(left.min(GLANCE)),
            None => std::thread::sleep(GLANCE),
        }
    }
}

/// Writes the file from a snapshot of the shop.
fn write(shop: &Weak<Shop>, job: &Job, path: &Path) -> Option<(FileSink, Result<(), Stopped>)> {
    let mut sink = FileSink {
        file: BufWriter::new(File::create(path).ok()?),
        shop: Weak::clone(shop),
        id: job.record.id,
        cancel: Arc::clone(&job.cancel),
        stop_after: match &job.fault {
            Some(BulkFault::Fail { after_lines, .. }) => Some(after_lines.unwrap_or(0)),
            _ => None,
        },
        leave_out: match &job.fault {
            Some(BulkFault::MissingLines { every }) => Some(*every),
            _ => None,
        },
        seen: 0,
        lines: 0,
        bytes: 0,
        counted: (0, 0),
        failed: false,
    };
    let snapshot = shop.upgrade()?.snapshot(&job.app);
    let outcome = run(&snapshot.view(&[]), &job.plan, job.group_objects, &mut sink);
    sink.failed |= sink.file.flush().is_err();
    let cancelled = job.cancel.load(Ordering::Relaxed);
    (!cancelled).then_some((sink, outcome))
}

fn finish(
    shop: &Weak<Shop>,
    job: &Job,
    path: PathBuf,
    sink: &FileSink,
    outcome: &Result<(), Stopped>,
) {
    let id = job.record.id;
    let Some(strong) = shop.upgrade() else {
        let _ = std::fs::remove_file(&path);
        return;
    };
    let expires = strong.now().after(URL_LIFE);
    let has_file = sink.lines > 0 && !matches!(job.fault, Some(BulkFault::NoFile));
    let url = has_file.then(|| strong.bulk_url(id, expires));
    let (cuts, cut_after) = match &job.fault {
        Some(BulkFault::CutFile { after_bytes, times }) => (*times, *after_bytes),
        _ => (0, 0),
    };
    let refused = job.fault == Some(BulkFault::ExpiredUrl);
    let file = KeptFile {
        path,
        expires,
        expired: refused,
        cuts,
        cut_after,
    };
    strong.with_bulk(|book| book.keep(id, file));
    let counted = sink.counted;
    let error_code = match (&job.fault, outcome) {
        (Some(BulkFault::Fail { error_code, .. }), _) => Some(error_code.clone()),
        (_, Err(Stopped::Denied)) => Some("ACCESS_DENIED".to_owned()),
        (_, Err(Stopped::BySink)) => Some("INTERNAL_SERVER_ERROR".to_owned()),
        (_, Ok(())) => None,
    };
    let status = if error_code.is_some() {
        BulkStatus::Failed
    } else {
        BulkStatus::Completed
    };
    let by = match &job.fault {
        Some(BulkFault::WrongCount { by }) => *by,
        _ => 0,
    };
    let bytes = sink.bytes;
    drop(strong);
    end(shop, id, status, move |record| {
        record.object_count = counted.0.saturating_add_signed(by);
        record.root_object_count = counted.1;
        record.error_code = error_code;
        if status == BulkStatus::Completed {
            record.file_size = Some(bytes);
            record.url = url;
        } else {
            record.partial_data_url = url;
        }
    });
}

/// Gives an operation its last status.
fn end(shop: &Weak<Shop>, id: u64, status: BulkStatus, change: impl FnOnce(&mut BulkRecord)) {
    let Some(shop) = shop.upgrade() else { return };
    let now = shop.now();
    let mut ended = None;
    shop.with_bulk(|book| {
        book.update(id, |record| {
            change(record);
            record.status = status;
            record.completed_at = Some(now);
            ended = Some(record.clone());
        });
    });
    if let Some(ended) = ended {
        shop.announce_bulk(&ended);
    }
}

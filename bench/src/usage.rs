//! What processes use, from /proc: CPU time of this program and of the database's processes, and memory.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use sqlx::postgres::PgConnection;

/// Ticks of /proc: 100 a second on every Linux that runs this.
const TICK: Duration = Duration::from_millis(10);

/// The fields of /proc/PID/stat after the name, from the state on.
fn stat(process: u32) -> Option<Vec<i64>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(
        rest.split_whitespace()
            .map(|field| field.parse().unwrap_or_default())
            .collect(),
    )
}

fn ticks(stat: &[i64], fields: &[usize]) -> Duration {
    let sum: i64 = fields.iter().filter_map(|field| stat.get(*field)).sum();
    TICK.saturating_mul(u32::try_from(sum).unwrap_or(u32::MAX))
}

/// Counted from the state, which is 0: parent 1, user 11, system 12, those of ended children 13 and 14.
const PARENT: usize = 1;
const OWN: [usize; 2] = [11, 12];
const CHILDREN: [usize; 2] = [13, 14];

/// The CPU time that this program has used.
pub(crate) fn own_cpu() -> Duration {
    stat(std::process::id()).map_or(Duration::ZERO, |stat| ticks(&stat, &OWN))
}

/// A database server, by its postmaster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Postmaster(u32);

impl Postmaster {
    /// The parent of the process that serves a connection. Only of a server on this machine.
    pub(crate) async fn of(connection: &mut PgConnection) -> anyhow::Result<Self> {
        let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(connection)
            .await?;
        let backend = u32::try_from(backend)?;
        let stat = stat(backend).context("the database is not on this machine")?;
        let parent = stat.get(PARENT).copied().unwrap_or_default();
        Ok(Self(u32::try_from(parent)?))
    }

    /// The CPU time of the processes that it has now, to the nanosecond.
    pub(crate) fn precise_cpu(self) -> Duration {
        let mut sum = precise(&format!("/proc/{}/schedstat", self.0));
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let process = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if let Some(process) = process
                && stat(process).is_some_and(|stat| stat.get(PARENT) == Some(&i64::from(self.0)))
            {
                sum += precise(&format!("/proc/{process}/schedstat"));
            }
        }
        sum
    }

    /// The CPU time of all its processes, ended ones included.
    pub(crate) fn cpu(self) -> Duration {
        let mut sum = stat(self.0).map_or(Duration::ZERO, |stat| {
            ticks(&stat, &OWN) + ticks(&stat, &CHILDREN)
        });
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let process = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if let Some(stat) = process.and_then(stat)
                && stat.get(PARENT) == Some(&i64::from(self.0))
            {
                sum += ticks(&stat, &OWN);
            }
        }
        sum
    }
}

/// The CPU time of a thread to the nanosecond, as the scheduler counts it.
fn precise(path: &str) -> Duration {
    let text = fs::read_to_string(path).unwrap_or_default();
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// The CPU time of the threads that a process has, to the nanosecond.
pub(crate) fn precise_cpu(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    threads
        .into_iter()
        .flatten()
        .flatten()
        .map(|thread| precise(&format!("{}/schedstat", thread.path().display())))
        .sum()
}

/// The memory that a process holds, in MiB.
pub(crate) fn memory_of(process: u32) -> u64 {
    memory(&format!("/proc/{process}/status"), "VmRSS:")
}

/// Begins to watch this program's memory anew.
pub(crate) fn forget_peak_memory() {
    // 5 resets the peak. Where it may not be written, the peak is that of the whole run.
    drop(fs::write("/proc/self/clear_refs", "5"));
}

/// The most memory that this program has held, in MiB.
pub(crate) fn peak_memory() -> u64 {
    memory("/proc/self/status", "VmHWM:")
}

fn memory(path: &str, of: &str) -> u64 {
    let status = fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(of));
    let kib = line.unwrap_or_default().trim().trim_end_matches("kB");
    kib.trim().parse::<u64>().unwrap_or_default() / 1024
}

//! The server's process: starting it, waiting for it, stopping it, and finding one that was left behind.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::account::Account;
use super::binaries::Binaries;
use super::cluster::{Cluster, can_follow_parent, checked};
use super::error::EmbeddedError;
use super::socket::SocketDirectory;
use super::{EmbeddedOptions, PORT};

/// Recovery after a crash replays at most `max_wal_size`, which takes minutes on a slow disk.
const START_TIMEOUT: Duration = Duration::from_mins(5);

/// A stop writes out what is dirty in memory.
const STOP_TIMEOUT: Duration = Duration::from_mins(2);

/// The processes of a server that was killed end by themselves, but not at once.
const REMAINS_TIMEOUT: Duration = Duration::from_secs(30);

/// Short against everything that is waited for.
const POLL: Duration = Duration::from_millis(5);

/// The running server.
#[derive(Debug)]
pub(super) struct Postmaster {
    child: Child,
    account: Account,
    pg_ctl: PathBuf,
    directory: PathBuf,
    stopped: bool,
}

impl Postmaster {
    /// Starts the server and waits until it takes connections.
    pub(super) fn start(
        account: &Account,
        binaries: &Binaries,
        cluster: &Cluster,
        socket: &SocketDirectory,
        options: &EmbeddedOptions,
    ) -> Result<Self, EmbeddedError> {
        let started = Instant::now();
        loop {
            let mut command = command(account, binaries, cluster, socket, options)?;
            let child = command.spawn().map_err(|source| {
                EmbeddedError::io("run", &binaries.program("postgres"), source)
            })?;
            let mut postmaster = Self {
                child,
                account: *account,
                pg_ctl: binaries.program("pg_ctl"),
                directory: cluster.root.clone(),
                stopped: false,
            };
            match postmaster.wait_until_ready(cluster) {
                // The main process of an earlier server was killed, and its others are still ending.
                Err(EmbeddedError::Exited { log })
                    if log.contains("shared memory block")
                        && started.elapsed() < REMAINS_TIMEOUT =>
                {
                    sleep(Duration::from_millis(250));
                }
                ready => return ready.map(|()| postmaster),
            }
        }
    }

    /// Reads the server's own note of its state, as `pg_ctl` does: asking by connecting would need a client.
    fn wait_until_ready(&mut self, cluster: &Cluster) -> Result<(), EmbeddedError> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if self.exit_status(&cluster.data)?.is_some() {
                self.stopped = true;
                return Err(EmbeddedError::Exited {
                    log: cluster.log_tail(),
                });
            }
            match PidFile::read(&cluster.data) {
                Some(file) if file.is_ready && file.pid == self.child.id() => return Ok(()),
                _ => sleep(POLL),
            }
        }
        Err(EmbeddedError::TimedOut("start"))
    }

    /// A fast stop: sessions are ended, transactions rolled back, everything committed written out.
    pub(super) fn stop(&mut self) -> Result<(), EmbeddedError> {
        if self.stopped {
            return Ok(());
        }
        self.stopped = true;
        // SIGINT means a fast stop. `pg_ctl kill` sends it, since the standard library cannot; waiting is
        // ours, because `pg_ctl stop` looks only ten times a second.
        let mut kill = self.account.command(&self.pg_ctl, &self.directory);
        kill.args(["kill", "INT"]).arg(self.child.id().to_string());
        let signalled = checked("pg_ctl kill", kill.output());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.exit_status(&self.directory.clone())?.is_none() {
            if signalled.is_err() || Instant::now() >= deadline {
                // What was committed is safe in the log, and replayed by the next start.
                let directory = self.directory.clone();
                let failed = |source| EmbeddedError::io("kill the server in", &directory, source);
                self.child.kill().map_err(failed)?;
                self.child.wait().map_err(failed)?;
                return signalled
                    .map(drop)
                    .and(Err(EmbeddedError::TimedOut("stop")));
            }
            sleep(POLL);
        }
        Ok(())
    }

    fn exit_status(&mut self, path: &Path) -> Result<Option<ExitStatus>, EmbeddedError> {
        self.child
            .try_wait()
            .map_err(|source| EmbeddedError::io("watch the server in", path, source))
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "could not stop the private PostgreSQL");
        }
    }
}

/// The server's command line. Settings stand here and not in `postgresql.conf`, so that a new version of
/// this program changes them for old data too.
fn command(
    account: &Account,
    binaries: &Binaries,
    cluster: &Cluster,
    socket: &SocketDirectory,
    options: &EmbeddedOptions,
) -> Result<Command, EmbeddedError> {
    let failed = |source| EmbeddedError::io("write the server's log", &cluster.log, source);
    // One log a start, and the one before: enough to see why, and no growth.
    match fs::rename(&cluster.log, cluster.log.with_extension("log.old")) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let log = File::create(&cluster.log).map_err(failed)?;
    let postgres = binaries.program("postgres");
    let mut command = if can_follow_parent() {
        let mut command = account.command(Path::new("setpriv"), &cluster.root);
        command.args(["--pdeathsig", "INT", "--"]).arg(postgres);
        command
    } else {
        account.command(&postgres, &cluster.root)
    };
    command.arg("-D").arg(&cluster.data);
    let durable = if options.fsync { "on" } else { "off" };
    let settings = [
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={}", socket.path()),
        "unix_socket_permissions=0700".to_owned(),
        format!("port={PORT}"),
        format!("max_connections={}", options.max_connections),
        "shared_buffers=128MB".to_owned(),
        format!("fsync={durable}"),
        format!("synchronous_commit={durable}"),
        format!("full_page_writes={durable}"),
        "timezone=UTC".to_owned(),
        // The statements are short: compiling them costs more than it gives.
        "jit=off".to_owned(),
        "logging_collector=off".to_owned(),
        "log_checkpoints=off".to_owned(),
        // The detail of an error quotes the row: customers' data does not belong in a log.
        "log_error_verbosity=terse".to_owned(),
    ];
    for setting in settings {
        command.arg("-c").arg(setting);
    }
    command.stderr(log.try_clone().map_err(failed)?).stdout(log);
    // A group of its own: Ctrl-C must reach the service first, which needs its database to end well.
    command.process_group(0);
    Ok(command)
}

/// Deals with a server that a killed program left behind in our directory. We hold the directory's lock, so
/// nobody else can be using it.
pub(super) fn clear_leftovers(
    data: &Path,
    account: &Account,
    binaries: &Binaries,
) -> Result<(), EmbeddedError> {
    let path = data.join("postmaster.pid");
    if !path.exists() {
        return Ok(());
    }
    match PidFile::read(data).map(|file| (file.pid, command_line(file.pid))) {
        Some((pid, Some(line))) if line.contains(&*data.to_string_lossy()) => {
            tracing::warn!(
                process.pid = pid,
                "stopping a PostgreSQL that a killed XBoard left behind"
            );
            stop_orphan(data, account, binaries)
        }
        // Not running: the server replaces the file by itself, after it has made sure by the shared
        // memory named in it that nothing of its predecessor still runs. That check must not be lost.
        Some((_, None)) => Ok(()),
        // The number now belongs to another process (after a reboot, say), or the file is cut short. The
        // server would refuse to start.
        _ => fs::remove_file(&path).map_err(|source| EmbeddedError::io("remove", &path, source)),
    }
}

fn stop_orphan(data: &Path, account: &Account, binaries: &Binaries) -> Result<(), EmbeddedError> {
    let stop = |mode| {
        let directory = data.parent().unwrap_or(data);
        let mut stop = account.command(&binaries.program("pg_ctl"), directory);
        stop.args(["stop", "-w", "-t", "60", "-m", mode, "-D"])
            .arg(data);
        checked("pg_ctl stop", stop.output())
    };
    stop("fast")
        // It may have ended by itself in between.
        .or_else(|error| {
            if data.join("postmaster.pid").exists() {
                stop("immediate")
            } else {
                Err(error)
            }
        })
        .map(drop)
        .or_else(|error| {
            if data.join("postmaster.pid").exists() {
                Err(error)
            } else {
                Ok(())
            }
        })
}

/// The command line of a running process; none when there is no such process.
fn command_line(pid: u32) -> Option<String> {
    let line = if Path::new("/proc/self/cmdline").exists() {
        fs::read(format!("/proc/{pid}/cmdline")).ok()?
    } else {
        let pid = pid.to_string();
        Command::new("ps")
            .args(["-ww", "-o", "args=", "-p", &pid])
            .output()
            .ok()?
            .stdout
    };
    // A process that has ended and waits to be collected has no command line.
    let line = String::from_utf8_lossy(&line).into_owned();
    (!line.trim().is_empty()).then_some(line)
}

/// What the server writes about itself into `postmaster.pid`.
struct PidFile {
    pid: u32,
    is_ready: bool,
}

impl PidFile {
    fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        // The eighth line is the state.
        let is_ready = lines.nth(6).is_some_and(|state| state.trim() == "ready");
        Some(Self { pid, is_ready })
    }
}

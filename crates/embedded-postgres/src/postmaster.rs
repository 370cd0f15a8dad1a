//! The server's process: start, wait, stop, and the cleanup after a killed program.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::account::Account;
use super::binaries::Binaries;
use super::cluster::{Cluster, checked, supports_parent_death_signal};
use super::error::Error;
use super::socket::SocketDirectory;
use super::{Options, PORT};

/// Recovery after a crash replays at most `max_wal_size`, which takes minutes on a slow disk.
const START_TIMEOUT: Duration = Duration::from_mins(5);

/// A stop writes all dirty pages.
const STOP_TIMEOUT: Duration = Duration::from_mins(2);

/// The child processes of a killed server exit, but not at once.
const CHILD_EXIT_TIMEOUT: Duration = Duration::from_secs(30);

/// The interval between two checks of the server's state.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

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
    /// Starts the server and waits until it accepts connections.
    pub(super) fn start(
        account: &Account,
        binaries: &Binaries,
        cluster: &Cluster,
        socket: &SocketDirectory,
        options: &Options,
    ) -> Result<Self, Error> {
        let started = Instant::now();
        loop {
            let mut command = command(account, binaries, cluster, socket, options)?;
            let child = command
                .spawn()
                .map_err(|source| Error::io("run", &binaries.program("postgres"), source))?;
            let mut postmaster = Self {
                child,
                account: *account,
                pg_ctl: binaries.program("pg_ctl"),
                directory: cluster.root.clone(),
                stopped: false,
            };
            match postmaster.wait_until_ready(cluster) {
                // The main process of the previous server was killed, and its children have not exited yet.
                Err(Error::Exited { log })
                    if log.contains("shared memory block")
                        && started.elapsed() < CHILD_EXIT_TIMEOUT =>
                {
                    sleep(Duration::from_millis(250));
                }
                ready => return ready.map(|()| postmaster),
            }
        }
    }

    /// Reads the state that the server writes to its pid file, as `pg_ctl` does: connecting would need a client.
    fn wait_until_ready(&mut self, cluster: &Cluster) -> Result<(), Error> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if self.exit_status(&cluster.data)?.is_some() {
                self.stopped = true;
                return Err(Error::Exited {
                    log: cluster.log_tail(),
                });
            }
            match PidFile::read(&cluster.data) {
                Some(file) if file.is_ready && file.pid == self.child.id() => return Ok(()),
                _ => sleep(POLL_INTERVAL),
            }
        }
        Err(Error::TimedOut("start"))
    }

    /// A fast shutdown: ends sessions, rolls back transactions, writes committed data.
    pub(super) fn stop(&mut self) -> Result<(), Error> {
        if self.stopped {
            return Ok(());
        }
        self.stopped = true;
        // SIGINT requests a fast shutdown. `pg_ctl kill` sends it, because the standard library cannot. `pg_ctl stop`
        // would wait too, but it checks only ten times a second.
        let mut kill = self.account.command(&self.pg_ctl, &self.directory);
        kill.args(["kill", "INT"]).arg(self.child.id().to_string());
        let signalled = checked("pg_ctl kill", kill.output());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.exit_status(&self.directory.clone())?.is_none() {
            if signalled.is_err() || Instant::now() >= deadline {
                // Committed data is safe: the next start replays the write-ahead log.
                let directory = self.directory.clone();
                let failed = |source| Error::io("kill the server in", &directory, source);
                self.child.kill().map_err(failed)?;
                self.child.wait().map_err(failed)?;
                return signalled.map(drop).and(Err(Error::TimedOut("stop")));
            }
            sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn exit_status(&mut self, path: &Path) -> Result<Option<ExitStatus>, Error> {
        self.child
            .try_wait()
            .map_err(|source| Error::io("watch the server in", path, source))
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "could not stop the private PostgreSQL");
        }
    }
}

/// The server's command line. It contains the settings, instead of `postgresql.conf`, so that a new version of
/// this program also changes them for an existing cluster.
fn command(
    account: &Account,
    binaries: &Binaries,
    cluster: &Cluster,
    socket: &SocketDirectory,
    options: &Options,
) -> Result<Command, Error> {
    let failed = |source| Error::io("write the server's log", &cluster.log, source);
    // The logs of this start and the previous one: enough for a diagnosis, and bounded.
    match fs::rename(&cluster.log, cluster.log.with_extension("log.old")) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let log = File::create(&cluster.log).map_err(failed)?;
    let postgres = binaries.program("postgres");
    let mut command = if supports_parent_death_signal() {
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
        // The statements are short: compiling them takes longer than running them.
        "jit=off".to_owned(),
        "logging_collector=off".to_owned(),
        "log_checkpoints=off".to_owned(),
        // The detail of an error quotes the row, and personal data must not be logged.
        "log_error_verbosity=terse".to_owned(),
    ];
    for setting in settings {
        command.arg("-c").arg(setting);
    }
    command.stderr(log.try_clone().map_err(failed)?).stdout(log);
    // Its own process group: Ctrl-C must not stop the server before the program that uses it.
    command.process_group(0);
    Ok(command)
}

/// Stops the server that a killed program left in our directory. We hold the directory's lock, so no other
/// program uses that server.
pub(super) fn stop_abandoned(
    data: &Path,
    account: &Account,
    binaries: &Binaries,
) -> Result<(), Error> {
    let path = data.join("postmaster.pid");
    if !path.exists() {
        return Ok(());
    }
    match PidFile::read(data).map(|file| (file.pid, command_line(file.pid))) {
        Some((pid, Some(line))) if line.contains(&*data.to_string_lossy()) => {
            tracing::warn!(
                process.pid = pid,
                "stopping the PostgreSQL of a killed XBoard"
            );
            stop_orphan(data, account, binaries)
        }
        // Not running. The new server replaces the file, after it has checked the shared memory named in it for
        // processes of its predecessor. Removing the file here would skip that check.
        Some((_, None)) => Ok(()),
        // Another process has the pid now, for example after a reboot, or the file is truncated. The server would
        // refuse to start.
        _ => fs::remove_file(&path).map_err(|source| Error::io("remove", &path, source)),
    }
}

fn stop_orphan(data: &Path, account: &Account, binaries: &Binaries) -> Result<(), Error> {
    let stop = |mode| {
        let directory = data.parent().unwrap_or(data);
        let mut stop = account.command(&binaries.program("pg_ctl"), directory);
        stop.args(["stop", "-w", "-t", "60", "-m", mode, "-D"])
            .arg(data);
        checked("pg_ctl stop", stop.output())
    };
    stop("fast")
        // It may have exited in the meantime.
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

/// The command line of a process, if it is running.
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
    // A zombie has an empty command line.
    let line = String::from_utf8_lossy(&line).into_owned();
    (!line.trim().is_empty()).then_some(line)
}

/// The contents of `postmaster.pid`.
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

//! The server's files: made once, whole or not at all.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::NAME;
use super::account::Account;
use super::binaries::Binaries;
use super::error::EmbeddedError;

/// Where the files are.
#[derive(Debug)]
pub(super) struct Cluster {
    /// Belongs to the account; holds all the rest.
    pub(super) root: PathBuf,
    /// The cluster.
    pub(super) data: PathBuf,
    /// What the server says.
    pub(super) log: PathBuf,
}

impl Cluster {
    /// Makes the directory and checks that the account can work in it.
    pub(super) fn prepare(data_dir: &Path, account: &Account) -> Result<Self, EmbeddedError> {
        let root = data_dir.join("postgres");
        account.make_directory(&root)?;
        account.check_reach(&root)?;
        Ok(Self {
            data: root.join("data"),
            log: root.join("server.log"),
            root,
        })
    }

    /// The version that made the data; none when there is none yet.
    pub(super) fn major(&self) -> Result<Option<u32>, EmbeddedError> {
        let path = self.data.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(version.trim().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EmbeddedError::io("read", &path, error)),
        }
    }

    /// Makes the data unless it is there; refuses data that another version made.
    pub(super) fn ensure_made(
        &self,
        account: &Account,
        binaries: &Binaries,
        fsync: bool,
    ) -> Result<(), EmbeddedError> {
        match self.major()? {
            Some(made_by) if made_by == binaries.major => Ok(()),
            Some(made_by) => Err(EmbeddedError::OtherVersion {
                directory: self.data.clone(),
                made_by,
                found: binaries.major,
            }),
            None => self.make(account, binaries, fsync),
        }
    }

    /// Makes the cluster and its database aside and renames them into place, so that a program that is
    /// killed meanwhile leaves nothing that looks complete.
    fn make(
        &self,
        account: &Account,
        binaries: &Binaries,
        fsync: bool,
    ) -> Result<(), EmbeddedError> {
        let new = self.root.join("data.new");
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(EmbeddedError::io("remove", &new, error));
            }
            _ => {}
        }
        let mut initdb = account.command(&binaries.program("initdb"), &self.root);
        initdb
            .arg("--pgdata")
            .arg(&new)
            .args(["--username", NAME, "--encoding", "UTF8"]);
        // Whoever reaches the socket is in; nobody reaches it but the account (and root).
        initdb.args([
            "--auth-local",
            "trust",
            "--auth-host",
            "reject",
            "--no-instructions",
        ]);
        initdb.args(locale(binaries.major));
        if !fsync {
            initdb.arg("--no-sync");
        }
        checked("initdb", initdb.output())?;
        self.create_database(account, binaries, &new, fsync)?;
        let failed = |source| EmbeddedError::io("put in place", &self.data, source);
        fs::rename(&new, &self.data).map_err(failed)?;
        File::open(&self.root)
            .and_then(|root| root.sync_all())
            .map_err(failed)
    }

    /// Creates the database by the server's single-user mode: `createdb` is a client program and may be absent.
    fn create_database(
        &self,
        account: &Account,
        binaries: &Binaries,
        data: &Path,
        fsync: bool,
    ) -> Result<(), EmbeddedError> {
        let mut single = account.command(&binaries.program("postgres"), &self.root);
        single.arg("--single").arg("-D").arg(data);
        single.args([
            "-c",
            if fsync { "fsync=on" } else { "fsync=off" },
            "postgres",
        ]);
        single
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let ran = single.spawn().and_then(|mut child| {
            // Taken, so that it is closed and the server sees the end of its input.
            if let Some(mut input) = child.stdin.take() {
                writeln!(input, "create database {NAME}")?;
            }
            child.wait_with_output()
        });
        let output = checked("postgres --single", ran)?;
        // This mode ends well even when the statement did not.
        if output.contains("ERROR") {
            return Err(EmbeddedError::Program {
                program: "postgres --single",
                output,
            });
        }
        Ok(())
    }

    /// The end of the server's log, for an error.
    pub(super) fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines
            .get(lines.len().saturating_sub(10)..)
            .unwrap_or_default()
            .join("\n")
    }
}

/// Sorts by code point and knows the letters of every script, the same on every machine where it can:
/// names that end in a country depend on what is installed, and may change an index's order with an update.
fn locale(major: u32) -> &'static [&'static str] {
    if major >= 17 {
        &[
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
    } else if Path::new("/usr/lib/locale/C.utf8").exists()
        || Path::new("/usr/lib/locale/C.UTF-8").exists()
    {
        &["--locale=C.UTF-8", "--lc-messages=C"]
    } else {
        &["--locale=C"]
    }
}

/// What a program said, or that it failed.
pub(super) fn checked(
    program: &'static str,
    ran: std::io::Result<Output>,
) -> Result<String, EmbeddedError> {
    let output = ran.map_err(|source| EmbeddedError::io("run", Path::new(program), source))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let text = text.trim().to_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(EmbeddedError::Program {
            program,
            output: text,
        })
    }
}

/// Whether this machine can tie the server's life to ours: util-linux can, busybox cannot.
pub(super) fn can_follow_parent() -> bool {
    let mut trial = Command::new("setpriv");
    trial
        .args(["--pdeathsig", "INT", "--", "true"])
        .stdin(Stdio::null());
    trial.output().is_ok_and(|output| output.status.success())
}

//! The server's files, which are created completely or not at all.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::NAME;
use super::account::Account;
use super::binaries::Binaries;
use super::error::Error;

/// The paths of the files.
#[derive(Debug)]
pub(super) struct Cluster {
    /// The directory of all files, which belongs to the account.
    pub(super) root: PathBuf,
    /// The cluster.
    pub(super) data: PathBuf,
    /// The server's log.
    pub(super) log: PathBuf,
}

impl Cluster {
    /// Creates the directory and checks that the account can write to it.
    pub(super) fn prepare(data_dir: &Path, account: &Account) -> Result<Self, Error> {
        let root = data_dir.join("postgres");
        account.create_directory(&root)?;
        account.check_access(&root)?;
        Ok(Self {
            data: root.join("data"),
            log: root.join("server.log"),
            root,
        })
    }

    /// The version that created the cluster, if it exists.
    pub(super) fn major(&self) -> Result<Option<u32>, Error> {
        let path = self.data.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(version.trim().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path, error)),
        }
    }

    /// Creates the cluster unless it exists. Refuses the cluster of another version.
    pub(super) fn ensure_created(
        &self,
        account: &Account,
        binaries: &Binaries,
        fsync: bool,
    ) -> Result<(), Error> {
        match self.major()? {
            Some(created_by) if created_by == binaries.major => Ok(()),
            Some(created_by) => Err(Error::OtherVersion {
                directory: self.data.clone(),
                created_by,
                found: binaries.major,
            }),
            None => self.create(account, binaries, fsync),
        }
    }

    /// Creates the cluster and its database under a temporary name and renames the directory at the end, so that
    /// a killed program does not leave an incomplete cluster that looks complete.
    fn create(&self, account: &Account, binaries: &Binaries, fsync: bool) -> Result<(), Error> {
        let new = self.root.join("data.new");
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io("remove", &new, error));
            }
            _ => {}
        }
        let mut initdb = account.command(&binaries.program("initdb"), &self.root);
        initdb
            .arg("--pgdata")
            .arg(&new)
            .args(["--username", NAME, "--encoding", "UTF8"]);
        // No password: only the account and root can reach the socket.
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
        let failed = |source| Error::io("rename the new cluster to", &self.data, source);
        fs::rename(&new, &self.data).map_err(failed)?;
        File::open(&self.root)
            .and_then(|root| root.sync_all())
            .map_err(failed)
    }

    /// Creates the database in single-user mode, because the client program `createdb` may not be installed.
    fn create_database(
        &self,
        account: &Account,
        binaries: &Binaries,
        data: &Path,
        fsync: bool,
    ) -> Result<(), Error> {
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
            // Dropping the pipe closes it, so that the server reads the end of its input.
            if let Some(mut input) = child.stdin.take() {
                writeln!(input, "create database {NAME}")?;
            }
            child.wait_with_output()
        });
        let output = checked("postgres --single", ran)?;
        // Single-user mode exits with 0 even if the statement failed.
        if output.contains("ERROR") {
            return Err(Error::Program {
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

/// A locale that sorts by code point and classifies letters of every script, the same on every machine if
/// possible. Locales of a country depend on the installed libraries, whose updates can change the order of indexes.
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

/// The output of a program that succeeded.
pub(super) fn checked(
    program: &'static str,
    ran: std::io::Result<Output>,
) -> Result<String, Error> {
    let output = ran.map_err(|source| Error::io("run", Path::new(program), source))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let text = text.trim().to_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(Error::Program {
            program,
            output: text,
        })
    }
}

/// Whether the server can be made to stop with our process: the `setpriv` of util-linux supports it, the one of busybox does not.
pub(super) fn supports_parent_death_signal() -> bool {
    let mut test = Command::new("setpriv");
    test.args(["--pdeathsig", "INT", "--", "true"])
        .stdin(Stdio::null());
    test.output().is_ok_and(|output| output.status.success())
}

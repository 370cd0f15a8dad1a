//! Programs of others, run with Node.js against ours.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;
use tokio::sync::Mutex;

/// Runs a program in a project of ours; what it printed.
pub(crate) async fn run(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let output = try_run(directory, program, arguments).await;
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {stdout}{stderr}");
    stdout
}

/// The same, however it ends.
pub(crate) async fn try_run(directory: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program}: {error}. Install https://nodejs.org"))
}

/// The directory of a project, with what it needs installed: once, whoever asks first.
pub(crate) async fn project(path: &str, needs: &str) -> PathBuf {
    static INSTALLING: Mutex<()> = Mutex::const_new(());
    let _one_at_a_time = INSTALLING.lock().await;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if !directory.join("node_modules").join(needs).is_dir() {
        run(&directory, "npm", &["ci", "--no-audit", "--no-fund"]).await;
    }
    directory
}

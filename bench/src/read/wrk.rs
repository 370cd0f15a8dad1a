//! The load generator wrk, in its own process.

use std::io::Write as _;

use anyhow::Context as _;
use tokio::process::Command;

/// The request that wrk repeats.
pub(super) struct Load<'a> {
    pub(super) address: String,
    pub(super) token: &'a str,
    pub(super) body: &'a str,
    pub(super) connections: u32,
}

impl Load<'_> {
    /// Runs the load and returns the number of responses. Fails if one is an error.
    pub(super) async fn run(&self, seconds: u32) -> anyhow::Result<u64> {
        let mut script = tempfile::NamedTempFile::new()?;
        script.write_all(self.script().as_bytes())?;
        let output = Command::new("wrk")
            .args(["--threads", "1", "--connections"])
            .arg(self.connections.to_string())
            .arg("--duration")
            .arg(format!("{seconds}s"))
            .arg("--script")
            .arg(script.path())
            .arg(&self.address)
            .output()
            .await
            .context("wrk is needed")?;
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        anyhow::ensure!(
            output.status.success() && !report.contains("Non-2xx"),
            "the load failed: {report}"
        );
        report
            .lines()
            .find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok())
            .context("wrk did not say how many requests it made")
    }

    fn script(&self) -> String {
        let Self { token, body, .. } = self;
        format!(
            "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\n\
             wrk.headers[\"Authorization\"] = \"Bearer {token}\"\nwrk.body = [==[{body}]==]\n"
        )
    }
}

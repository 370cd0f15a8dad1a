//! The load: wrk, in a process of its own.

use std::io::Write as _;

use anyhow::Context as _;
use tokio::process::Command;

use crate::subject::Subject;

/// What wrk is to send, and how.
pub(super) struct Load<'a> {
    pub(super) address: String,
    pub(super) subject: &'a Subject,
    pub(super) body: &'a str,
    /// Each question differs from every other one, so that no answer to it is kept.
    pub(super) each_its_own: bool,
    pub(super) connections: u32,
}

impl Load<'_> {
    /// How many requests were answered in so many seconds. Fails where one was answered by an error.
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
        let Self { subject, body, .. } = self;
        let mut script = format!(
            "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\n\
             wrk.headers[\"Authorization\"] = \"Bearer {}\"\nwrk.body = [==[{body}]==]\n",
            subject.token
        );
        if self.each_its_own {
            script.push_str(
                "local number = os.time() % 100000 * 1000000\n\
                 local before, after = wrk.body:match('^(.*\"number\":)0(.*)$')\n\
                 request = function() number = number + 1; \
                 return wrk.format(nil, nil, nil, before .. string.format('%d', number) .. after) end\n",
            );
        }
        script
    }
}

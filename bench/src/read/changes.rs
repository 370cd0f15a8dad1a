//! Dashboards right after a change.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use futures_util::{StreamExt as _, TryStreamExt as _};
use xboard::db::Database;

use super::Bench;
use super::rows::{Used, middle};
use crate::subject::{Subject, ask, ask_at, change, client};

impl Bench<'_> {
    /// One order at a time, through the program's own merge, and after each the dashboard; after every fourth the static
    /// handler instead, which shows what it costs to be asked while nothing is at hand of the caches.
    pub(super) async fn changes(
        &mut self,
        database: &Database,
        subject: &mut Subject,
    ) -> anyhow::Result<()> {
        let client = client()?;
        let (mut reads, mut writes, mut heard) = (Vec::new(), Vec::new(), Vec::new());
        let mut static_reads = Vec::new();
        let name = subject.name();
        let asked_at = subject.arguments.asked_at();
        for number in subject.next_orders(self.arguments.changes) {
            let before = self.cpu();
            change(
                database,
                subject,
                number,
                asked_at + TimeDelta::seconds(number),
            )
            .await?;
            // The news is on its way.
            tokio::time::sleep(Duration::from_millis(3)).await;
            let between = self.cpu();
            let is_static = number % 4 == 3;
            let began = Instant::now();
            if is_static {
                ask_at(&client, &self.server.address, "/static", subject, 0).await?;
            } else {
                ask(&client, &self.server.address, subject, 0).await?;
            }
            let time = began.elapsed();
            // A connection that was used is given back behind the answer.
            tokio::time::sleep(Duration::from_millis(3)).await;
            heard.push(between.0.saturating_sub(before.0));
            writes.push(between.1.saturating_sub(before.1));
            let used = self.used(between, time, 1);
            if is_static {
                static_reads.push(used);
            } else {
                reads.push(used);
            }
        }
        if reads.is_empty() {
            return Ok(());
        }
        for (reads, what) in [
            (reads, "the first after a change (median)"),
            (static_reads, "static handler, asked like that (median)"),
        ] {
            let used = Used {
                requests: 1,
                time: middle(reads.iter().map(|read| read.time)),
                server: middle(reads.iter().map(|read| read.server)),
                database: middle(reads.iter().map(|read| read.database)),
            };
            self.rows.add(&name, what, used);
        }
        let used = Used {
            requests: 1,
            time: Duration::ZERO,
            server: middle(heard.into_iter()),
            database: middle(writes.into_iter()),
        };
        let what = "one order merged by another process, and heard of (median)";
        self.rows.add(&name, what, used);
        Ok(())
    }

    /// All stores of a group change, one order each; then all are asked, so many at a time as there are connections.
    pub(super) async fn changes_at_once(
        &mut self,
        database: &Database,
        group: &mut [Subject],
    ) -> anyhow::Result<()> {
        let client = client()?;
        let name = group.first().context("no store")?.name();
        let mut rounds = Vec::new();
        for subject in &*group {
            ask(&client, &self.server.address, subject, 0).await?;
        }
        for _ in 0..self.arguments.rounds {
            for subject in &mut *group {
                let asked_at = subject.arguments.asked_at();
                for number in subject.next_orders(1) {
                    let at = asked_at + TimeDelta::seconds(number);
                    change(database, subject, number, at).await?;
                }
            }
            // The news is on its way.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let before = self.cpu();
            let began = Instant::now();
            let asked = group.iter().map(|subject| {
                let (client, address) = (&client, &self.server.address);
                async move { ask(client, address, subject, 0).await }
            });
            let answers: Vec<_> = futures_util::stream::iter(asked)
                .buffer_unordered(usize::try_from(self.arguments.connections)?)
                .try_collect()
                .await?;
            let time = began.elapsed();
            // The connections are given back behind the answers.
            tokio::time::sleep(Duration::from_millis(5)).await;
            rounds.push(self.used(before, time, u64::try_from(answers.len())?));
        }
        rounds.sort_unstable_by_key(|round| round.server + round.database);
        let used = *rounds.get(rounds.len() / 2).context("there was no round")?;
        let what = format!(
            "the first after a change, {} stores asked at once (median round)",
            used.requests
        );
        self.rows.add(&name, &what, used);
        Ok(())
    }
}

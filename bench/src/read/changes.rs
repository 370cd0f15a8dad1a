//! The figures operation right after a change.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use xboard::db::Database;

use super::Bench;
use super::rows::{Used, median};
use crate::page::Operation;
use crate::subject::{Subject, ask, ask_at, change, client};

/// The notification reaches the program, and after a response its connection returns to the pool.
const SETTLE: Duration = Duration::from_millis(3);

impl Bench<'_> {
    /// Upserts one order at a time and requests the figures after each. Every fourth request goes to the static handler
    /// instead, because a lone request after a pause finds the processor's caches cold and costs more than under load.
    pub(super) async fn changes(
        &mut self,
        database: &Database,
        subject: &mut Subject,
    ) -> anyhow::Result<()> {
        let client = client()?;
        let address = self.cached.address.clone();
        let (mut figures, mut baseline, mut upserts) = (Vec::new(), Vec::new(), Vec::new());
        let fetched_at = subject.arguments.fetched_at();
        for number in subject.next_orders(self.arguments.changes) {
            let before = self.cpu(&self.cached);
            let at = fetched_at + TimeDelta::seconds(number);
            change(database, subject, number, at).await?;
            tokio::time::sleep(SETTLE).await;
            upserts.push(self.used(&self.cached, before, Duration::ZERO, 1));
            let before = self.cpu(&self.cached);
            let is_baseline = number % 4 == 3;
            let began = Instant::now();
            if is_baseline {
                ask_at(&client, &address, "/static", subject, Operation::Figures).await?;
            } else {
                ask(&client, &address, subject, Operation::Figures).await?;
            }
            let time = began.elapsed();
            tokio::time::sleep(SETTLE).await;
            let used = self.used(&self.cached, before, time, 1);
            if is_baseline {
                baseline.push(used);
            } else {
                figures.push(used);
            }
        }
        let name = subject.name();
        for (used, what) in [
            (figures, "figures, first after a change (median)"),
            (baseline, "static handler, one request at a time (median)"),
            (upserts, "upsert of one order by another process (median)"),
        ] {
            if !used.is_empty() {
                let used = Used {
                    requests: 1,
                    time: median(used.iter().map(|used| used.time)),
                    server: median(used.iter().map(|used| used.server)),
                    database: median(used.iter().map(|used| used.database)),
                };
                self.rows.add(&name, what, used);
            }
        }
        Ok(())
    }
}

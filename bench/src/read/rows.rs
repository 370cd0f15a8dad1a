//! What was measured: each row as it comes, and over several turns their medians.

use std::time::Duration;

/// What requests used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub(super) requests: u64,
    pub(super) time: Duration,
    pub(super) server: Duration,
    pub(super) database: Duration,
}

impl Used {
    /// Of one request, in whole microseconds: by the server and by the database.
    pub(super) fn each(&self) -> (u128, u128) {
        let each =
            |time: Duration| (time.as_nanos() / u128::from(self.requests.max(1)) + 500) / 1_000;
        (each(self.server), each(self.database))
    }
}

struct Row {
    store: String,
    what: String,
    used: Used,
}

/// All rows of a run.
#[derive(Default)]
pub(super) struct Rows(Vec<Row>);

impl Rows {
    pub(super) fn begin() -> Self {
        println!("| store | what | requests/s | server CPU | database CPU | together |");
        println!("|---|---|---|---|---|---|");
        Self::default()
    }

    pub(super) fn add(&mut self, store: &str, what: &str, used: Used) {
        let (server, database) = used.each();
        let rate = (u128::from(used.requests) * 1_000_000)
            .checked_div(used.time.as_micros())
            .map(|rate| rate.to_string())
            .unwrap_or_default();
        println!(
            "| {store} | {what} | {rate} | {server} µs | {database} µs | {} µs |",
            server + database,
        );
        self.0.push(Row {
            store: store.to_owned(),
            what: what.to_owned(),
            used,
        });
    }

    /// The middle of each row that came in several turns, and how far the turns lie apart.
    pub(super) fn print_medians(&self) {
        println!();
        println!("| store | what | server CPU | database CPU | together | from | to | turns |");
        println!("|---|---|---|---|---|---|---|---|");
        let mut printed: Vec<(&str, &str)> = Vec::new();
        for row in &self.0 {
            let key = (row.store.as_str(), row.what.as_str());
            if printed.contains(&key) {
                continue;
            }
            printed.push(key);
            let turns: Vec<(u128, u128)> = self
                .0
                .iter()
                .filter(|other| (other.store.as_str(), other.what.as_str()) == key)
                .map(|other| other.used.each())
                .collect();
            let together: Vec<u128> = turns.iter().map(|turn| turn.0 + turn.1).collect();
            println!(
                "| {} | {} | {} µs | {} µs | {} µs | {} µs | {} µs | {} |",
                row.store,
                row.what,
                middle(turns.iter().map(|turn| turn.0)),
                middle(turns.iter().map(|turn| turn.1)),
                middle(together.iter().copied()),
                together.iter().min().copied().unwrap_or_default(),
                together.iter().max().copied().unwrap_or_default(),
                turns.len(),
            );
        }
    }
}

/// The median: of an even number of values the upper one of the two in the middle.
pub(super) fn middle<T: Ord + Copy + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

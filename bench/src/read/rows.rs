//! The report: each row when it is measured, and the medians of several turns.

use std::time::Duration;

/// The cost of requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub(super) requests: u64,
    pub(super) time: Duration,
    pub(super) server: Duration,
    pub(super) database: Duration,
}

impl Used {
    /// CPU time of one request in microseconds: of the program and of the database.
    pub(super) fn each(&self) -> (u128, u128) {
        let each =
            |time: Duration| (time.as_nanos() / u128::from(self.requests.max(1)) + 500) / 1_000;
        (each(self.server), each(self.database))
    }

    /// CPU time of one request in microseconds, of both.
    pub(super) fn cpu(&self) -> u128 {
        let (server, database) = self.each();
        server + database
    }
}

struct Row {
    shop: String,
    what: String,
    used: Used,
}

/// All rows of a run.
#[derive(Default)]
pub(super) struct Rows(Vec<Row>);

impl Rows {
    pub(super) fn begin() -> Self {
        println!("| shop | request | requests/s | server CPU | database CPU | total |");
        println!("|---|---|---|---|---|---|");
        Self::default()
    }

    pub(super) fn add(&mut self, shop: &str, what: &str, used: Used) {
        let (server, database) = used.each();
        let rate = (u128::from(used.requests) * 1_000_000)
            .checked_div(used.time.as_micros())
            .map(|rate| rate.to_string())
            .unwrap_or_default();
        println!(
            "| {shop} | {what} | {rate} | {server} µs | {database} µs | {} µs |",
            server + database,
        );
        self.0.push(Row {
            shop: shop.to_owned(),
            what: what.to_owned(),
            used,
        });
    }

    /// The median of each row over the turns, with the minimum and maximum.
    pub(super) fn print_medians(&self) {
        println!();
        println!("| shop | request | server CPU | database CPU | total | min | max | turns |");
        println!("|---|---|---|---|---|---|---|---|");
        let mut printed: Vec<(&str, &str)> = Vec::new();
        for row in &self.0 {
            let key = (row.shop.as_str(), row.what.as_str());
            if printed.contains(&key) {
                continue;
            }
            printed.push(key);
            let turns: Vec<(u128, u128)> = self
                .0
                .iter()
                .filter(|other| (other.shop.as_str(), other.what.as_str()) == key)
                .map(|other| other.used.each())
                .collect();
            let total: Vec<u128> = turns.iter().map(|turn| turn.0 + turn.1).collect();
            println!(
                "| {} | {} | {} µs | {} µs | {} µs | {} µs | {} µs | {} |",
                row.shop,
                row.what,
                median(turns.iter().map(|turn| turn.0)),
                median(turns.iter().map(|turn| turn.1)),
                median(total.iter().copied()),
                total.iter().min().copied().unwrap_or_default(),
                total.iter().max().copied().unwrap_or_default(),
                turns.len(),
            );
        }
    }
}

/// The median; of an even number of values the upper one of the two in the middle.
pub(super) fn median<T: Ord + Copy + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

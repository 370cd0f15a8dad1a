//! The simulator over real HTTP, asked with the queries that the program sends.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod access;
mod bulk;
mod client;
mod faults;
mod filling;
mod ledger;
mod paging;
mod search;
mod throttling;

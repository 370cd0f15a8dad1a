//! The integration tests: the real program, over a real database, spoken to as its users do.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may panic, asks the machine, and looks behind the program's back"
)]

mod accounts;
mod answers;
mod audit;
mod clients;
mod connections;
mod crashes;
mod documents;
mod examples;
mod figures;
mod heard;
mod http;
mod jobs;
mod ledger;
mod limits;
mod live;
mod nodes;
mod overview;
mod permissions;
mod recomputation;
mod relay;
mod rooms;
mod scanners;
mod schema;
mod series;
mod sessions;
mod support;
mod syncs;
mod tenancy;
mod webhooks;

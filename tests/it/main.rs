//! The integration tests: the real program, over a real database, spoken to as its users do.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may panic, asks the machine, and looks behind the program's back"
)]

mod accounts;
mod audit;
mod audit_log;
mod caches;
mod clients;
mod connections;
mod crashes;
mod dashboard;
mod documents;
mod examples;
mod faults;
mod figures;
mod forgeries;
mod guarded;
mod headers;
mod http;
mod isolation;
mod jobs;
mod keys;
mod layering;
mod ledger;
mod limits;
mod members;
mod migrations;
mod nodes;
mod oauth;
mod operator;
mod overview;
mod passwords;
mod permissions;
mod recomputation;
mod relay;
mod response_format;
mod scanners;
mod schema;
mod secrecy;
mod series;
mod session_cookie;
mod sessions;
mod skipped_objects;
mod stores;
mod subscriptions;
mod support;
mod syncs;
mod tenancy;
mod webhook_events;
mod webhooks;

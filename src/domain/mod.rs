//! Plain types and rules: what a store's numbers are made of. No I/O, no async; no other room is known here.

pub mod amounts;
pub mod audit;
pub mod calendar;
pub mod clock;
pub mod credentials;
pub mod day_book;
pub mod email;
pub mod ids;
pub mod metrics;
pub mod money;
pub mod principal;
pub mod ranking;
pub mod record;
pub mod sale;
pub mod shop;
pub mod sync;
pub mod time_zone;

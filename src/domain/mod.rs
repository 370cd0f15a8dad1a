//! The types and rules behind the figures. No I/O and no async; this layer uses no other layer.

pub mod amounts;
pub mod audit;
pub mod calendar;
pub mod clock;
mod codes;
pub mod credentials;
pub mod day_book;
pub mod email;
pub mod ids;
pub mod metrics;
pub mod money;
pub mod principal;
pub mod privacy;
pub mod ranking;
pub mod record;
pub mod sale;
pub mod shop;
pub mod sync;
pub mod time_zone;

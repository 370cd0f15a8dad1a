//! The types and rules behind the figures. No I/O and no async; this layer uses no other layer.

pub mod audit;
pub mod calendar;
pub mod clock;
mod codes;
pub mod credentials;
pub mod dimension;
pub mod email;
pub mod ids;
pub mod metrics;
pub mod money;
pub mod principal;
pub mod privacy;
pub mod ranking;
pub mod record;
pub mod sale;
pub mod sales_figures;
pub mod sales_timeline;
pub mod shop;
pub mod sync;
pub mod time_zone;

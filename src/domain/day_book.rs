//! The former name of the sales timeline, until the cache uses the new one.

pub use super::sales_timeline::SalesTimeline as DayBook;

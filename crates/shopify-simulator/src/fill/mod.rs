//! Filling a shop: with a generated past, or with the real invoices of a data set.

mod catalogue;
mod dataset;
mod generate;
mod past;
mod people;
mod report;

pub use generate::Generation;
pub use report::{DatasetError, DatasetReport, LeftOut};

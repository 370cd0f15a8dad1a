//! Filling a shop: with a generated past, or with the real invoices of a data set.

mod catalogue;
mod dataset;
mod generate;
mod people;

pub use dataset::{DatasetError, DatasetReport, LeftOut};
pub use generate::Generation;

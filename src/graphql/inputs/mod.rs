//! Input types, and their conversion to values of the other layers.

mod dates;
mod filters;

pub(super) use dates::{Comparison, DateRangeInput, Interval, resolve_range};
pub(super) use filters::{
    CustomerFilterInput, CustomerSort, OrderFilterInput, OrderSort, ProductFilterInput, ProductSort,
};

//! What is given to fields, and how it turns into what the other rooms understand.

mod dates;
mod filters;

pub(super) use dates::{Comparison, DateRangeInput, Interval, resolve_range};
pub(super) use filters::{
    CustomerFilterInput, CustomerSort, OrderFilterInput, OrderSort, ProductFilterInput, ProductSort,
};

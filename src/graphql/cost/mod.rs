//! Rate limits by cost. The complexity of an operation is its requested cost: it is charged to the caller's
//! token bucket before the operation runs. The actual cost is lower if pages held fewer items than requested;
//! the difference is refunded.

mod complexity;
mod concurrency;
mod rate_limit_key;
mod token_bucket;

pub(super) use complexity::complexity_of_selections;
pub(super) use concurrency::ConcurrencyLimiter;
pub use rate_limit_key::RateLimitKey;
pub use token_bucket::{BucketConfig, BucketStatus, TokenBuckets};
pub(super) use token_bucket::{Charge, OperationCost};

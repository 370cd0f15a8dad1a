//! Everything that is said to a store and heard from it: typed queries, the query budget, tokens, bulk
//! operations, and the one mapping to the records of the domain. Keeps nothing, knows no tenant and no
//! database: whoever asks says which store and with which token.

mod amount;
mod answer;
mod bulk;
mod changes;
mod client;
mod config;
mod customers;
mod download;
mod error;
mod fetch;
#[cfg(test)]
pub(crate) mod fuzz;
mod install;
mod jsonl;
mod orders;
mod paged;
mod products;
mod queries;
mod records;
mod shop;
pub mod signature;
mod sizes;
mod store;
mod subscriptions;
mod throttle;
mod tokens;
mod wire;

#[cfg(test)]
mod tests;

pub use bulk::{BulkRefusal, BulkStarted, BulkState, BulkStatus};
pub use changes::IdPage;
pub use client::Shopify;
pub use config::{RetryPolicy, ShopifyConfig};
pub use download::{Download, Downloaded, Lines};
pub use error::{ErrorKind, ShopifyError};
pub use fetch::Fetched;
pub use install::InstallableApp;
pub use shop::StoreCounts;
pub use store::Store;
pub use subscriptions::Subscription;
pub use tokens::{IssuedToken, TokenProvider, TokenRequest};

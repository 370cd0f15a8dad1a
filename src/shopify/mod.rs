//! The client of Shopify's Admin API: typed queries, the query budget, access tokens, bulk
//! operations, and the conversion to the records of the domain. It stores nothing and does not
//! depend on tenants or the database. The caller names the shop and provides its access token.

mod amount;
mod bulk;
mod changed_ids;
mod client;
mod config;
mod customers;
mod download;
mod error;
mod fetch;
#[cfg(test)]
pub(crate) mod fuzz;
mod jsonl;
mod oauth;
mod objects;
mod orders;
mod page_sizes;
mod products;
mod queries;
mod response;
mod shop;
mod shop_client;
mod throttle;
mod tokens;
pub mod webhook_signature;
mod webhook_subscriptions;

#[cfg(test)]
mod tests;

pub use bulk::{BulkErrorCode, BulkStarted, BulkState, BulkStatus, StartBulkError};
pub use changed_ids::IdPage;
pub use client::Shopify;
pub use config::{RetryPolicy, ShopifyConfig};
pub use download::{Download, DownloadStats, Lines};
pub use error::{ErrorKind, ShopifyError};
pub use fetch::Fetched;
pub use oauth::InstallableApp;
pub use shop::ShopCounts;
pub use shop_client::ShopClient;
pub use tokens::{IssuedToken, TokenProvider, TokenRequest};
pub use webhook_subscriptions::Subscription;

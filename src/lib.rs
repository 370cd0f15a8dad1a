//! XBoard: connects Shopify stores and serves their numbers through one GraphQL schema.
//!
//! The rooms, in reading order. A room uses those before it in this list, never those after it; `auth`,
//! `shopify` and `db` do not know each other, and `graphql` does not know `shopify`.

pub mod auth;
pub mod db;
pub mod domain;
pub mod shopify;
pub mod graphql;
pub mod http;
pub mod ingest;

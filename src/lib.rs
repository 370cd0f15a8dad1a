//! XBoard: connects Shopify stores and serves their numbers through one GraphQL schema.
//!
//! The rooms, from the outside in: `commands`, `app`, `http`, `graphql`, `sync`, then `auth`, `shopify`
//! and `db`, then `domain`. A room uses those that come after it, never those before; `auth`, `shopify` and
//! `db` do not know each other, and `graphql` does not know `shopify`. A test holds the direction.

pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
#[cfg(test)]
mod fuzzing;
pub mod graphql;
pub mod http;
pub mod shopify;
pub mod sync;
pub mod telemetry;

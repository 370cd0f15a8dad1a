//! XBoard: connects Shopify stores and serves their numbers through one GraphQL schema.
//!
//! The rooms, from the outside in: `commands`, `app`, `http`, `graphql`, `ingest`, then `auth`, `shopify`
//! and `db`, then `domain`. A room uses those that come after it, never those before; `auth`, `shopify` and
//! `db` do not know each other, and `graphql` does not know `shopify`. A test holds the direction.

pub mod app;
pub mod auth;
pub mod commands;
pub mod config;
pub mod db;
pub mod domain;
#[cfg(test)]
mod fuzzing;
pub mod graphql;
pub mod http;
pub mod ingest;
pub mod shopify;
pub mod telemetry;

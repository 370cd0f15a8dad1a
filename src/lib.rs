//! XBoard connects Shopify shops and serves their figures through one GraphQL schema.
//!
//! The layers, from the outside in: `cli`, `app`, `http`, `graphql` with `cache`, `sync`, then `auth`, `shopify`
//! and `db`, then `domain`. A layer uses only the layers after it. `auth`, `shopify` and `db` are
//! independent of each other, and `graphql` is independent of `shopify`. A test checks these rules.

pub mod app;
pub mod auth;
pub mod cache;
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

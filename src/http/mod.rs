//! HTTP: the routes, and GraphQL over HTTP as its specification defines it. This module contains no business
//! logic: it turns bytes into an operation and a header into a principal, and the schema executes the operation.

mod bearer;
mod cached_response;
mod client_address;
mod content_negotiation;
mod cookies;
mod dashboard;
mod etag;
#[cfg(test)]
pub(crate) mod fuzz;
mod graphiql;
mod graphql;
mod health;
mod middleware;
mod oauth;
pub mod persisted_documents;
pub mod persisted_queries;
mod rate_limit;
mod request_parameters;
mod response;
mod response_stream;
mod router;
pub mod serve;
mod session_cookie;
mod sse;
mod state;
mod static_assets;
mod webhooks;
mod websocket;

pub use router::router;
pub use state::{AllowedOrigins, HttpOptions, HttpParts, HttpState};

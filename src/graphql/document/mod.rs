//! From text to a document that is safe to validate. async-graphql's validation can take exponential time
//! (fragments that spread other fragments), so these checks come first. Each takes time proportional to the
//! length of the text.

mod cache;
mod cacheable;
mod selection_limits;
mod token_limits;

use async_graphql::ServerError;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;

pub use cache::{DocumentCache, ParsedDocument, sha256_hex};

use super::error::ApiError;
use super::limits::Limits;

/// Parses a document within the limits. Without `introspection`, a document that selects `__schema` or
/// `__type` is an error: null would not say why.
pub(super) fn parse(
    text: &str,
    limits: &Limits,
    introspection: bool,
) -> Result<ExecutableDocument, ServerError> {
    token_limits::check(text, limits).map_err(ApiError::without_location)?;
    let document = parse_query(text)?;
    selection_limits::check(&document, limits, introspection)
        .map_err(ApiError::without_location)?;
    Ok(document)
}

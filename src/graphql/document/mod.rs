//! From text to a document that is safe to work on. What async-graphql does with a document takes time that
//! may grow exponentially with its length (fragments that use fragments), so the checks here come first; each
//! of them takes time in proportion to the text.

mod lasting;
mod library;
mod scan;
mod shape;

use async_graphql::ServerError;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;

pub(super) use library::{Library, Prepared};

use super::error::ApiError;
use super::limits::Limits;

/// Reads a document, within the limits. Without `introspection` one that asks for the schema is refused, and
/// not answered with null: whoever asks shall know why.
pub(super) fn read(
    text: &str,
    limits: &Limits,
    introspection: bool,
) -> Result<ExecutableDocument, ServerError> {
    scan::check(text, limits).map_err(ApiError::in_no_place)?;
    let document = parse_query(text)?;
    shape::check(&document, limits, introspection).map_err(ApiError::in_no_place)?;
    Ok(document)
}

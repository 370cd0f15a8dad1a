//! Documents that were read before: most clients send the same few again and again.

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{ServerError, ServerResult};
use moka::sync::Cache;

use super::{apart, lasting, read};
use crate::graphql::completion::{Shape, ask_for_types};
use crate::graphql::limits::Limits;

/// About how many bytes of memory a byte of text becomes.
const BYTES_PER_CHARACTER: usize = 16;
/// How many bytes are kept.
const MOST: u64 = 16 * 1024 * 1024;

/// A document that is within the limits, made ready to be carried out.
#[derive(Debug)]
pub(in crate::graphql) struct Prepared {
    /// The document, with the hidden questions that completing its answer needs.
    pub(in crate::graphql) document: ExecutableDocument,
    /// Whether the answers of all its operations last as long as the store's data does.
    pub(in crate::graphql) lasts: bool,
    /// Whether one of its operations is a mutation.
    pub(in crate::graphql) changes: bool,
    /// Whether nothing that it asks for in several places is put together in its answer.
    pub(in crate::graphql) apart: bool,
}

/// The documents that are kept.
#[derive(Debug)]
pub(in crate::graphql) struct Library {
    limits: Limits,
    introspection: bool,
    shape: Shape,
    kept: Cache<String, Arc<Prepared>>,
}

impl Library {
    /// Reads documents within these limits, for a schema of this shape.
    pub(in crate::graphql) fn new(limits: Limits, introspection: bool, shape: Shape) -> Self {
        let kept = Cache::builder()
            .max_capacity(MOST)
            .weigher(|text: &String, _| {
                u32::try_from(text.len().saturating_mul(BYTES_PER_CHARACTER)).unwrap_or(u32::MAX)
            })
            .build();
        Self {
            limits,
            introspection,
            shape,
            kept,
        }
    }

    /// The shape of the schema.
    pub(in crate::graphql) const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The document of a text. One that is refused is read anew each time.
    pub(in crate::graphql) fn prepare(&self, text: &str) -> ServerResult<Arc<Prepared>> {
        if let Some(prepared) = self.kept.get(text) {
            return Ok(prepared);
        }
        let prepared = Arc::new(self.read(text)?);
        self.kept.insert(text.to_owned(), Arc::clone(&prepared));
        Ok(prepared)
    }

    fn read(&self, text: &str) -> Result<Prepared, ServerError> {
        let mut document = read(text, &self.limits, self.introspection)?;
        let lasts = lasting::lasts(&document);
        let apart = apart::is_apart(&document);
        let changes = document
            .operations
            .iter()
            .any(|(_, operation)| operation.node.ty == OperationType::Mutation);
        ask_for_types(&mut document, &self.shape);
        Ok(Prepared {
            document,
            lasts,
            changes,
            apart,
        })
    }
}

//! The document cache: parsed documents by the SHA-256 of their text. Clients send the same few documents again
//! and again, and may send only the hash (automatic persisted queries).

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{ServerError, ValidationResult, Variables};
use aws_lc_rs::digest::{self, SHA256};
use moka::sync::Cache;

use super::{cacheable, parse};
use crate::graphql::limits::Limits;
use crate::graphql::response_format::{SchemaTypes, add_hidden_typenames};

/// An estimate: a parsed document takes about so many bytes of memory for each byte of its text.
const BYTES_PER_CHARACTER: usize = 16;
/// The most sets of variables of one document whose validation is cached.
const MAX_VALIDATIONS: usize = 16;

/// The SHA-256 as lowercase hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = digest::digest(&SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// A parsed document within the limits.
#[derive(Debug)]
pub struct ParsedDocument {
    /// The document, with the hidden `__typename` fields that response formatting needs.
    pub(in crate::graphql) document: ExecutableDocument,
    /// Whether the responses to all its operations may be cached until the data of the shop changes.
    pub(in crate::graphql) is_cacheable: bool,
    /// Whether one of its operations is a mutation.
    pub(in crate::graphql) has_mutation: bool,
    /// The SHA-256 of its text, in lowercase hexadecimal digits.
    hash: String,
    /// The validation cache: results by the hash of the variables, the most recently used first.
    validations: Mutex<Vec<(String, ValidationResult)>>,
}

impl ParsedDocument {
    fn new(mut document: ExecutableDocument, hash: String, types: &SchemaTypes) -> Self {
        add_hidden_typenames(&mut document, types);
        Self {
            is_cacheable: cacheable::is_cacheable(&document),
            has_mutation: document
                .operations
                .iter()
                .any(|(_, operation)| operation.node.ty == OperationType::Mutation),
            document,
            hash,
            validations: Mutex::default(),
        }
    }

    /// The SHA-256 of the document's text.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The type of the operation with this name, or of the only operation; `None` if the document does not
    /// have it.
    #[must_use]
    pub fn operation_type(&self, name: Option<&str>) -> Option<OperationType> {
        let operation = match (&self.document.operations, name) {
            (DocumentOperations::Single(operation), _) => Some(operation),
            (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
            (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
                operations.values().next()
            }
            (DocumentOperations::Multiple(_), None) => None,
        };
        operation.map(|operation| operation.node.ty)
    }

    /// The result of an earlier successful validation with the same variables.
    pub(in crate::graphql) fn cached_validation(
        &self,
        variables: &Variables,
    ) -> Option<ValidationResult> {
        let hash = hash(variables)?;
        let mut validations = self.validations();
        let index = validations.iter().position(|(key, _)| *key == hash)?;
        validations.get_mut(..=index)?.rotate_right(1);
        validations.first().map(|(_, result)| *result)
    }

    /// Caches the result of a successful validation.
    pub(in crate::graphql) fn cache_validation(
        &self,
        variables: &Variables,
        result: ValidationResult,
    ) {
        // The result depends on the selected operation, so only documents with one operation are cached.
        if self.document.operations.iter().nth(1).is_none()
            && let Some(hash) = hash(variables)
        {
            let mut validations = self.validations();
            validations.retain(|(key, _)| *key != hash);
            validations.insert(0, (hash, result));
            validations.truncate(MAX_VALIDATIONS);
        }
    }

    fn validations(&self) -> MutexGuard<'_, Vec<(String, ValidationResult)>> {
        self.validations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash of the variables: they may be too long to be a key themselves.
fn hash(variables: &Variables) -> Option<String> {
    serde_json::to_vec(variables)
        .ok()
        .as_deref()
        .map(sha256_hex)
}

/// The cache of parsed documents.
#[derive(Debug)]
pub struct DocumentCache {
    limits: Limits,
    introspection: bool,
    types: SchemaTypes,
    /// `None`: the cache is off.
    documents: Option<Cache<String, (Arc<ParsedDocument>, u32)>>,
}

impl DocumentCache {
    /// A cache of at most `max_bytes`; 0 turns it off.
    #[must_use]
    pub fn new(limits: Limits, introspection: bool, max_bytes: u64) -> Self {
        let cache = || {
            Cache::builder()
                .max_capacity(max_bytes)
                .weigher(|_, (_, bytes): &(_, u32)| *bytes)
                .build()
        };
        Self {
            limits,
            introspection,
            types: SchemaTypes::parse(&crate::graphql::sdl()),
            documents: (max_bytes > 0).then(cache),
        }
    }

    /// Whether documents are cached at all.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.documents.is_some()
    }

    /// The types of the schema.
    pub(in crate::graphql) const fn types(&self) -> &SchemaTypes {
        &self.types
    }

    /// The cached document with this SHA-256, in lowercase hexadecimal digits.
    #[must_use]
    pub fn get(&self, sha256: &str) -> Option<Arc<ParsedDocument>> {
        let (document, _) = self.documents.as_ref()?.get(sha256)?;
        Some(document)
    }

    /// The document of a text, from the cache if possible. Errors are not cached.
    pub fn parse(&self, text: &str) -> Result<Arc<ParsedDocument>, ServerError> {
        let hash = sha256_hex(text.as_bytes());
        if let Some(document) = self.get(&hash) {
            return Ok(document);
        }
        let document = parse(text, &self.limits, self.introspection)?;
        let document = Arc::new(ParsedDocument::new(document, hash.clone(), &self.types));
        if let Some(documents) = &self.documents {
            let bytes = text.len().saturating_mul(BYTES_PER_CHARACTER);
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            documents.insert(hash, (Arc::clone(&document), bytes));
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_like_clients_write_them() {
        assert_eq!(
            sha256_hex(b"{__typename}"),
            "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"
        );
    }

    #[test]
    fn a_document_is_found_by_its_hash_unless_the_cache_is_off() {
        for (bytes, is_cached) in [(1_000_000, true), (0, false)] {
            let cache = DocumentCache::new(Limits::default(), true, bytes);
            assert!(cache.parse("{__typename}").is_ok());
            assert_eq!(cache.get(&sha256_hex(b"{__typename}")).is_some(), is_cached);
            assert!(cache.parse("{").is_err());
        }
    }

    #[test]
    fn the_operation_type_is_that_of_the_selected_operation() {
        use OperationType::{Mutation, Query, Subscription};
        let types = SchemaTypes::default();
        let operation_type = |text: &str, name: Option<&str>| {
            let document = async_graphql::parser::parse_query(text).unwrap();
            ParsedDocument::new(document, String::new(), &types).operation_type(name)
        };
        let both = "query Q { a } mutation M { a }";
        for (text, name, expected) in [
            ("{ a }", None, Some(Query)),
            ("mutation { a }", None, Some(Mutation)),
            ("subscription { a }", None, Some(Subscription)),
            ("mutation M { a }", None, Some(Mutation)),
            ("mutation M { a }", Some("M"), Some(Mutation)),
            (both, Some("Q"), Some(Query)),
            (both, Some("M"), Some(Mutation)),
            (both, Some("X"), None),
            (both, None, None),
        ] {
            assert_eq!(operation_type(text, name), expected, "{text} {name:?}");
        }
    }
}

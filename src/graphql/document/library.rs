//! Documents that were read before: most clients send the same few again and again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{ServerError, ServerResult, ValidationResult, Variables};
use aws_lc_rs::digest::{self, SHA256, SHA256_OUTPUT_LEN};
use moka::sync::Cache;

use super::{lasting, read};
use crate::graphql::limits::Limits;
use crate::graphql::response_format::{Shape, ask_for_types};

/// About how many bytes of memory a byte of text becomes.
const BYTES_PER_CHARACTER: usize = 16;
/// How many bytes are kept.
const MAX_ENTRIES: u64 = 16 * 1024 * 1024;

/// A document that is within the limits, made ready to be carried out.
#[derive(Debug)]
pub(in crate::graphql) struct Prepared {
    /// The document, with the hidden questions that completing its answer needs.
    pub(in crate::graphql) document: ExecutableDocument,
    /// Whether the answers of all its operations last as long as the store's data does.
    pub(in crate::graphql) lasts: bool,
    /// Whether one of its operations is a mutation.
    pub(in crate::graphql) changes: bool,
    /// What validating it gave, by the variables; the last first.
    valid: Mutex<Vec<(VariablesHash, ValidationResult)>>,
}

/// Variables may be long: they are told apart by their SHA-256.
type VariablesHash = [u8; SHA256_OUTPUT_LEN];

fn hash(variables: &Variables) -> Option<VariablesHash> {
    let text = serde_json::to_vec(variables).ok()?;
    digest::digest(&SHA256, &text).as_ref().try_into().ok()
}

/// With so many sets of variables a document is remembered to be valid.
const MAX_VALID: usize = 16;

impl Prepared {
    /// What validating it with these variables gave before, if it was valid.
    pub(in crate::graphql) fn known_valid(
        &self,
        variables: &Variables,
    ) -> Option<ValidationResult> {
        let hash = hash(variables)?;
        let mut valid = self.valid();
        let place = valid.iter().position(|known| known.0 == hash)?;
        valid.get_mut(..=place)?.rotate_right(1);
        valid.first().map(|known| known.1)
    }

    /// Notes that it is valid with these variables.
    pub(in crate::graphql) fn note_valid(&self, variables: &Variables, result: ValidationResult) {
        // What an operation costs depends on which one it is.
        if self.document.operations.iter().nth(1).is_none()
            && let Some(hash) = hash(variables)
        {
            let mut valid = self.valid();
            valid.retain(|known| known.0 != hash);
            valid.insert(0, (hash, result));
            valid.truncate(MAX_VALID);
        }
    }

    fn valid(&self) -> MutexGuard<'_, Vec<(VariablesHash, ValidationResult)>> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
            .max_capacity(MAX_ENTRIES)
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
        let changes = document
            .operations
            .iter()
            .any(|(_, operation)| operation.node.ty == OperationType::Mutation);
        ask_for_types(&mut document, &self.shape);
        Ok(Prepared {
            document,
            lasts,
            changes,
            valid: Mutex::default(),
        })
    }
}

//! Documents that clients name instead of sending: automatic persisted queries, which a client registers by
//! sending text and hash once, and trusted documents, which the operator registers and which are then the
//! only ones that are carried out. The dashboard's own documents are part of the program and always registered.

mod kept;
mod trusted;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use axum::http::StatusCode;

use super::HttpOptions;
use super::answer::Refusal;
use super::dashboard;
use crate::graphql::{Limits, read_document};
use kept::Kept;
use trusted::Trusted;
pub use trusted::TrustedError;

/// The documents that are known by name.
#[derive(Debug)]
pub struct Documents {
    known: Known,
    /// The dashboard's documents by their hashes.
    dashboard: HashMap<String, Arc<str>>,
}

#[derive(Debug)]
enum Known {
    /// Those that clients registered; `None`: none are kept.
    Registered(Option<Mutex<Kept>>),
    /// Those of the operator, and no others.
    Trusted(Trusted),
}

/// How a client names a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DocumentId {
    /// `extensions.persistedQuery.sha256Hash`: 64 hexadecimal digits.
    Sha256(String),
    /// `documentId`, as the manifest has it.
    Manifest(String),
}

impl DocumentId {
    fn text(&self) -> &str {
        match self {
            Self::Sha256(text) | Self::Manifest(text) => {
                text.strip_prefix("sha256:").unwrap_or(text)
            }
        }
    }
}

/// A SHA-256 as lowercase hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = digest::digest(&digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

impl Documents {
    /// What the options say: reads the trusted documents, if there are any.
    pub fn open(options: &HttpOptions) -> Result<Self, TrustedError> {
        let known = match &options.trusted_documents {
            Some(path) => Known::Trusted(Trusted::read(path)?),
            None if options.persisted_queries == 0 => Known::Registered(None),
            None => Known::Registered(Some(Mutex::new(Kept::new(options.persisted_queries)))),
        };
        let documents = dashboard::documents().into_iter();
        Ok(Self {
            known,
            dashboard: documents
                .map(|text| (sha256(text.as_bytes()), text.into()))
                .collect(),
        })
    }

    /// The text to carry out, from the text or the name that the client sent, or both.
    pub(super) fn find(
        &self,
        text: Option<String>,
        id: Option<&DocumentId>,
        limits: &Limits,
    ) -> Result<Arc<str>, Refusal> {
        if let (None, Some(id)) = (&text, id)
            && let Some(text) = self.dashboard.get(id.text())
        {
            return Ok(Arc::clone(text));
        }
        match &self.known {
            Known::Trusted(trusted) => match (id, &text) {
                (Some(id), _) => trusted.find(id.text()),
                (None, Some(text)) => trusted.find(&sha256(text.as_bytes())),
                (None, None) => return Err(nothing()),
            }
            .ok_or_else(not_trusted),
            Known::Registered(kept) => match (text, id) {
                (Some(text), None) => Ok(text.into()),
                (None, None) => Err(nothing()),
                (text, Some(id)) => {
                    let kept = kept.as_ref().ok_or_else(not_supported)?;
                    look_up(kept, text, id, limits)
                }
            },
        }
    }
}

fn look_up(
    kept: &Mutex<Kept>,
    text: Option<String>,
    id: &DocumentId,
    limits: &Limits,
) -> Result<Arc<str>, Refusal> {
    let name = id.text().to_ascii_lowercase();
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(text) = text else {
        return lock().find(&name).ok_or_else(not_found);
    };
    if sha256(text.as_bytes()) != name {
        return Err(Refusal::malformed(
            "The hash is not the SHA-256 of the query that came with it.",
        ));
    }
    let text: Arc<str> = text.into();
    // What would be refused anyway is not worth its place.
    if read_document(&text, limits).is_some() {
        lock().keep(name, Arc::clone(&text));
    }
    Ok(text)
}

fn nothing() -> Refusal {
    Refusal::malformed("The parameter `query` must be a string: the operation to carry out.")
}

/// The words of the protocol: clients know them, and send the text next.
fn not_found() -> Refusal {
    Refusal::request_error("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
}

/// The same: clients stop sending hashes alone.
fn not_supported() -> Refusal {
    Refusal::request_error(
        "PERSISTED_QUERY_NOT_SUPPORTED",
        "PersistedQueryNotSupported",
    )
}

fn not_trusted() -> Refusal {
    let message = "Only registered operations are carried out here, and this is none of them.";
    Refusal::new(
        StatusCode::FORBIDDEN,
        "PERSISTED_QUERY_NOT_IN_LIST",
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_as_clients_write_them() {
        assert_eq!(
            sha256(b"{__typename}"),
            "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"
        );
    }
}

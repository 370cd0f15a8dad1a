//! Persisted queries: clients send the id of a document instead of its text. Without a safelist, clients register
//! documents themselves by sending text and hash once (automatic persisted queries). With a safelist, only the
//! documents of the operator are executed. The dashboard's documents are part of the program and always registered.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;

use super::HttpOptions;
use super::dashboard;
use super::persisted_documents::{PersistedDocuments, PersistedDocumentsError};
use super::response::HttpError;
use crate::graphql::{DocumentCache, ParsedDocument, sha256_hex};

/// Finds the document of a request.
#[derive(Debug)]
pub struct PersistedQueries {
    documents: Arc<DocumentCache>,
    safelist: Option<PersistedDocuments>,
    /// The texts of the dashboard's documents, by hash.
    dashboard: HashMap<String, String>,
}

/// The id of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DocumentId {
    /// `extensions.persistedQuery.sha256Hash`: 64 hexadecimal digits.
    Sha256(String),
    /// `documentId`: a key of the safelist, or a hash.
    Manifest(String),
}

impl DocumentId {
    fn as_str(&self) -> &str {
        match self {
            Self::Sha256(text) | Self::Manifest(text) => {
                text.strip_prefix("sha256:").unwrap_or(text)
            }
        }
    }
}

impl PersistedQueries {
    /// Reads the safelist, if the options name one.
    pub fn new(
        options: &HttpOptions,
        documents: Arc<DocumentCache>,
    ) -> Result<Self, PersistedDocumentsError> {
        let safelist = options.persisted_documents.as_deref();
        let dashboard = dashboard::documents().into_iter();
        Ok(Self {
            documents,
            safelist: safelist.map(PersistedDocuments::read).transpose()?,
            dashboard: dashboard
                .map(|text| (sha256_hex(text.as_bytes()), text))
                .collect(),
        })
    }

    /// The document of a request with a text, an id, or both.
    pub(super) fn find(
        &self,
        text: Option<&str>,
        id: Option<&DocumentId>,
    ) -> Result<Arc<ParsedDocument>, HttpError> {
        if let (None, Some(id)) = (text, id)
            && let Some(text) = self.dashboard.get(id.as_str())
        {
            return Ok(self.documents.parse(text)?);
        }
        match (&self.safelist, text, id) {
            (_, None, None) => Err(HttpError::bad_request(
                "The parameter `query` must be a string: the document to execute.",
            )),
            (Some(safelist), _, Some(id)) => self.find_safelisted(safelist, id.as_str()),
            (Some(safelist), Some(text), None) => {
                self.find_safelisted(safelist, &sha256_hex(text.as_bytes()))
            }
            (None, Some(text), None) => Ok(self.documents.parse(text)?),
            (None, text, Some(id)) => self.find_automatic(text, id),
        }
    }

    fn find_safelisted(
        &self,
        safelist: &PersistedDocuments,
        id: &str,
    ) -> Result<Arc<ParsedDocument>, HttpError> {
        let text = safelist.find(id).ok_or_else(|| {
            HttpError::new(
                StatusCode::FORBIDDEN,
                "PERSISTED_QUERY_NOT_IN_LIST",
                "This operation is not registered. Only registered operations are executed.",
            )
        })?;
        Ok(self.documents.parse(text)?)
    }

    fn find_automatic(
        &self,
        text: Option<&str>,
        id: &DocumentId,
    ) -> Result<Arc<ParsedDocument>, HttpError> {
        // The messages are part of the protocol: clients compare them, then send the text.
        if !self.documents.is_enabled() {
            let code = "PERSISTED_QUERY_NOT_SUPPORTED";
            return Err(HttpError::request_error(code, "PersistedQueryNotSupported"));
        }
        let hash = id.as_str().to_ascii_lowercase();
        match text {
            None => self.documents.get(&hash).ok_or_else(|| {
                HttpError::request_error("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
            }),
            Some(text) if sha256_hex(text.as_bytes()) == hash => Ok(self.documents.parse(text)?),
            Some(_) => Err(HttpError::bad_request(
                "The hash is not the SHA-256 of the query.",
            )),
        }
    }
}

//! The safelist: documents that the operator registers, in a directory of `.graphql` files or a manifest of
//! client tools.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_graphql::parser::parse_query;
use serde::Deserialize;

use super::dashboard;
use crate::graphql::sha256_hex;

/// An error in the safelist.
#[derive(Debug, thiserror::Error)]
pub enum PersistedDocumentsError {
    /// The file or directory cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a manifest.
    #[error("{path} is not a manifest of documents: {source}")]
    Manifest {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// A document does not parse.
    #[error("document {name} of {path} is not valid GraphQL: {source}")]
    Document {
        /// The file.
        path: PathBuf,
        /// The name of the document.
        name: String,
        /// The cause.
        source: async_graphql::parser::Error,
    },
    /// The safelist is empty, so no operation could be executed.
    #[error("{0} contains no documents")]
    Empty(PathBuf),
}

/// The texts of the registered documents, by hash and by the keys of the manifest.
#[derive(Debug, Default)]
pub(super) struct PersistedDocuments(HashMap<String, Arc<str>>);

/// The formats of a manifest: Apollo, and Relay or GraphQL Code Generator.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { operations: Vec<Operation> },
    Plain(HashMap<String, String>),
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

impl PersistedDocuments {
    pub(super) fn read(path: &Path) -> Result<Self, PersistedDocumentsError> {
        let mut documents = Self::default();
        if path.is_dir() {
            documents.add_directory(path)?;
        } else {
            documents.add_manifest(path)?;
        }
        if documents.0.is_empty() {
            return Err(PersistedDocumentsError::Empty(path.to_owned()));
        }
        // The dashboard is part of the program, so its operations are always registered.
        for text in dashboard::documents() {
            documents.0.insert(sha256_hex(text.as_bytes()), text.into());
        }
        Ok(documents)
    }

    pub(super) fn find(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(AsRef::as_ref)
    }

    fn add_directory(&mut self, directory: &Path) -> Result<(), PersistedDocumentsError> {
        let unreadable = |source| PersistedDocumentsError::Read {
            path: directory.to_owned(),
            source,
        };
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                self.add_directory(&path)?;
            } else if path
                .extension()
                .is_some_and(|extension| extension == "graphql" || extension == "gql")
            {
                let name = path.display().to_string();
                self.add(&path, name, read(&path)?)?;
            }
        }
        Ok(())
    }

    fn add_manifest(&mut self, path: &Path) -> Result<(), PersistedDocumentsError> {
        let manifest = serde_json::from_str(&read(path)?).map_err(|source| {
            PersistedDocumentsError::Manifest {
                path: path.to_owned(),
                source,
            }
        })?;
        let documents: Vec<(String, String)> = match manifest {
            Manifest::Apollo { operations } => operations
                .into_iter()
                .map(|operation| (operation.id, operation.body))
                .collect(),
            Manifest::Plain(documents) => documents.into_iter().collect(),
        };
        for (name, text) in documents {
            self.add(path, name, text)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        path: &Path,
        name: String,
        text: String,
    ) -> Result<(), PersistedDocumentsError> {
        if let Err(source) = parse_query(&text) {
            return Err(PersistedDocumentsError::Document {
                path: path.to_owned(),
                name,
                source,
            });
        }
        let hash = sha256_hex(text.as_bytes());
        let text: Arc<str> = text.into();
        let name = name
            .strip_prefix("sha256:")
            .map(str::to_owned)
            .unwrap_or(name);
        self.0.insert(name, Arc::clone(&text));
        self.0.insert(hash, text);
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, PersistedDocumentsError> {
    std::fs::read_to_string(path).map_err(|source| PersistedDocumentsError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(content: &str) -> Result<PersistedDocuments, PersistedDocumentsError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("manifest.json");
        std::fs::write(&path, content).unwrap();
        PersistedDocuments::read(&path)
    }

    #[test]
    fn manifests_of_common_tools_are_read() {
        let plain = manifest(r#"{"one":"{ a }","sha256:two":"{ b }"}"#).unwrap();
        assert_eq!(plain.find("one"), Some("{ a }"));
        assert_eq!(plain.find("two"), Some("{ b }"));
        assert_eq!(plain.find(&sha256_hex(b"{ a }")), Some("{ a }"));
        assert_eq!(plain.find("three"), None);
        let apollo = manifest(
            r#"{"format":"apollo-persisted-query-manifest","version":1,
                "operations":[{"id":"one","name":"Q","type":"query","body":"query Q { a }"}]}"#,
        )
        .unwrap();
        assert_eq!(apollo.find("one"), Some("query Q { a }"));
    }

    #[test]
    fn an_empty_or_invalid_manifest_is_refused() {
        assert!(matches!(
            manifest("{}"),
            Err(PersistedDocumentsError::Empty(_))
        ));
        assert!(matches!(
            manifest("[]"),
            Err(PersistedDocumentsError::Manifest { .. })
        ));
        let broken = manifest(r#"{"one":"{ a"}"#).unwrap_err();
        assert!(
            broken.to_string().starts_with("document one of"),
            "{broken}"
        );
        let missing = PersistedDocuments::read(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(matches!(missing, PersistedDocumentsError::Read { .. }));
    }

    #[test]
    fn a_directory_is_read_recursively() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("below")).unwrap();
        std::fs::write(directory.path().join("a.graphql"), "{ a }").unwrap();
        std::fs::write(directory.path().join("below/b.gql"), "{ b }").unwrap();
        std::fs::write(directory.path().join("README.md"), "{").unwrap();
        let documents = PersistedDocuments::read(directory.path()).unwrap();
        assert!(documents.find(&sha256_hex(b"{ a }")).is_some());
        assert!(documents.find(&sha256_hex(b"{ b }")).is_some());
    }
}

//! The documents that the operator registered: a directory of `.graphql` files, or a manifest as client
//! tools write it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_graphql::parser::parse_query;
use serde::Deserialize;

use super::sha256;
use crate::http::dashboard;

/// Why the trusted documents cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustedError {
    /// The file or directory cannot be read.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The manifest is none.
    #[error("{path} is not a manifest of documents: {source}")]
    Manifest {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A document of it is not GraphQL.
    #[error("the document {name} of {path} is not GraphQL: {source}")]
    Document {
        /// Where it is from.
        path: PathBuf,
        /// Its name.
        name: String,
        /// Why.
        source: async_graphql::parser::Error,
    },
    /// There are none: that would lock everyone out.
    #[error("{0} holds no documents")]
    Empty(PathBuf),
}

/// The registered documents, by their hashes and by the names that the manifest gives them.
#[derive(Debug, Default)]
pub(super) struct Trusted(HashMap<String, Arc<str>>);

/// The two shapes of a manifest: Apollo's, and that of Relay and GraphQL Code Generator.
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

impl Trusted {
    pub(super) fn read(path: &Path) -> Result<Self, TrustedError> {
        let mut trusted = Self::default();
        if path.is_dir() {
            trusted.add_directory(path)?;
        } else {
            trusted.add_manifest(path)?;
        }
        if trusted.0.is_empty() {
            return Err(TrustedError::Empty(path.to_owned()));
        }
        // Our own page is part of the program, and so is what it asks.
        for text in dashboard::documents() {
            trusted.0.insert(sha256(text.as_bytes()), text.into());
        }
        Ok(trusted)
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<str>> {
        self.0.get(name).cloned()
    }

    fn add_directory(&mut self, directory: &Path) -> Result<(), TrustedError> {
        let unreadable = |source| TrustedError::Read {
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

    fn add_manifest(&mut self, path: &Path) -> Result<(), TrustedError> {
        let manifest =
            serde_json::from_str(&read(path)?).map_err(|source| TrustedError::Manifest {
                path: path.to_owned(),
                source,
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

    fn add(&mut self, path: &Path, name: String, text: String) -> Result<(), TrustedError> {
        if let Err(source) = parse_query(&text) {
            return Err(TrustedError::Document {
                path: path.to_owned(),
                name,
                source,
            });
        }
        let hash = sha256(text.as_bytes());
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

fn read(path: &Path) -> Result<String, TrustedError> {
    std::fs::read_to_string(path).map_err(|source| TrustedError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(content: &str) -> Result<Trusted, TrustedError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("manifest.json");
        std::fs::write(&path, content).unwrap();
        Trusted::read(&path)
    }

    #[test]
    fn manifests_of_the_common_tools_are_read() {
        let plain = manifest(r#"{"one":"{ a }","sha256:two":"{ b }"}"#).unwrap();
        assert_eq!(plain.find("one").as_deref(), Some("{ a }"));
        assert_eq!(plain.find("two").as_deref(), Some("{ b }"));
        assert_eq!(plain.find(&sha256(b"{ a }")).as_deref(), Some("{ a }"));
        assert_eq!(plain.find("three"), None);
        let apollo = manifest(
            r#"{"format":"apollo-persisted-query-manifest","version":1,
                "operations":[{"id":"one","name":"Q","type":"query","body":"query Q { a }"}]}"#,
        )
        .unwrap();
        assert_eq!(apollo.find("one").as_deref(), Some("query Q { a }"));
    }

    #[test]
    fn a_manifest_that_would_lock_everyone_out_is_refused() {
        assert!(matches!(manifest("{}"), Err(TrustedError::Empty(_))));
        assert!(matches!(manifest("[]"), Err(TrustedError::Manifest { .. })));
        let broken = manifest(r#"{"one":"{ a"}"#).unwrap_err();
        assert!(
            broken.to_string().starts_with("the document one of"),
            "{broken}"
        );
        let missing = Trusted::read(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(matches!(missing, TrustedError::Read { .. }));
    }

    #[test]
    fn a_directory_is_read_with_what_is_below_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("below")).unwrap();
        std::fs::write(directory.path().join("a.graphql"), "{ a }").unwrap();
        std::fs::write(directory.path().join("below/b.gql"), "{ b }").unwrap();
        std::fs::write(directory.path().join("README.md"), "{").unwrap();
        let trusted = Trusted::read(directory.path()).unwrap();
        assert!(trusted.find(&sha256(b"{ a }")).is_some());
        assert!(trusted.find(&sha256(b"{ b }")).is_some());
    }
}

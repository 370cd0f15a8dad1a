//! The parameters of a GraphQL request, from the body of a POST or the query string of a GET.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use serde_json::{Map, Value};

use super::persisted_queries::DocumentId;
use super::response::HttpError;
use crate::graphql::ParsedDocument;

/// The parameters of GraphQL over HTTP.
#[derive(Debug)]
pub(super) struct RequestParameters {
    /// The text of the document.
    pub(super) query: Option<String>,
    /// The id of a persisted document.
    pub(super) document_id: Option<DocumentId>,
    /// The operation of the document to execute.
    pub(super) operation_name: Option<String>,
    /// The values of its variables.
    pub(super) variables: Variables,
}

impl RequestParameters {
    /// The request to the schema, which takes the parsed document from the request data.
    pub(super) fn into_request(self, document: Arc<ParsedDocument>) -> Request {
        let request = Request::new(self.query.unwrap_or_default())
            .variables(self.variables)
            .data(document);
        match self.operation_name {
            Some(name) => request.operation_name(name),
            None => request,
        }
    }
}

/// Parses the body of a POST.
pub(super) fn from_body(body: &[u8]) -> Result<RequestParameters, HttpError> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| HttpError::bad_request(format!("The body is not JSON: {error}.")))?;
    match value {
        Value::Object(parameters) => from_parameters(parameters),
        Value::Array(_) => Err(HttpError::bad_request(
            "Send one operation per request: batches are not supported.",
        )),
        _ => Err(HttpError::bad_request(
            "The body must be a JSON object with the member `query`.",
        )),
    }
}

/// Parses the query string of a GET, in which `variables` and `extensions` are JSON.
pub(super) fn from_query(pairs: Vec<(String, String)>) -> Result<RequestParameters, HttpError> {
    let mut parameters = Map::new();
    for (name, text) in pairs {
        let value = match name.as_str() {
            "query" | "operationName" | "documentId" => Value::String(text),
            "variables" | "extensions" => serde_json::from_str(&text).map_err(|error| {
                HttpError::bad_request(format!("The parameter `{name}` is not JSON: {error}."))
            })?,
            _ => continue,
        };
        if parameters.insert(name, value).is_some() {
            return Err(HttpError::bad_request("A parameter occurs twice."));
        }
    }
    from_parameters(parameters)
}

/// Parses the parameters that bodies, query strings and WebSocket messages have in common.
pub(super) fn from_parameters(
    mut parameters: Map<String, Value>,
) -> Result<RequestParameters, HttpError> {
    let query = text(&mut parameters, "query")?;
    let operation_name = text(&mut parameters, "operationName")?;
    let manifest_id = text(&mut parameters, "documentId")?;
    let variables = object(&mut parameters, "variables")?;
    let extensions = object(&mut parameters, "extensions")?;
    let document_id = match (manifest_id, persisted_query(extensions)?) {
        (Some(id), None) => Some(DocumentId::Manifest(id)),
        (None, hash) => hash,
        (Some(_), Some(_)) => {
            return Err(HttpError::bad_request(
                "Send either `documentId` or `extensions.persistedQuery`, not both.",
            ));
        }
    };
    Ok(RequestParameters {
        query,
        document_id,
        operation_name,
        variables: Variables::from_json(Value::Object(variables)),
    })
}

/// The hash in `extensions.persistedQuery`. Other extensions are ignored.
fn persisted_query(mut extensions: Map<String, Value>) -> Result<Option<DocumentId>, HttpError> {
    let mut persisted = object(&mut extensions, "persistedQuery")?;
    if persisted.is_empty() {
        return Ok(None);
    }
    let version = persisted.get("version").and_then(Value::as_u64);
    match (version, text(&mut persisted, "sha256Hash")?) {
        (Some(1), Some(hash))
            if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            Ok(Some(DocumentId::Sha256(hash)))
        }
        _ => Err(HttpError::bad_request(
            "`extensions.persistedQuery` must have `version: 1` and a SHA-256 as `sha256Hash`.",
        )),
    }
}

fn text(parameters: &mut Map<String, Value>, name: &str) -> Result<Option<String>, HttpError> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(HttpError::bad_request(format!(
            "The parameter `{name}` must be a string."
        ))),
    }
}

fn object(
    parameters: &mut Map<String, Value>,
    name: &str,
) -> Result<Map<String, Value>, HttpError> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(HttpError::bad_request(format!(
            "The parameter `{name}` must be an object."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_wrong_kind_are_refused() {
        for body in [
            "",
            "{",
            "[]",
            "[{\"query\":\"{ a }\"}]",
            "\"x\"",
            "{\"query\":1}",
            "{\"query\":\"{ a }\",\"operationName\":1}",
            "{\"query\":\"{ a }\",\"variables\":[]}",
            "{\"query\":\"{ a }\",\"variables\":\"{}\"}",
            "{\"query\":\"{ a }\",\"extensions\":7}",
            "{\"query\":\"{ a }\",\"documentId\":7}",
            "{\"extensions\":{\"persistedQuery\":7}}",
            "{\"extensions\":{\"persistedQuery\":{\"version\":2,\"sha256Hash\":\"00\"}}}",
            "{\"extensions\":{\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"00\"}}}",
        ] {
            assert!(from_body(body.as_bytes()).is_err(), "{body}");
        }
        let nothing = br#"{"query":"{ a }","operationName":null,"variables":null,"extensions":null,"more":1}"#;
        assert!(from_body(nothing).is_ok());
    }
}

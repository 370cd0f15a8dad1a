//! From bytes to an operation: the parameters of a POST's body or of a GET's query string.

use async_graphql::Variables;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use serde_json::{Map, Value};

use super::answer::Refusal;
use super::documents::DocumentId;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Parameters {
    /// The text of the document.
    pub(super) query: Option<String>,
    /// Its name.
    pub(super) id: Option<DocumentId>,
    /// Which of its operations is meant.
    pub(super) operation_name: Option<String>,
    /// The values of its variables.
    pub(super) variables: Variables,
}

impl Parameters {
    /// The request to the schema, with the text that was found for it.
    pub(super) fn with_text(&self, text: &str) -> async_graphql::Request {
        let request = async_graphql::Request::new(text).variables(self.variables.clone());
        match &self.operation_name {
            Some(name) => request.operation_name(name),
            None => request,
        }
    }
}

/// Reads the body of a POST.
pub(super) fn from_body(body: &[u8]) -> Result<Parameters, Refusal> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::malformed(format!("The body is not JSON: {error}.")))?;
    match value {
        Value::Object(parameters) => from_parameters(parameters),
        Value::Array(_) => Err(Refusal::malformed(
            "Send one operation at a time: there are no batches.",
        )),
        _ => Err(Refusal::malformed(
            "The body must be a JSON object with the member `query`.",
        )),
    }
}

/// Reads the query string of a GET, in which `variables` and `extensions` are JSON.
pub(super) fn from_query(pairs: Vec<(String, String)>) -> Result<Parameters, Refusal> {
    let mut parameters = Map::new();
    for (name, text) in pairs {
        let value = match name.as_str() {
            "query" | "operationName" | "documentId" => Value::String(text),
            "variables" | "extensions" => serde_json::from_str(&text).map_err(|error| {
                Refusal::malformed(format!("The parameter `{name}` is not JSON: {error}."))
            })?,
            _ => continue,
        };
        if parameters.insert(name, value).is_some() {
            return Err(Refusal::malformed("A parameter is there twice."));
        }
    }
    from_parameters(parameters)
}

/// Reads the members that both forms have.
pub(super) fn from_parameters(mut parameters: Map<String, Value>) -> Result<Parameters, Refusal> {
    let query = text(&mut parameters, "query")?;
    let operation_name = text(&mut parameters, "operationName")?;
    let document_id = text(&mut parameters, "documentId")?;
    let variables = object(&mut parameters, "variables")?;
    let extensions = object(&mut parameters, "extensions")?;
    let id = match (document_id, persisted_query(extensions)?) {
        (Some(id), None) => Some(DocumentId::Manifest(id)),
        (None, hash) => hash,
        (Some(_), Some(_)) => {
            return Err(Refusal::malformed("Name the document once."));
        }
    };
    Ok(Parameters {
        query,
        id,
        operation_name,
        variables: Variables::from_json(Value::Object(variables)),
    })
}

/// The hash that `extensions.persistedQuery` holds. Other extensions are for protocols that are not spoken
/// here.
fn persisted_query(mut extensions: Map<String, Value>) -> Result<Option<DocumentId>, Refusal> {
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
        _ => Err(Refusal::malformed(
            "`extensions.persistedQuery` must have `version: 1` and a SHA-256 as `sha256Hash`.",
        )),
    }
}

fn text(parameters: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::malformed(format!(
            "The parameter `{name}` must be a string."
        ))),
    }
}

fn object(parameters: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, Refusal> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(Refusal::malformed(format!(
            "The parameter `{name}` must be an object."
        ))),
    }
}

/// Whether carrying the operation out changes nothing. A name that is not in the document is for the schema to
/// refuse.
pub(super) fn is_safe(document: &ExecutableDocument, name: Option<&str>) -> bool {
    let is_query = |kind: OperationType| kind == OperationType::Query;
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => is_query(operation.node.ty),
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .is_none_or(|operation| is_query(operation.node.ty)),
        // A single operation with a name is chosen without saying so; of several, none is.
        (DocumentOperations::Multiple(operations), None) => {
            operations.len() > 1
                || operations
                    .values()
                    .all(|operation| is_query(operation.node.ty))
        }
    }
}

/// Whether the operation is a subscription, which goes on after its first answer.
pub(super) fn is_subscription(document: &ExecutableDocument, name: Option<&str>) -> bool {
    let chosen = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next()
        }
        (DocumentOperations::Multiple(_), None) => None,
    };
    chosen.is_some_and(|operation| operation.node.ty == OperationType::Subscription)
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

    #[test]
    fn only_the_chosen_operation_decides_whether_a_get_is_safe() {
        let safe = |query: &str, name: Option<&str>| {
            is_safe(&async_graphql::parser::parse_query(query).unwrap(), name)
        };
        assert!(safe("{ a }", None));
        assert!(!safe("mutation { a }", None));
        assert!(!safe("subscription { a }", None));
        assert!(!safe("mutation M { a }", None));
        assert!(!safe("mutation M { a }", Some("M")));
        assert!(safe("query Q { a } mutation M { a }", Some("Q")));
        assert!(!safe("query Q { a } mutation M { a }", Some("M")));
    }
}

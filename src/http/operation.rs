//! From bytes to an operation: the parameters of a POST's body or of a GET's query string.

use async_graphql::Variables;
use async_graphql::parser::types::{DocumentOperations, OperationType};
use serde_json::{Map, Value};

use super::answer::Refusal;

/// Reads the body of a POST.
pub(super) fn from_body(body: &[u8]) -> Result<async_graphql::Request, Refusal> {
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
pub(super) fn from_query(pairs: Vec<(String, String)>) -> Result<async_graphql::Request, Refusal> {
    let mut parameters = Map::new();
    for (name, text) in pairs {
        let value = match name.as_str() {
            "query" | "operationName" => Value::String(text),
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

fn from_parameters(mut parameters: Map<String, Value>) -> Result<async_graphql::Request, Refusal> {
    let Some(Value::String(query)) = parameters.remove("query") else {
        return Err(Refusal::malformed(
            "The parameter `query` must be a string: the operation to carry out.",
        ));
    };
    let mut request = async_graphql::Request::new(query);
    match parameters.remove("operationName") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) => request = request.operation_name(name),
        Some(_) => {
            return Err(Refusal::malformed(
                "The parameter `operationName` must be a string.",
            ));
        }
    }
    let variables = object(&mut parameters, "variables")?;
    // Extensions are for protocols that are not spoken here; only their form is checked.
    object(&mut parameters, "extensions")?;
    Ok(request.variables(Variables::from_json(Value::Object(variables))))
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

/// Whether carrying the operation out changes nothing. What does not parse changes nothing either: the schema
/// will say what is wrong with it.
pub(super) fn is_safe(request: &mut async_graphql::Request) -> bool {
    let name = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else {
        return true;
    };
    let is_query = |kind: OperationType| kind == OperationType::Query;
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => is_query(operation.node.ty),
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name.as_str())
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
            "{}",
            "{\"query\":1}",
            "{\"query\":null}",
            "{\"query\":\"{ a }\",\"operationName\":1}",
            "{\"query\":\"{ a }\",\"variables\":[]}",
            "{\"query\":\"{ a }\",\"variables\":\"{}\"}",
            "{\"query\":\"{ a }\",\"extensions\":7}",
        ] {
            assert!(from_body(body.as_bytes()).is_err(), "{body}");
        }
        let nothing = br#"{"query":"{ a }","operationName":null,"variables":null,"extensions":null,"more":1}"#;
        assert!(from_body(nothing).is_ok());
    }

    #[test]
    fn only_the_chosen_operation_decides_whether_a_get_is_safe() {
        let safe = |query: &str, name: Option<&str>| {
            let request = async_graphql::Request::new(query);
            is_safe(&mut match name {
                Some(name) => request.operation_name(name),
                None => request,
            })
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

//! Errors as Shopify writes them.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::validation::DiagnosticList;
use serde_json::{Value, json};

/// A place in the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Location {
    fn shown(self) -> Value {
        json!([{ "line": self.line, "column": self.column }])
    }
}

/// An error at a place of the document, before anything was executed.
pub(crate) fn at(message: &str, location: Location, extensions: &Value) -> Value {
    json!({ "message": message, "locations": location.shown(), "extensions": extensions })
}

/// An error of a field.
pub(crate) fn of_field(
    message: &str,
    location: Location,
    path: &[Value],
    extensions: &Value,
) -> Value {
    json!({
        "message": message,
        "locations": location.shown(),
        "extensions": extensions,
        "path": path,
    })
}

/// The error of a request that the field refuses.
pub(crate) fn bad_request() -> Value {
    json!({ "code": "BAD_REQUEST" })
}

/// The error for an id that is no global id, in a variable.
pub(crate) fn invalid_id_variable(
    name: &str,
    declared: &str,
    location: Location,
    given: &Value,
    id: &str,
    path: &Value,
) -> Value {
    let explanation = format!("Invalid global id '{id}'");
    at(
        &format!("Variable ${name} of type {declared} was provided invalid value"),
        location,
        &json!({
            "code": "INVALID_VARIABLE",
            "value": given,
            "problems": [{ "path": path, "explanation": explanation, "message": explanation }],
        }),
    )
}

/// The error for an id that is no global id, written into the document.
pub(crate) fn invalid_id_literal(id: &str, location: Location) -> Value {
    at(
        &format!("Invalid global id '{id}'"),
        location,
        &json!({ "code": "argumentLiteralsIncompatible", "typeName": "CoercionError" }),
    )
}

/// The texts between double quotes.
fn quoted(message: &str) -> Vec<&str> {
    message.split('"').skip(1).step_by(2).collect()
}

/// What validation found, said as Shopify says it.
pub(crate) fn of_validation(
    diagnostics: &DiagnosticList,
    document: Option<&ExecutableDocument>,
) -> Vec<Value> {
    let operation = document
        .and_then(|document| document.operations.iter().next())
        .map_or_else(
            || "query".to_owned(),
            |operation| {
                let kind = operation.operation_type.name();
                operation
                    .name
                    .as_ref()
                    .map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"))
            },
        );
    // A field that does not exist leaves an empty selection behind, which is no error of its own.
    let undefined = diagnostics
        .iter()
        .any(|one| one.error.unstable_error_name() == Some("UndefinedField"));
    diagnostics
        .iter()
        .filter(|one| !undefined || one.error.unstable_error_name() != Some("MissingSubselection"))
        .map(|diagnostic| {
            let location = diagnostic
                .line_column_range()
                .map_or_else(Location::default, |range| Location {
                    line: range.start.line,
                    column: range.start.column,
                });
            let message = diagnostic
                .error
                .unstable_compat_message()
                .unwrap_or_else(|| diagnostic.error.to_string());
            let words = quoted(&message);
            match (diagnostic.error.unstable_error_name(), words.as_slice()) {
                (Some("UndefinedField"), [field, of_type, ..]) => with_path(
                    &format!("Field '{field}' doesn't exist on type '{of_type}'"),
                    location,
                    &[&operation, field],
                    &json!({ "code": "undefinedField", "typeName": of_type, "fieldName": field }),
                ),
                (Some("RequiredArgument"), [field, argument, ..]) => {
                    let field = field.rsplit('.').next().unwrap_or(field);
                    with_path(
                        &format!("Field '{field}' is missing required arguments: {argument}"),
                        location,
                        &[&operation, field],
                        &json!({
                            "code": "missingRequiredArguments",
                            "className": "Field",
                            "name": field,
                            "arguments": argument,
                        }),
                    )
                }
                (Some("UndefinedArgument"), [argument, coordinate, ..]) => {
                    let field = coordinate.rsplit('.').next().unwrap_or(coordinate);
                    with_path(
                        &format!("Field '{field}' doesn't accept argument '{argument}'"),
                        location,
                        &[&operation, field, argument],
                        &json!({
                            "code": "argumentNotAccepted",
                            "name": field,
                            "typeName": "Field",
                            "argumentName": argument,
                        }),
                    )
                }
                (Some(name), _) => {
                    let mut code = name.to_owned();
                    if let Some(first) = code.get_mut(..1) {
                        first.make_ascii_lowercase();
                    }
                    at(&message, location, &json!({ "code": code }))
                }
                (None, _) => json!({
                    "message": format!("syntax error: {message}"),
                    "locations": location.shown(),
                }),
            }
        })
        .collect()
}

fn with_path(message: &str, location: Location, path: &[&str], extensions: &Value) -> Value {
    let path: Vec<Value> = path.iter().map(|step| json!(step)).collect();
    of_field(message, location, &path, extensions)
}

/// The answer to a query that the bucket has no points for.
pub(crate) fn throttled() -> Value {
    json!({
        "message": "Throttled",
        "extensions": {
            "code": "THROTTLED",
            "documentation": "https://shopify.dev/api/usage/rate-limits",
        },
    })
}

/// The answer to a query that no bucket has points for.
pub(crate) fn too_expensive(cost: u32, limit: u32) -> Value {
    json!({
        "message": format!(
            "Query cost is {cost}, which exceeds the single query max cost limit ({limit}).\n\n\
             See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the\n\
             cost of a query is calculated.\n\n\
             To query larger amounts of data with fewer limits, bulk operations should be used instead.\n\
             See https://shopify.dev/tutorials/perform-bulk-operations-with-admin-api for usage details.\n"
        ),
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": cost,
            "maxCost": limit,
            "documentation": "https://shopify.dev/api/usage/rate-limits",
        },
    })
}

/// The answer of a Shopify that failed.
pub(crate) fn internal(request_id: &str) -> Value {
    json!({
        "message": format!(
            "Internal error. Looks like something went wrong on our end.\nRequest ID: {request_id} \
             (include this in support requests)."
        ),
        "extensions": { "code": "INTERNAL_SERVER_ERROR", "requestId": request_id },
    })
}

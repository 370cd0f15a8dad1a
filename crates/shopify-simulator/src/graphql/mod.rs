//! Answers GraphQL documents over a store.
//!
//! A document is parsed and validated against `schema.graphql`, made into a plan, priced, and written. It
//! never changes the store: what a mutation did is decided before and handed in with the view.

mod bulk_fields;
mod cost;
mod errors;
mod names;
mod paging;
mod plan;
mod resolve;
mod roots;
mod view;
mod write;

use apollo_compiler::ast::OperationType;
use apollo_compiler::executable::Operation;
use apollo_compiler::response::JsonMap;
use apollo_compiler::{ExecutableDocument, Node};
use serde_json::{Map, Value};

pub(crate) use errors::{internal, throttled, too_expensive};
pub(crate) use names::FieldName;
pub(crate) use plan::{Planned, Planner, SCHEMA};
pub(crate) use view::{Access, FieldError, Object, Resolved, ShopFacts, View};
pub(crate) use write::{Nulled, Writer};

/// The body of a request.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Request {
    #[serde(default)]
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) variables: Option<Map<String, Value>>,
    #[serde(default, rename = "operationName")]
    pub(crate) operation_name: Option<String>,
}

/// A request ready to run.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) fields: Vec<Planned>,
    pub(crate) is_mutation: bool,
    pub(crate) requested_cost: u32,
}

/// What a request is called: its operation's name, for statistics and scripted faults.
pub(crate) fn operation_name(request: &Request) -> String {
    if let Some(name) = request
        .operation_name
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        return name.to_owned();
    }
    let mut words = request
        .query
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let starts = words.find(|word| matches!(*word, "query" | "mutation"));
    let name = starts.and_then(|_| words.find(|word| !word.is_empty()));
    let named = name.filter(|_| !request.query.trim_start().starts_with('{'));
    named.unwrap_or("anonymous").to_owned()
}

/// Parses, validates and prices a request; the errors are those of the answer.
pub(crate) fn prepare(request: &Request) -> Result<Prepared, Vec<Value>> {
    let document =
        ExecutableDocument::parse_and_validate(&SCHEMA, request.query.as_str(), "query.graphql")
            .map_err(|invalid| errors::of_validation(&invalid.errors, Some(&invalid.partial)))?;
    let operation = document
        .operations
        .get(
            request
                .operation_name
                .as_deref()
                .filter(|name| !name.is_empty()),
        )
        .map_err(|_| vec![serde_json::json!({ "message": "An operation name is required" })])?;
    let variables = variables(&document, operation, request.variables.as_ref())?;
    let planner = Planner::new(&document, &variables);
    let fields = planner
        .plan(operation)
        .map_err(|unanswered| vec![serde_json::json!({ "message": unanswered.to_string() })])?;
    check_literal_ids(&fields)?;
    Ok(Prepared {
        requested_cost: cost::requested(&fields).max(1),
        fields,
        is_mutation: operation.operation_type == OperationType::Mutation,
    })
}

fn variables(
    document: &ExecutableDocument,
    operation: &Node<Operation>,
    given: Option<&Map<String, Value>>,
) -> Result<JsonMap, Vec<Value>> {
    let given = given.cloned().unwrap_or_default();
    let mut found = Vec::new();
    for definition in &operation.variables {
        if definition.ty.inner_named_type() != "ID" {
            continue;
        }
        let Some(value) = given.get(definition.name.as_str()) else {
            continue;
        };
        let location = definition
            .location()
            .and_then(|span| span.line_column(&document.sources))
            .map_or_else(errors::Location::default, |at| errors::Location {
                line: at.line,
                column: at.column,
            });
        for (path, id) in ids(value) {
            if view::read_gid(id).is_none() {
                let declared = definition.ty.to_string();
                found.push(errors::invalid_id_variable(
                    &definition.name,
                    &declared,
                    location,
                    value,
                    id,
                    &path,
                ));
            }
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let given: JsonMap = serde_json::from_value(Value::Object(given)).unwrap_or_default();
    let coerced = apollo_compiler::request::coerce_variable_values(&SCHEMA, operation, &given);
    coerced
        .map(apollo_compiler::validation::Valid::into_inner)
        .map_err(|error| {
            let message = error.message().to_string();
            let extensions = serde_json::json!({ "code": "INVALID_VARIABLE" });
            vec![errors::at(
                &message,
                errors::Location::default(),
                &extensions,
            )]
        })
}

/// The ids in a variable's value, each with its path.
fn ids(value: &Value) -> Vec<(Value, &str)> {
    match value {
        Value::String(id) => vec![(serde_json::json!([]), id)],
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter_map(|(place, item)| Some((serde_json::json!([place]), item.as_str()?)))
            .collect(),
        _ => Vec::new(),
    }
}

/// Refuses ids in the document that are none. Those in variables were checked before.
fn check_literal_ids(fields: &[Planned]) -> Result<(), Vec<Value>> {
    let given = fields.iter().flat_map(|field| {
        ["id", "ids"]
            .into_iter()
            .filter_map(move |name| Some((field, field.arguments.get(name)?)))
    });
    for (field, value) in given {
        if let Some((_, id)) = ids(value)
            .into_iter()
            .find(|(_, id)| view::read_gid(id).is_none())
        {
            return Err(vec![errors::invalid_id_literal(id, field.location)]);
        }
    }
    Ok(())
}

/// What running a request gave.
pub(crate) struct Answer {
    /// The JSON text of `data`.
    pub(crate) data: String,
    pub(crate) errors: Vec<Value>,
    pub(crate) searches: Vec<Value>,
    pub(crate) actual_cost: u32,
}

/// Runs a prepared request.
pub(crate) fn execute(prepared: &Prepared, view: &View<'_>) -> Answer {
    let root = if prepared.is_mutation {
        Object::Mutation
    } else {
        Object::Query
    };
    let mut writer = Writer::new(view, false);
    let written = writer.object(root, &prepared.fields);
    let (data, actual) = match written {
        Ok(cost) => (
            String::from_utf8_lossy(&writer.out).into_owned(),
            cost.max(1),
        ),
        Err(Nulled) => ("null".to_owned(), 2),
    };
    Answer {
        data,
        errors: writer.errors,
        searches: view.searches.take(),
        actual_cost: actual.min(prepared.requested_cost),
    }
}

/// What validation found, as Shopify's messages alone.
pub(crate) fn validation_messages(
    found: &apollo_compiler::validation::DiagnosticList,
    document: &ExecutableDocument,
) -> Vec<String> {
    errors::of_validation(found, Some(document))
        .iter()
        .filter_map(|error| {
            error
                .get("message")
                .and_then(Value::as_str)
                .map(str::to_owned)
        })
        .collect()
}

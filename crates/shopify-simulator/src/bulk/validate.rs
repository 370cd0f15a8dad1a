//! What a bulk query may hold, with Shopify's own messages.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Definition, Document, OperationType};
use apollo_compiler::response::JsonMap;
use apollo_compiler::{ExecutableDocument, executable};

use super::UserError;
use crate::graphql::{FieldName, Planned, Planner, SCHEMA};

/// The longest query, in bytes.
const LONGEST: usize = 65_535;
/// The most connections.
const MAX_CONNECTIONS: usize = 5;
/// The deepest connection below the root one.
const DEEPEST: usize = 2;

/// A bulk query ready to run.
#[derive(Debug)]
pub(crate) struct BulkPlan {
    pub(crate) fields: Vec<Planned>,
    /// The keys of the root connections, for scripted faults and statistics.
    pub(crate) roots: Vec<&'static str>,
}

/// Checks a bulk query and makes its plan.
pub(crate) fn check(query: &str) -> Result<BulkPlan, Vec<UserError>> {
    let one = |message: String| vec![UserError::invalid(message)];
    if query.len() > LONGEST {
        return Err(one("Query is too long (maximum is 65535 bytes).".to_owned()));
    }
    if query.trim().is_empty() {
        let message = "Invalid bulk query: syntax error, unexpected end of file";
        return Err(one(message.to_owned()));
    }
    let syntax = Document::parse(query, "bulk.graphql").unwrap_or_else(|invalid| invalid.partial);
    let is_query = |definition: &Definition| match definition {
        Definition::OperationDefinition(operation) => {
            operation.operation_type == OperationType::Query
        }
        _ => true,
    };
    if !syntax.definitions.iter().all(is_query) {
        let message = "Invalid operation type. Only `query` operations are supported.";
        return Err(one(message.to_owned()));
    }
    let document = ExecutableDocument::parse_and_validate(&SCHEMA, query, "bulk.graphql").map_err(
        |invalid| {
            let found = crate::graphql::validation_messages(&invalid.errors, &invalid.partial);
            found
                .into_iter()
                .map(|message| UserError::invalid(format!("Invalid bulk query: {message}")))
                .collect::<Vec<_>>()
        },
    )?;
    let operation: &executable::Operation = document
        .operations
        .get(None)
        .map_err(|_| one("Invalid bulk query: exactly one operation is expected".to_owned()))?;
    let variables = JsonMap::default();
    let fields = Planner::for_bulk(&document, &variables)
        .plan(operation)
        .map_err(|unanswered| one(unanswered.to_string()))?;
    let mut walk = Walk::default();
    walk.fields(&fields, &mut Vec::new(), 0, false);
    let errors = walk.errors(&fields);
    if !errors.is_empty() {
        return Err(errors);
    }
    let roots = fields.iter().filter(|field| field.is_connection());
    let roots = roots.map(|field| field.name.as_str()).collect();
    Ok(BulkPlan { fields, roots })
}

/// What was found on the way through a query.
#[derive(Default)]
struct Walk {
    connections: BTreeSet<Vec<String>>,
    by_nodes: BTreeSet<String>,
    without_id: BTreeSet<String>,
    too_deep: bool,
    in_list: bool,
}

impl Walk {
    fn fields(&mut self, fields: &[Planned], path: &mut Vec<String>, depth: usize, in_list: bool) {
        for field in fields {
            path.push(field.key.clone());
            if field.is_connection() {
                self.connection(field, path, depth, in_list);
            } else {
                for shape in &field.shapes {
                    self.fields(&shape.fields, path, depth, in_list || field.list);
                }
            }
            path.pop();
        }
    }

    fn connection(&mut self, field: &Planned, path: &mut Vec<String>, depth: usize, in_list: bool) {
        self.connections.insert(path.clone());
        self.in_list |= in_list;
        self.too_deep |= depth > DEEPEST;
        if field.child(FieldName::Nodes).is_some() {
            self.by_nodes.insert(field.name.as_str().to_owned());
        }
        let Some(node) = node(field) else { return };
        for shape in &node.shapes {
            let before = self.connections.len();
            self.fields(&shape.fields, path, depth + 1, false);
            let nests =
                self.connections.len() > before || shape.fields.iter().any(Planned::is_connection);
            let has_id = shape
                .fields
                .iter()
                .any(|field| field.name == FieldName::Id && field.key == "id");
            if nests && !has_id {
                self.without_id.insert(field.name.as_str().to_owned());
            }
        }
    }

    fn errors(self, fields: &[Planned]) -> Vec<UserError> {
        let mut errors = Vec::new();
        let joined =
            |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        if fields.iter().any(|field| field.name == FieldName::Node) {
            errors.push("Bulk queries cannot contain a top level `node` field.".to_owned());
        }
        if fields.iter().any(|field| field.name == FieldName::Nodes) {
            errors.push("Bulk queries cannot contain a top level `nodes` field.".to_owned());
        }
        if self.connections.is_empty() {
            errors.push("Bulk queries must contain at least one connection.".to_owned());
        }
        if let Some(first) = self.by_nodes.first() {
            let names = joined(&self.by_nodes);
            errors.push(format!(
                "All connection fields in a bulk query must select their contents using 'edges' > \
                 'node', e.g: '{first} {{ edges {{ node {{'. Selecting via 'nodes' is not \
                 supported. Invalid connection fields: '{names}'."
            ));
        }
        if self.connections.len() > MAX_CONNECTIONS {
            errors.push("Bulk queries cannot contain more than 5 connections.".to_owned());
        }
        if self.too_deep {
            errors.push(
                "Bulk queries cannot contain connections with a nesting depth greater than 2."
                    .to_owned(),
            );
        }
        if !self.without_id.is_empty() {
            let names = joined(&self.without_id);
            errors.push(format!(
                "The parent 'node' field for a nested connection must select the 'id' field \
                 without an alias and must be of 'ID' return type. Connection fields without \
                 'id': {names}."
            ));
        }
        if self.in_list {
            errors.push(
                "Queries that contain a connection field within a list field are not currently \
                 supported."
                    .to_owned(),
            );
        }
        errors.into_iter().map(UserError::invalid).collect()
    }
}

/// The `edges { node }` of a connection.
pub(crate) fn node(connection: &Planned) -> Option<&Planned> {
    connection.child(FieldName::Edges)?.child(FieldName::Node)
}

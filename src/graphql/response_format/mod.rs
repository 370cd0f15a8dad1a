//! Response formatting: value completion and the propagation of nulls, as the GraphQL specification defines
//! them (sections 6.4.3 "Value Completion", 6.4.4 "Handling Field Errors" and 7.1 "Response Format").
//!
//! async-graphql deviates from the specification in two ways. It orders the fields of an object by the time
//! at which they were resolved, and it omits fields that failed. The specification asks for the order of the
//! selection set, null for a nullable field that failed, and a null parent for a non-null field that failed.
//! So the data is completed again after the execution.
//!
//! The concrete type of a value of an interface or union is not always part of the response. Where it is
//! needed, [`add_hidden_typenames`] selects `__typename` under a hidden name, which is removed here.

mod collect_fields;
mod schema_types;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, SelectionSet,
};
use async_graphql::{Name, Response, Value, Variables};

pub(super) use collect_fields::add_hidden_typenames;
use collect_fields::{CollectedField, Execution};
pub(super) use schema_types::SchemaTypes;
use schema_types::{FieldType, TypeKind};

/// The response key of the hidden `__typename`.
const HIDDEN_TYPENAME: &str = "xboard__typename";

/// Completes the data of a response. [`add_hidden_typenames`] has been applied to the document.
pub(super) fn complete_response(
    types: &SchemaTypes,
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
    response: &mut Response,
) {
    let Some(operation) = selected_operation(document, operation_name) else {
        return;
    };
    let execution = Execution {
        document,
        operation,
        variables,
        types,
    };
    response.data = complete_root(&execution, std::mem::take(&mut response.data));
}

fn selected_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => Some(&operations.get(name)?.node),
        (DocumentOperations::Multiple(operations), None) => Some(&operations.values().next()?.node),
    }
}

/// A non-null field or list item has no value: its parent becomes null.
struct NullViolation;

fn complete_root(execution: &Execution<'_>, data: Value) -> Value {
    let fields = match data {
        Value::Object(fields) => fields,
        // All fields failed or were skipped.
        _ => IndexMap::new(),
    };
    let sets = [&execution.operation.selection_set.node];
    let root = execution.types.root(execution.operation.ty);
    complete_object(execution, root, &sets, fields).map_or(Value::Null, Value::Object)
}

fn complete_object(
    execution: &Execution<'_>,
    type_name: &str,
    sets: &[&SelectionSet],
    fields: IndexMap<Name, Value>,
) -> Result<IndexMap<Name, Value>, NullViolation> {
    complete_fields(execution, &execution.typed_fields(type_name, sets), fields)
}

/// The fields of an object, in the order of the selection set.
fn complete_fields(
    execution: &Execution<'_>,
    collected: &[(CollectedField<'_>, Option<&FieldType>)],
    mut fields: IndexMap<Name, Value>,
) -> Result<IndexMap<Name, Value>, NullViolation> {
    let is_ordered = fields.len() == collected.len()
        && fields
            .keys()
            .zip(collected)
            .all(|(key, (field, _))| key == field.response_key && !field.is_hidden());
    if is_ordered {
        for (value, (field, field_type)) in fields.values_mut().zip(collected) {
            *value = complete_field(execution, field, *field_type, std::mem::take(value))?;
        }
        return Ok(fields);
    }
    let mut completed = IndexMap::with_capacity(collected.len());
    for (field, field_type) in collected.iter().filter(|(field, _)| !field.is_hidden()) {
        let value = fields.swap_remove(field.response_key).unwrap_or_default();
        let value = complete_field(execution, field, *field_type, value)?;
        completed.insert(Name::new(field.response_key), value);
    }
    Ok(completed)
}

fn complete_field(
    execution: &Execution<'_>,
    field: &CollectedField<'_>,
    field_type: Option<&FieldType>,
    value: Value,
) -> Result<Value, NullViolation> {
    match field_type {
        Some(field_type) => complete_value(execution, field_type, field, value),
        // Introspection fields have no type here, and cannot fail.
        None => Ok(order_fields(execution, &field.selection_sets, value)),
    }
}

fn complete_value(
    execution: &Execution<'_>,
    field_type: &FieldType,
    field: &CollectedField<'_>,
    value: Value,
) -> Result<Value, NullViolation> {
    let sets = &field.selection_sets;
    let value = match (&field_type.kind, value) {
        (TypeKind::List(item), Value::List(values)) => {
            complete_list(execution, item, field, values)
        }
        (TypeKind::Object(name), Value::Object(fields)) => {
            complete_object(execution, name, sets, fields).map_or(Value::Null, Value::Object)
        }
        (TypeKind::Abstract(_), Value::Object(fields)) => {
            let name = match fields.get(HIDDEN_TYPENAME) {
                Some(Value::String(name)) => name.clone(),
                _ => return Ok(Value::Object(fields)),
            };
            complete_object(execution, &name, sets, fields).map_or(Value::Null, Value::Object)
        }
        (_, value) => value,
    };
    if field_type.non_null && value == Value::Null {
        Err(NullViolation)
    } else {
        Ok(value)
    }
}

/// Completes the items of a list. The fields of their selection sets are collected once for all items.
fn complete_list(
    execution: &Execution<'_>,
    item: &FieldType,
    field: &CollectedField<'_>,
    values: Vec<Value>,
) -> Value {
    let collected = match &item.kind {
        TypeKind::Object(name) => Some(execution.typed_fields(name, &field.selection_sets)),
        _ => None,
    };
    let items = values.into_iter().map(|value| match (&collected, value) {
        (Some(collected), Value::Object(fields)) => {
            match complete_fields(execution, collected, fields) {
                Ok(fields) => Ok(Value::Object(fields)),
                Err(NullViolation) if item.non_null => Err(NullViolation),
                Err(NullViolation) => Ok(Value::Null),
            }
        }
        (_, value) => complete_value(execution, item, field, value),
    });
    let items: Result<Vec<_>, NullViolation> = items.collect();
    items.map_or(Value::Null, Value::List)
}

/// Orders the fields of introspection results.
fn order_fields(execution: &Execution<'_>, sets: &[&SelectionSet], value: Value) -> Value {
    match value {
        Value::List(values) => Value::List(
            values
                .into_iter()
                .map(|value| order_fields(execution, sets, value))
                .collect(),
        ),
        Value::Object(mut fields) => {
            let mut ordered = IndexMap::new();
            for field in execution.collect_fields("", sets) {
                if let Some(value) = fields.swap_remove(field.response_key) {
                    ordered.insert(
                        Name::new(field.response_key),
                        order_fields(execution, &field.selection_sets, value),
                    );
                }
            }
            ordered.extend(fields);
            Value::Object(ordered)
        }
        other => other,
    }
}

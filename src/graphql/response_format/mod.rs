//! Completes answers as the specification says. async-graphql puts fields in the order in which they were
//! resolved and leaves out those that failed; here they come in the order they were asked for, a nullable
//! field that failed is null, and a non-null one makes the nearest nullable field around it null.
//!
//! What a value of an interface is, its selection does not always say: a hidden `__typename` is asked for
//! where it matters, and taken out of the answer.

mod selections;
mod shape;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, SelectionSet,
};
use async_graphql::{Name, Response, Value, Variables};

pub(super) use selections::ask_for_types;
use selections::{Asked, Selected};
pub(super) use shape::Shape;
use shape::{Kind, Typed};

/// What the hidden `__typename` is called in the answer.
const HIDDEN: &str = "xboard__typename";

/// Completes the answer to an operation of a document in which [`ask_for_types`] has been.
pub(super) fn complete(
    shape: &Shape,
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
    response: &mut Response,
) {
    let Some(operation) = chosen(document, operation_name) else {
        return;
    };
    let asked = Asked {
        document,
        operation,
        variables,
        shape,
    };
    response.data = complete_root(&asked, std::mem::take(&mut response.data));
}

fn chosen<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => Some(&operations.get(name)?.node),
        (DocumentOperations::Multiple(operations), None) => Some(&operations.values().next()?.node),
    }
}

/// A non-null place that holds nothing: the place around it holds nothing either.
struct Nothing;

fn complete_root(asked: &Asked<'_>, data: Value) -> Value {
    let fields = match data {
        Value::Object(fields) => fields,
        // Every field failed, or none was asked for.
        _ => IndexMap::new(),
    };
    let sets = [&asked.operation.selection_set.node];
    let root = asked.shape.root(asked.operation.ty);
    complete_object(asked, root, &sets, fields).map_or(Value::Null, Value::Object)
}

/// The fields of an object in the order they were asked for, each as its type allows.
fn complete_object(
    asked: &Asked<'_>,
    type_name: &str,
    sets: &[&SelectionSet],
    fields: IndexMap<Name, Value>,
) -> Result<IndexMap<Name, Value>, Nothing> {
    complete_fields(asked, &asked.typed_fields(type_name, sets), fields)
}

fn complete_fields(
    asked: &Asked<'_>,
    wanted: &[(Selected<'_>, Option<&Typed>)],
    mut fields: IndexMap<Name, Value>,
) -> Result<IndexMap<Name, Value>, Nothing> {
    let in_order = fields.len() == wanted.len()
        && fields
            .keys()
            .zip(wanted)
            .all(|(key, (selected, _))| key == selected.key && selected.key != HIDDEN);
    if in_order {
        for (value, (selected, typed)) in fields.values_mut().zip(wanted) {
            let complete = complete_field(asked, selected, *typed, std::mem::take(value))?;
            *value = complete;
        }
        return Ok(fields);
    }
    let mut completed = IndexMap::with_capacity(wanted.len());
    for (selected, typed) in wanted {
        let value = fields.swap_remove(selected.key).unwrap_or_default();
        if selected.key == HIDDEN {
            continue;
        }
        let value = complete_field(asked, selected, *typed, value)?;
        completed.insert(Name::new(selected.key), value);
    }
    Ok(completed)
}

fn complete_field(
    asked: &Asked<'_>,
    selected: &Selected<'_>,
    typed: Option<&Typed>,
    value: Value,
) -> Result<Value, Nothing> {
    match typed {
        Some(typed) => complete_value(asked, typed, selected, value),
        // Introspection: its answer is about the schema and cannot fail in parts.
        None => Ok(reorder(asked, &selected.sets, value)),
    }
}

fn complete_value(
    asked: &Asked<'_>,
    typed: &Typed,
    selected: &Selected<'_>,
    value: Value,
) -> Result<Value, Nothing> {
    let value = match (&typed.kind, value) {
        (Kind::List(item), Value::List(values)) => complete_list(asked, item, selected, values),
        (Kind::Object(name), Value::Object(fields)) => {
            complete_object(asked, name, &selected.sets, fields).map_or(Value::Null, Value::Object)
        }
        (Kind::Abstract(_), Value::Object(fields)) => {
            let name = match fields.get(HIDDEN) {
                Some(Value::String(name)) => name.clone(),
                _ => return Ok(Value::Object(fields)),
            };
            complete_object(asked, &name, &selected.sets, fields).map_or(Value::Null, Value::Object)
        }
        (_, value) => value,
    };
    if typed.non_null && value == Value::Null {
        Err(Nothing)
    } else {
        Ok(value)
    }
}

/// What is asked of the objects of a list is found out once.
fn complete_list(
    asked: &Asked<'_>,
    item: &Typed,
    selected: &Selected<'_>,
    values: Vec<Value>,
) -> Value {
    let wanted = match &item.kind {
        Kind::Object(name) => Some(asked.typed_fields(name, &selected.sets)),
        _ => None,
    };
    let items = values.into_iter().map(|value| match (&wanted, value) {
        (Some(wanted), Value::Object(fields)) => match complete_fields(asked, wanted, fields) {
            Ok(fields) => Ok(Value::Object(fields)),
            Err(Nothing) if item.non_null => Err(Nothing),
            Err(Nothing) => Ok(Value::Null),
        },
        (_, value) => complete_value(asked, item, selected, value),
    });
    let items: Result<Vec<_>, Nothing> = items.collect();
    items.map_or(Value::Null, Value::List)
}

/// The same order for what has no types here.
fn reorder(asked: &Asked<'_>, sets: &[&SelectionSet], value: Value) -> Value {
    match value {
        Value::List(values) => Value::List(
            values
                .into_iter()
                .map(|value| reorder(asked, sets, value))
                .collect(),
        ),
        Value::Object(mut fields) => {
            let mut ordered = IndexMap::new();
            for selected in asked.fields("", sets) {
                if let Some(value) = fields.swap_remove(selected.key) {
                    ordered.insert(
                        Name::new(selected.key),
                        reorder(asked, &selected.sets, value),
                    );
                }
            }
            ordered.extend(fields);
            Value::Object(ordered)
        }
        other => other,
    }
}

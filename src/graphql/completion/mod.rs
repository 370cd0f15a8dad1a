//! Completes answers as the specification says. async-graphql puts fields in the order in which they were
//! resolved and leaves out those that failed; here they come in the order they were asked for, a nullable
//! field that failed is null, and a non-null one makes the nearest nullable field around it null.
//!
//! What a value of an interface is, its selection does not always say: a hidden `__typename` is asked for
//! where it matters, and taken out of the answer.

mod selections;
mod shape;

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery,
};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, SelectionSet,
};
use async_graphql::{Name, Response, ServerResult, Value, Variables};

use selections::{Asked, Selected};
pub(super) use shape::Shape;
use shape::{Kind, Typed};

/// What the hidden `__typename` is called in the answer.
const HIDDEN: &str = "xboard__typename";

/// Registers the completion with a schema of this shape.
pub(super) struct CompletionFactory(pub(super) Arc<Shape>);

impl ExtensionFactory for CompletionFactory {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Completion {
            shape: Arc::clone(&self.0),
            asked: Mutex::new(None),
        })
    }
}

/// The completion of one request's answers.
struct Completion {
    shape: Arc<Shape>,
    asked: Mutex<Option<Arc<(ExecutableDocument, Variables)>>>,
}

#[async_graphql::async_trait::async_trait]
impl Extension for Completion {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let mut document = next.run(ctx, query, variables).await?;
        selections::ask_for_types(&mut document, &self.shape);
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Arc::new((document.clone(), variables.clone())));
        Ok(document)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(ctx, operation_name).await;
        let asked = self
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(asked) = asked
            && let Some(operation) = chosen(&asked.0, operation_name)
        {
            let asked = Asked {
                document: &asked.0,
                operation,
                variables: &asked.1,
                shape: &self.shape,
            };
            response.data = complete_root(&asked, std::mem::take(&mut response.data));
        }
        response
    }
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
    mut fields: IndexMap<Name, Value>,
) -> Result<IndexMap<Name, Value>, Nothing> {
    let mut completed = IndexMap::new();
    for selected in asked.fields(type_name, sets) {
        let value = fields.swap_remove(selected.key).unwrap_or_default();
        if selected.key == HIDDEN {
            continue;
        }
        let value = match asked.shape.field(type_name, selected.name) {
            Some(typed) => complete_value(asked, typed, &selected, value)?,
            // Introspection: its answer is about the schema and cannot fail in parts.
            None => reorder(asked, &selected.sets, value),
        };
        completed.insert(Name::new(selected.key), value);
    }
    Ok(completed)
}

fn complete_value(
    asked: &Asked<'_>,
    typed: &Typed,
    selected: &Selected<'_>,
    value: Value,
) -> Result<Value, Nothing> {
    let value = match (&typed.kind, value) {
        (Kind::List(item), Value::List(values)) => {
            let items: Result<Vec<_>, _> = values
                .into_iter()
                .map(|value| complete_value(asked, item, selected, value))
                .collect();
            items.map_or(Value::Null, Value::List)
        }
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

//! The complexity of one item of a page. async-graphql computes the same sum before it executes an operation;
//! this one is used afterwards, to refund the items that a page did not hold.

use async_graphql::{SelectionField, Value};

use crate::graphql::pagination::page_cost;

/// The complexity of the selections below a field, counted once.
pub(in crate::graphql) fn complexity_of_selections(field: SelectionField<'_>) -> usize {
    field
        .selection_set()
        .map(complexity)
        .fold(0, usize::saturating_add)
}

fn complexity(field: SelectionField<'_>) -> usize {
    let selections = complexity_of_selections(field);
    let is_connection = field
        .selection_set()
        .any(|child| matches!(child.name(), "nodes" | "edges" | "pageInfo" | "totalCount"));
    if is_connection {
        let arguments = field.arguments().unwrap_or_default();
        let number = |wanted: &str| {
            let (_, value) = arguments.iter().find(|(name, _)| name == wanted)?;
            match value {
                Value::Number(number) => number.as_i64().and_then(|n| i32::try_from(n).ok()),
                _ => None,
            }
        };
        page_cost(number("first"), number("last"), selections)
    } else {
        selections.saturating_add(1)
    }
}

//! What one item of a page costs, by what is asked of it: the same sum that async-graphql makes before the
//! operation runs, for paying back the items that were not there.

use async_graphql::{SelectionField, Value};

use crate::graphql::pagination::page_cost;

/// The cost of what is selected below a field, once.
pub(in crate::graphql) fn items(field: SelectionField<'_>) -> usize {
    field
        .selection_set()
        .map(cost)
        .fold(0, usize::saturating_add)
}

fn cost(field: SelectionField<'_>) -> usize {
    let below = items(field);
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
        page_cost(number("first"), number("last"), below)
    } else {
        below.saturating_add(1)
    }
}

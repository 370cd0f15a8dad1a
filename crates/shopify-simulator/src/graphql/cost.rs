//! What a query costs: the formula of protocol.md §3, fitted on recorded live queries.
//!
//! `connection = 2 + max(1, ⌊2·ln(size)⌋) · (1 + children)`, once for `nodes` and once for `edges`; money and
//! `pageInfo` are free, a `…Count` field and a mutation cost 10, any other object or list 1.

use super::names::{FieldName, TypeName};
use super::plan::Planned;

/// The price of one `…Count` field and of one mutation.
const TEN: u32 = 10;

/// `max(1, ⌊2·ln(size)⌋)` without floating point: the smallest sizes that reach each step.
pub(crate) fn scale(size: usize) -> u32 {
    const STEPS: [(usize, u32); 11] = [
        (245, 11),
        (149, 10),
        (91, 9),
        (55, 8),
        (34, 7),
        (21, 6),
        (13, 5),
        (8, 4),
        (5, 3),
        (3, 2),
        (0, 1),
    ];
    STEPS
        .iter()
        .find(|(from, _)| size >= *from)
        .map_or(1, |(_, step)| *step)
}

/// The price of a connection whose node selections cost so much.
pub(crate) fn connection(size: usize, branches: impl Iterator<Item = u32>) -> u32 {
    branches.fold(2, |sum, children| {
        sum.saturating_add(scale(size).saturating_mul(children.saturating_add(1)))
    })
}

/// The price of a field beside what is selected of it.
pub(crate) fn own(field: &Planned) -> u32 {
    match field.name {
        FieldName::CustomersCount
        | FieldName::OrdersCount
        | FieldName::ProductsCount
        | FieldName::BulkOperationRunQuery
        | FieldName::BulkOperationCancel
        | FieldName::WebhookSubscriptionCreate
        | FieldName::WebhookSubscriptionDelete => TEN,
        _ if field.shapes.is_empty() => 0,
        _ if field.shapes.iter().all(|shape| is_free(shape.of)) => 0,
        _ => 1,
    }
}

/// Whether what is selected of a field costs nothing more.
pub(crate) fn is_flat(field: &Planned) -> bool {
    own(field) == TEN
}

fn is_free(of: TypeName) -> bool {
    matches!(
        of,
        TypeName::MoneyBag | TypeName::MoneyV2 | TypeName::PageInfo
    )
}

/// The node selections of a connection: `nodes`, and `node` of `edges`.
pub(crate) fn branches(connection: &Planned) -> impl Iterator<Item = &Planned> {
    let nodes = connection.child(FieldName::Nodes);
    let edges = connection.child(FieldName::Edges);
    nodes
        .into_iter()
        .chain(edges.map(|edges| edges.child(FieldName::Node).unwrap_or(edges)))
}

/// What a selection asks for at most.
pub(crate) fn requested(fields: &[Planned]) -> u32 {
    fields
        .iter()
        .fold(0, |sum, field| sum.saturating_add(requested_field(field)))
}

fn requested_field(field: &Planned) -> u32 {
    if is_flat(field) {
        return TEN;
    }
    if field.is_connection() {
        let size = field.number("first").or_else(|| field.number("last"));
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            return 2;
        };
        return connection(size, branches(field).map(children));
    }
    own(field).saturating_add(children(field))
}

fn children(field: &Planned) -> u32 {
    field
        .shapes
        .iter()
        .map(|shape| requested(&shape.fields))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_250_costs_eleven_times_a_page_of_one() {
        let sizes = [1, 2, 3, 5, 8, 10, 50, 100, 250];
        assert_eq!(sizes.map(scale), [1, 1, 2, 3, 4, 4, 7, 9, 11]);
    }
}

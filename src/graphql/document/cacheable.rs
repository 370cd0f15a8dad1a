//! Which responses may be cached: those that depend only on the data of the shop and its local day.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};

/// The fields of `Query` whose values, with everything below them, change only with the data version of the
/// shop. Other fields also depend on accounts, sessions, sync runs or the time, so they are never cached.
const CACHEABLE_FIELDS: [&str; 8] = [
    "__typename",
    "overview",
    "ordersByDate",
    "topCustomers",
    "recentOrders",
    "orders",
    "customers",
    "products",
];

/// Whether all operations of the document are queries that select only such fields.
pub(super) fn is_cacheable(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| {
        operation.node.ty == OperationType::Query
            && selects_only_cacheable_fields(
                document,
                &operation.node.selection_set.node,
                &mut HashSet::new(),
            )
    })
}

fn selects_only_cacheable_fields<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    visited: &mut HashSet<&'a str>,
) -> bool {
    set.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => CACHEABLE_FIELDS.contains(&field.node.name.node.as_str()),
        Selection::InlineFragment(fragment) => {
            selects_only_cacheable_fields(document, &fragment.node.selection_set.node, visited)
        }
        Selection::FragmentSpread(spread) => {
            let name = &spread.node.fragment_name.node;
            // Validation reports missing fragments.
            document.fragments.get(name).is_none_or(|fragment| {
                !visited.insert(name)
                    || selects_only_cacheable_fields(
                        document,
                        &fragment.node.selection_set.node,
                        visited,
                    )
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn one_other_field_prevents_caching() {
        let is_cacheable = |text: &str| is_cacheable(&parse_query(text).unwrap());
        assert!(is_cacheable(
            "{ __typename overview { totalCustomers } x: orders { totalCount } }"
        ));
        assert!(is_cacheable(
            "query A { ...F } fragment F on Query { ... { products { totalCount } } }"
        ));
        assert!(!is_cacheable(
            "{ overview { totalCustomers } me { email } }"
        ));
        assert!(!is_cacheable("{ node(id: 1) { id } }"));
        assert!(!is_cacheable("mutation { overview }"));
        assert!(!is_cacheable(
            "query A { overview } query B { ...F } fragment F on Query { ... { me { email } } }"
        ));
    }
}

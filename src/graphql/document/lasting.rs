//! Whether the answer to an operation stays right until the store's data changes or its day ends.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};

/// The fields of `Query` whose answers, with everything that can be asked below them, are made from what has the
/// store's data version. The others also show accounts, sessions, runs of syncs or the time. A field that
/// is not named here is always asked of the database.
const LASTING: [&str; 8] = [
    "__typename",
    "overview",
    "ordersByDate",
    "topCustomers",
    "recentOrders",
    "orders",
    "customers",
    "products",
];

/// Whether all that the operations of a document ask for at their root is of that kind.
pub(super) fn lasts(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| {
        operation.node.ty == OperationType::Query
            && all_last(
                document,
                &operation.node.selection_set.node,
                &mut HashSet::new(),
            )
    })
}

fn all_last<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    seen: &mut HashSet<&'a str>,
) -> bool {
    set.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => LASTING.contains(&field.node.name.node.as_str()),
        Selection::InlineFragment(fragment) => {
            all_last(document, &fragment.node.selection_set.node, seen)
        }
        Selection::FragmentSpread(spread) => {
            let name = &spread.node.fragment_name.node;
            // One that is not there is for the validator to name.
            document.fragments.get(name).is_none_or(|fragment| {
                !seen.insert(name) || all_last(document, &fragment.node.selection_set.node, seen)
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn one_field_of_another_kind_is_enough() {
        let lasts = |text: &str| lasts(&parse_query(text).unwrap());
        assert!(lasts(
            "{ __typename overview { totalCustomers } x: orders { totalCount } }"
        ));
        assert!(lasts(
            "query A { ...F } fragment F on Query { ... { products { totalCount } } }"
        ));
        assert!(!lasts("{ overview { totalCustomers } me { email } }"));
        assert!(!lasts("{ node(id: 1) { id } }"));
        assert!(!lasts("mutation { overview }"));
        assert!(!lasts(
            "query A { overview } query B { ...F } fragment F on Query { ... { me { email } } }"
        ));
    }
}

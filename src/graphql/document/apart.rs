//! Whether what a document asks for in several places is put together in its answer.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// Whether no two selections of a document meet in one object of the answer, so that each may be written where it
/// stands. Any fragment may meet another selection: they are not looked into.
pub(super) fn is_apart(document: &ExecutableDocument) -> bool {
    let mut operations = document.operations.iter();
    operations.all(|(_, operation)| is_set_apart(&operation.node.selection_set.node))
}

fn is_set_apart(set: &SelectionSet) -> bool {
    let mut keys = HashSet::new();
    set.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => {
            let inner = &field.node.selection_set.node;
            inner.items.is_empty()
                || (keys.insert(&field.node.response_key().node) && is_set_apart(inner))
        }
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn what_meets_in_the_answer_is_not_apart() {
        let is_apart = |text: &str| is_apart(&parse_query(text).unwrap());
        assert!(is_apart("{ a b { c d { e } } f: b { c } }"));
        assert!(is_apart("{ a a b { c c } }"));
        assert!(!is_apart("{ b { c } b { d } }"));
        assert!(!is_apart("{ a { b { c } b { d } } }"));
        assert!(!is_apart("{ a { ... { b } } }"));
        assert!(!is_apart("{ ...F } fragment F on Query { a }"));
        assert!(!is_apart("query A { a } query B { b { c } b { d } }"));
    }
}

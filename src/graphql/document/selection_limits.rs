//! Counts the selections of a document, with each fragment counted wherever it is spread. Each fragment is
//! visited once, so a few lines that expand to a billion fields are refused quickly.
//!
//! async-graphql's own limits visit a fragment again for each spread, which takes exponential time.

use std::collections::{HashMap, HashSet};

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use crate::graphql::error::ApiError;
use crate::graphql::limits::{Limits, MAX_SELECTION_NESTING};

/// Refuses a document with an operation that exceeds a limit, or with a fragment that spreads itself.
pub(super) fn check(
    document: &ExecutableDocument,
    limits: &Limits,
    introspection: bool,
) -> Result<(), ApiError> {
    let mut counter = SelectionCounter {
        document,
        limits,
        introspection,
        fragments: HashMap::new(),
        duplicates: 0,
    };
    for name in document.fragments.keys() {
        counter.fragment(name)?;
    }
    for (_, operation) in document.operations.iter() {
        let size = counter.selections(&operation.node.selection_set.node)?;
        size.within(limits)?;
    }
    Ok(())
}

/// The size of a selection set. The sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    fields: usize,
    aliases: usize,
    root_fields: usize,
    depth: usize,
    nesting: usize,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.root_fields = self.root_fields.saturating_add(other.root_fields);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
    }

    fn within(self, limits: &Limits) -> Result<(), ApiError> {
        for (limit, actual, maximum) in [
            ("depth", self.depth, limits.depth),
            ("aliases", self.aliases, limits.aliases),
            ("rootFields", self.root_fields, limits.root_fields),
            ("fields", self.fields, limits.fields),
        ] {
            if actual > maximum {
                return Err(ApiError::LimitExceeded { limit, maximum });
            }
        }
        Ok(())
    }
}

struct SelectionCounter<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    introspection: bool,
    /// `None`: the fragment is being counted, so a spread of it is inside of it.
    fragments: HashMap<&'a Name, Option<Size>>,
    duplicates: usize,
}

impl<'a> SelectionCounter<'a> {
    fn fragment(&mut self, name: &'a Name) -> Result<Size, ApiError> {
        match self.fragments.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let message = format!("The fragment `{name}` contains itself.");
                return Err(ApiError::bad_input("query", message));
            }
            None => {}
        }
        // Validation reports missing fragments.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Size::default());
        };
        self.fragments.insert(name, None);
        let size = self.selections(&fragment.node.selection_set.node)?;
        self.fragments.insert(name, Some(size));
        Ok(size)
    }

    fn selections(&mut self, set: &'a SelectionSet) -> Result<Size, ApiError> {
        let mut size = Size::default();
        let mut seen = HashSet::new();
        for selection in &set.items {
            size.add(match &selection.node {
                Selection::Field(field) => {
                    if !self.introspection
                        && matches!(field.node.name.node.as_str(), "__schema" | "__type")
                    {
                        let message = "Introspection is disabled.";
                        return Err(ApiError::bad_input("query", message));
                    }
                    let key = &field.node.response_key().node;
                    if !seen.insert(key) {
                        self.duplicate()?;
                    }
                    let below = self.selections(&field.node.selection_set.node)?;
                    Size {
                        fields: below.fields.saturating_add(1),
                        aliases: below
                            .aliases
                            .saturating_add(usize::from(field.node.alias.is_some())),
                        root_fields: 1,
                        depth: below.depth + 1,
                        nesting: below.nesting,
                    }
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node)?
                }
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.node.selection_set.node)?
                }
            });
        }
        size.nesting += 1;
        if size.nesting > MAX_SELECTION_NESTING {
            return Err(ApiError::LimitExceeded {
                limit: "nesting",
                maximum: MAX_SELECTION_NESTING,
            });
        }
        Ok(size)
    }

    fn duplicate(&mut self) -> Result<(), ApiError> {
        self.duplicates += 1;
        let maximum = self.limits.duplicate_fields;
        if self.duplicates > maximum {
            return Err(ApiError::LimitExceeded {
                limit: "duplicateFields",
                maximum,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use async_graphql::parser::parse_query;

    use super::*;

    fn limits() -> Limits {
        Limits {
            depth: 3,
            fields: 10,
            aliases: 2,
            root_fields: 5,
            duplicate_fields: 2,
            ..Limits::default()
        }
    }

    fn check_text(text: &str) -> Option<ApiError> {
        check(&parse_query(text).unwrap(), &limits(), true).err()
    }

    fn exceeded(limit: &'static str, maximum: usize) -> ApiError {
        ApiError::LimitExceeded { limit, maximum }
    }

    #[test]
    fn fields_depth_aliases_and_root_fields_are_counted_through_fragments() {
        for (fits, exceeds, limit, maximum) in [
            (
                "{ a { b { c } } }",
                "{ a { b { ...F } } } fragment F on T { c { d } }",
                "depth",
                3,
            ),
            (
                "{ x: a y: b }",
                "{ x: a ...F ...F } fragment F on T { y: b }",
                "aliases",
                2,
            ),
            (
                "{ a b c d e }",
                "{ a b c ...F } fragment F on T { d e f }",
                "rootFields",
                5,
            ),
            (
                "{ a { ...F } b { ...F } } fragment F on T { c d e f }",
                "{ a { ...F } b { ...F } } fragment F on T { c d e f g }",
                "fields",
                10,
            ),
            (
                "{ a a a }",
                "{ a a a { b ... on T { c c } } }",
                "duplicateFields",
                2,
            ),
        ] {
            assert_eq!(check_text(fits), None, "{fits}");
            assert_eq!(
                check_text(exceeds),
                Some(exceeded(limit, maximum)),
                "{exceeds}"
            );
        }
    }

    #[test]
    fn fragments_that_contain_themselves_are_refused_even_if_unused() {
        for text in [
            "{ ...A } fragment A on T { ...A }",
            "{ a } fragment A on T { a { ...B } } fragment B on T { ... on T { ...A } }",
        ] {
            let Some(ApiError::BadUserInput { message, .. }) = check_text(text) else {
                panic!("{text}");
            };
            assert!(message.ends_with("contains itself."), "{message}");
        }
    }

    #[test]
    fn fragments_that_expand_to_a_billion_fields_are_refused_quickly() {
        let mut text = "{ ...F0 }".to_owned();
        for n in 0..30 {
            let m = n + 1;
            write!(text, " fragment F{n} on T {{ a ...F{m} ...F{m} }}").unwrap();
        }
        text += " fragment F30 on T { a }";
        assert!(matches!(
            check_text(&text),
            Some(ApiError::LimitExceeded { .. })
        ));
        // One more level, and the stack is what is protected.
        let deep = format!("{}a{}", "{ ... on T ".repeat(40), "}".repeat(40))
            .replace("on T a", "on T { a }");
        assert_eq!(check_text(&deep), Some(exceeded("nesting", 32)));
    }
}

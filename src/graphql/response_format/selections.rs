//! Which fields of an object are asked for, in which order: fragments spread out, conditions decided.

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection,
    SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::HIDDEN;
use super::shape::{Kind, Shape, Typed};

/// An operation, with what its text does not say.
pub(super) struct Asked<'a> {
    pub(super) document: &'a ExecutableDocument,
    pub(super) operation: &'a OperationDefinition,
    pub(super) variables: &'a Variables,
    pub(super) shape: &'a Shape,
}

/// A field of an answer: its name there and in the schema, and everything that is asked of its value.
pub(super) struct Selected<'a> {
    pub(super) key: &'a str,
    pub(super) name: &'a str,
    pub(super) sets: Vec<&'a SelectionSet>,
}

impl<'a> Asked<'a> {
    /// The fields asked for of an object of this type (of any, without a name).
    pub(super) fn fields(&self, type_name: &str, sets: &[&'a SelectionSet]) -> Vec<Selected<'a>> {
        let mut fields = Vec::new();
        for set in sets {
            self.collect(type_name, set, &mut fields);
        }
        fields
    }

    /// The same, each with its type; none for what introspects.
    pub(super) fn typed_fields(
        &self,
        type_name: &str,
        sets: &[&'a SelectionSet],
    ) -> Vec<(Selected<'a>, Option<&'a Typed>)> {
        let shape = self.shape;
        let fields = self.fields(type_name, sets).into_iter();
        fields
            .map(|selected| {
                let typed = shape.field(type_name, selected.name);
                (selected, typed)
            })
            .collect()
    }

    fn collect(&self, type_name: &str, set: &'a SelectionSet, fields: &mut Vec<Selected<'a>>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if self.is_included(&field.node.directives) => {
                    add(fields, &field.node);
                }
                Selection::FragmentSpread(spread) if self.is_included(&spread.node.directives) => {
                    if let Some(fragment) =
                        self.document.fragments.get(&spread.node.fragment_name.node)
                        && self
                            .shape
                            .is_a(type_name, &fragment.node.type_condition.node.on.node)
                    {
                        self.collect(type_name, &fragment.node.selection_set.node, fields);
                    }
                }
                Selection::InlineFragment(fragment)
                    if self.is_included(&fragment.node.directives) =>
                {
                    let condition = fragment.node.type_condition.as_ref();
                    if condition.is_none_or(|on| self.shape.is_a(type_name, &on.node.on.node)) {
                        self.collect(type_name, &fragment.node.selection_set.node, fields);
                    }
                }
                _ => {}
            }
        }
    }

    /// What `@skip` and `@include` say.
    fn is_included(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let wanted = match directive.node.name.node.as_str() {
                "skip" => false,
                "include" => true,
                _ => return true,
            };
            let condition = directive.node.get_argument("if").map(|value| &value.node);
            let holds = condition
                .and_then(|value| {
                    value
                        .clone()
                        .into_const_with(|name| self.variable(&name).ok_or(()))
                        .ok()
                })
                .is_some_and(|value| value == Value::Boolean(true));
            holds == wanted
        })
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        let given = self.variables.get(name).cloned();
        given.or_else(|| {
            let definitions = &self.operation.variable_definitions;
            let definition = definitions
                .iter()
                .find(|definition| definition.node.name.node == *name)?;
            definition
                .node
                .default_value
                .as_ref()
                .map(|value| value.node.clone())
        })
    }
}

fn add<'a>(fields: &mut Vec<Selected<'a>>, field: &'a Field) {
    let key = field.response_key().node.as_str();
    let set = &field.selection_set.node;
    match fields.iter_mut().find(|known| known.key == key) {
        Some(known) => known.sets.push(set),
        None => fields.push(Selected {
            key,
            name: field.name.node.as_str(),
            sets: vec![set],
        }),
    }
}

/// Asks for the type of every value whose field does not say it.
pub(in crate::graphql) fn ask_for_types(document: &mut ExecutableDocument, shape: &Shape) {
    for fragment in document.fragments.values_mut() {
        let on = fragment.node.type_condition.node.on.node.to_string();
        ask_in(&mut fragment.node.selection_set.node, &on, shape);
    }
    match &mut document.operations {
        DocumentOperations::Single(operation) => {
            let on = shape.root(operation.node.ty);
            ask_in(&mut operation.node.selection_set.node, on, shape);
        }
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                let on = shape.root(operation.node.ty);
                ask_in(&mut operation.node.selection_set.node, on, shape);
            }
        }
    }
}

fn ask_in(set: &mut SelectionSet, type_name: &str, shape: &Shape) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                let Some(typed) = shape.field(type_name, &field.node.name.node) else {
                    continue;
                };
                let mut typed = typed;
                while let Kind::List(item) = &typed.kind {
                    typed = item;
                }
                match &typed.kind {
                    Kind::Object(name) => ask_in(&mut field.node.selection_set.node, name, shape),
                    Kind::Abstract(name) => {
                        let inner = &mut field.node.selection_set.node;
                        ask_in(inner, name, shape);
                        if !inner.items.is_empty() {
                            inner.items.push(hidden_typename());
                        }
                    }
                    Kind::List(_) | Kind::Leaf => {}
                }
            }
            Selection::InlineFragment(fragment) => {
                let on = fragment
                    .node
                    .type_condition
                    .as_ref()
                    .map(|on| on.node.on.node.to_string());
                ask_in(
                    &mut fragment.node.selection_set.node,
                    on.as_deref().unwrap_or(type_name),
                    shape,
                );
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn hidden_typename() -> Positioned<Selection> {
    let at = Pos::default();
    let field = Field {
        alias: Some(Positioned::new(Name::new(HIDDEN), at)),
        name: Positioned::new(Name::new("__typename"), at),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), at),
    };
    Positioned::new(Selection::Field(Positioned::new(field, at)), at)
}

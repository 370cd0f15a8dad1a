//! Field collection, section 6.3.2 of the GraphQL specification: expands fragments and applies `@skip` and
//! `@include`.

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection,
    SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::HIDDEN_TYPENAME;
use super::schema_types::{FieldType, SchemaTypes, TypeKind};

/// An operation and everything that determines its fields.
pub(super) struct Execution<'a> {
    pub(super) document: &'a ExecutableDocument,
    pub(super) operation: &'a OperationDefinition,
    pub(super) variables: &'a Variables,
    pub(super) types: &'a SchemaTypes,
}

/// A field of the response, with the selection sets of all its occurrences.
pub(super) struct CollectedField<'a> {
    pub(super) response_key: &'a str,
    pub(super) name: &'a str,
    pub(super) selection_sets: Vec<&'a SelectionSet>,
}

impl CollectedField<'_> {
    pub(super) fn is_hidden(&self) -> bool {
        self.response_key == HIDDEN_TYPENAME
    }
}

impl<'a> Execution<'a> {
    /// The fields of an object of this type. An empty name matches every type condition.
    pub(super) fn collect_fields(
        &self,
        type_name: &str,
        sets: &[&'a SelectionSet],
    ) -> Vec<CollectedField<'a>> {
        let mut fields = Vec::new();
        for set in sets {
            self.collect(type_name, set, &mut fields);
        }
        fields
    }

    /// The fields with their types; `None` for introspection fields.
    pub(super) fn typed_fields(
        &self,
        type_name: &str,
        sets: &[&'a SelectionSet],
    ) -> Vec<(CollectedField<'a>, Option<&'a FieldType>)> {
        let types = self.types;
        let fields = self.collect_fields(type_name, sets).into_iter();
        fields
            .map(|field| {
                let field_type = types.field(type_name, field.name);
                (field, field_type)
            })
            .collect()
    }

    fn collect(
        &self,
        type_name: &str,
        set: &'a SelectionSet,
        fields: &mut Vec<CollectedField<'a>>,
    ) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if self.is_included(&field.node.directives) => {
                    add(fields, &field.node);
                }
                Selection::FragmentSpread(spread) if self.is_included(&spread.node.directives) => {
                    if let Some(fragment) =
                        self.document.fragments.get(&spread.node.fragment_name.node)
                        && self
                            .types
                            .is_possible_type(type_name, &fragment.node.type_condition.node.on.node)
                    {
                        self.collect(type_name, &fragment.node.selection_set.node, fields);
                    }
                }
                Selection::InlineFragment(fragment)
                    if self.is_included(&fragment.node.directives) =>
                {
                    let condition = fragment.node.type_condition.as_ref();
                    if condition
                        .is_none_or(|on| self.types.is_possible_type(type_name, &on.node.on.node))
                    {
                        self.collect(type_name, &fragment.node.selection_set.node, fields);
                    }
                }
                _ => {}
            }
        }
    }

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

fn add<'a>(fields: &mut Vec<CollectedField<'a>>, field: &'a Field) {
    let key = field.response_key().node.as_str();
    let set = &field.selection_set.node;
    match fields.iter_mut().find(|field| field.response_key == key) {
        Some(field) => field.selection_sets.push(set),
        None => fields.push(CollectedField {
            response_key: key,
            name: field.name.node.as_str(),
            selection_sets: vec![set],
        }),
    }
}

/// Adds a hidden `__typename` to each selection set on an interface or union.
pub(in crate::graphql) fn add_hidden_typenames(
    document: &mut ExecutableDocument,
    types: &SchemaTypes,
) {
    for fragment in document.fragments.values_mut() {
        let on = fragment.node.type_condition.node.on.node.to_string();
        add_to_set(&mut fragment.node.selection_set.node, &on, types);
    }
    match &mut document.operations {
        DocumentOperations::Single(operation) => {
            let on = types.root(operation.node.ty);
            add_to_set(&mut operation.node.selection_set.node, on, types);
        }
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                let on = types.root(operation.node.ty);
                add_to_set(&mut operation.node.selection_set.node, on, types);
            }
        }
    }
}

fn add_to_set(set: &mut SelectionSet, type_name: &str, types: &SchemaTypes) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                let Some(field_type) = types.field(type_name, &field.node.name.node) else {
                    continue;
                };
                let mut field_type = field_type;
                while let TypeKind::List(item) = &field_type.kind {
                    field_type = item;
                }
                match &field_type.kind {
                    TypeKind::Object(name) => {
                        add_to_set(&mut field.node.selection_set.node, name, types);
                    }
                    TypeKind::Abstract(name) => {
                        let inner = &mut field.node.selection_set.node;
                        add_to_set(inner, name, types);
                        if !inner.items.is_empty() {
                            inner.items.push(hidden_typename());
                        }
                    }
                    TypeKind::List(_) | TypeKind::Leaf => {}
                }
            }
            Selection::InlineFragment(fragment) => {
                let on = fragment
                    .node
                    .type_condition
                    .as_ref()
                    .map(|on| on.node.on.node.to_string());
                add_to_set(
                    &mut fragment.node.selection_set.node,
                    on.as_deref().unwrap_or(type_name),
                    types,
                );
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn hidden_typename() -> Positioned<Selection> {
    let at = Pos::default();
    let field = Field {
        alias: Some(Positioned::new(Name::new(HIDDEN_TYPENAME), at)),
        name: Positioned::new(Name::new("__typename"), at),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), at),
    };
    Positioned::new(Selection::Field(Positioned::new(field, at)), at)
}

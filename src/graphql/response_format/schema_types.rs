//! The types of the schema: the type of each field, and the possible types of interfaces and unions.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{self, BaseType, OperationType, Type, TypeSystemDefinition};

/// The type of a field.
#[derive(Debug)]
pub(super) struct FieldType {
    pub(super) kind: TypeKind,
    pub(super) non_null: bool,
}

/// The kind of a type.
#[derive(Debug)]
pub(super) enum TypeKind {
    /// A list of items of a type.
    List(Box<FieldType>),
    /// An object type.
    Object(String),
    /// An interface or union.
    Abstract(String),
    /// A scalar or an enum.
    Leaf,
}

/// The types of a schema.
#[derive(Debug, Default)]
pub(crate) struct SchemaTypes {
    fields: HashMap<String, HashMap<String, FieldType>>,
    /// The interfaces and unions of each object type.
    abstract_types: HashMap<String, HashSet<String>>,
}

impl SchemaTypes {
    /// Parses a schema definition. The responses of an invalid definition are not completed.
    pub(crate) fn parse(sdl: &str) -> Self {
        let mut schema = Self::default();
        let Ok(document) = parse_schema(sdl) else {
            return schema;
        };
        let definitions: Vec<_> = document
            .definitions
            .iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(definition) => Some(&definition.node),
                _ => None,
            })
            .collect();
        let named = |wanted: fn(&types::TypeKind) -> bool| -> HashSet<&str> {
            definitions
                .iter()
                .filter(|ty| wanted(&ty.kind))
                .map(|ty| ty.name.node.as_str())
                .collect()
        };
        let objects = named(|kind| matches!(kind, types::TypeKind::Object(_)));
        let abstracts = named(|kind| {
            matches!(
                kind,
                types::TypeKind::Interface(_) | types::TypeKind::Union(_)
            )
        });
        for ty in &definitions {
            let name = ty.name.node.to_string();
            let fields = match &ty.kind {
                types::TypeKind::Object(object) => {
                    let interfaces = object.implements.iter().map(|name| name.node.to_string());
                    schema
                        .abstract_types
                        .entry(name.clone())
                        .or_default()
                        .extend(interfaces);
                    &object.fields
                }
                types::TypeKind::Interface(interface) => &interface.fields,
                types::TypeKind::Union(union) => {
                    for member in &union.members {
                        schema
                            .abstract_types
                            .entry(member.node.to_string())
                            .or_default()
                            .insert(name.clone());
                    }
                    continue;
                }
                _ => continue,
            };
            let fields = fields
                .iter()
                .map(|field| {
                    (
                        field.node.name.node.to_string(),
                        field_type(&field.node.ty.node, &objects, &abstracts),
                    )
                })
                .collect();
            schema.fields.insert(name, fields);
        }
        schema
    }

    pub(super) fn field(&self, type_name: &str, field: &str) -> Option<&FieldType> {
        self.fields.get(type_name)?.get(field)
    }

    /// Whether the type condition of a fragment applies to an object type.
    pub(super) fn is_possible_type(&self, type_name: &str, condition: &str) -> bool {
        type_name.is_empty()
            || type_name == condition
            || self
                .abstract_types
                .get(type_name)
                .is_some_and(|types| types.contains(condition))
    }

    #[expect(clippy::unused_self, reason = "the root types belong to the schema")]
    pub(super) const fn root(&self, operation: OperationType) -> &'static str {
        match operation {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        }
    }
}

fn field_type(ty: &Type, objects: &HashSet<&str>, abstracts: &HashSet<&str>) -> FieldType {
    let kind = match &ty.base {
        BaseType::List(item) => TypeKind::List(Box::new(field_type(item, objects, abstracts))),
        BaseType::Named(name) if objects.contains(name.as_str()) => {
            TypeKind::Object(name.to_string())
        }
        BaseType::Named(name) if abstracts.contains(name.as_str()) => {
            TypeKind::Abstract(name.to_string())
        }
        BaseType::Named(_) => TypeKind::Leaf,
    };
    FieldType {
        kind,
        non_null: !ty.nullable,
    }
}

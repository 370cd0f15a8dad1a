//! What the response_format must know of the schema: which type each field has, and what is an interface.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, OperationType, Type, TypeKind, TypeSystemDefinition};

/// The type of a field.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) kind: Kind,
    pub(super) non_null: bool,
}

/// What a field holds.
#[derive(Debug)]
pub(super) enum Kind {
    /// A list of such.
    List(Box<Typed>),
    /// An object of this type.
    Object(String),
    /// An object of one of the types of this interface or union.
    Abstract(String),
    /// A scalar or an enum.
    Leaf,
}

/// The types of a schema.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    fields: HashMap<String, HashMap<String, Typed>>,
    /// Each object's interfaces and unions.
    kinships: HashMap<String, HashSet<String>>,
}

impl Shape {
    /// Reads a schema in its own language. What cannot be read is left out: it is then not completed.
    pub(crate) fn of(sdl: &str) -> Self {
        let mut shape = Self::default();
        let Ok(document) = parse_schema(sdl) else {
            return shape;
        };
        let types: Vec<_> = document
            .definitions
            .iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(definition) => Some(&definition.node),
                _ => None,
            })
            .collect();
        let named = |wanted: fn(&TypeKind) -> bool| -> HashSet<&str> {
            types
                .iter()
                .filter(|ty| wanted(&ty.kind))
                .map(|ty| ty.name.node.as_str())
                .collect()
        };
        let objects = named(|kind| matches!(kind, TypeKind::Object(_)));
        let abstracts = named(|kind| matches!(kind, TypeKind::Interface(_) | TypeKind::Union(_)));
        for ty in &types {
            let name = ty.name.node.to_string();
            let fields = match &ty.kind {
                TypeKind::Object(object) => {
                    let interfaces = object.implements.iter().map(|name| name.node.to_string());
                    shape
                        .kinships
                        .entry(name.clone())
                        .or_default()
                        .extend(interfaces);
                    &object.fields
                }
                TypeKind::Interface(interface) => &interface.fields,
                TypeKind::Union(union) => {
                    for member in &union.members {
                        shape
                            .kinships
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
                        typed(&field.node.ty.node, &objects, &abstracts),
                    )
                })
                .collect();
            shape.fields.insert(name, fields);
        }
        shape
    }

    pub(super) fn field(&self, type_name: &str, field: &str) -> Option<&Typed> {
        self.fields.get(type_name)?.get(field)
    }

    /// Whether a value of the type is one of the condition's type too.
    pub(super) fn is_a(&self, type_name: &str, condition: &str) -> bool {
        type_name.is_empty()
            || type_name == condition
            || self
                .kinships
                .get(type_name)
                .is_some_and(|kin| kin.contains(condition))
    }

    #[expect(
        clippy::unused_self,
        reason = "the names of the roots are the schema's"
    )]
    pub(super) const fn root(&self, operation: OperationType) -> &'static str {
        match operation {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        }
    }
}

fn typed(ty: &Type, objects: &HashSet<&str>, abstracts: &HashSet<&str>) -> Typed {
    let kind = match &ty.base {
        BaseType::List(item) => Kind::List(Box::new(typed(item, objects, abstracts))),
        BaseType::Named(name) if objects.contains(name.as_str()) => Kind::Object(name.to_string()),
        BaseType::Named(name) if abstracts.contains(name.as_str()) => {
            Kind::Abstract(name.to_string())
        }
        BaseType::Named(_) => Kind::Leaf,
    };
    Typed {
        kind,
        non_null: !ty.nullable,
    }
}

//! A document made ready to run: fragments spread, conditions decided, arguments filled in.
//!
//! One plan serves both ways of answering: [`super::write`] writes whole responses from it, `bulk` writes
//! one line per connection node.

use std::sync::LazyLock;

use apollo_compiler::ast;
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceMap;
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};
use serde_json::{Map, Value};

use super::errors::Location;
use super::names::{FieldName, TypeName};

/// The schema that queries are checked against: the one file that the program's queries use too.
static SCHEMA_TEXT: &str = include_str!("../../../../shopify_queries/schema.graphql");

/// The schema, parsed once.
pub(crate) static SCHEMA: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    Schema::parse_and_validate(SCHEMA_TEXT, "schema.graphql").unwrap_or_else(|invalid| {
        tracing::error!(errors = %invalid.errors, "the schema of the queries is not valid");
        Valid::assume_valid(invalid.partial)
    })
});

/// A field with everything decided.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of the field's type"
)]
pub(crate) struct Planned {
    /// The key in the answer.
    pub(crate) key: String,
    pub(crate) name: FieldName,
    pub(crate) nullable: bool,
    /// Whether a null in the list stays there; of use for lists only.
    pub(crate) items_nullable: bool,
    pub(crate) list: bool,
    pub(crate) arguments: Map<String, Value>,
    /// Whether a connection gives all its rows: in a bulk query, where pages mean nothing.
    pub(crate) takes_everything: bool,
    pub(crate) location: Location,
    /// What is selected, for each type the value can have. Empty for a plain value.
    pub(crate) shapes: Vec<Shape>,
}

/// What is selected of one type.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) of: TypeName,
    pub(crate) fields: Vec<Planned>,
}

impl Planned {
    /// Whether the value is a connection.
    pub(crate) fn is_connection(&self) -> bool {
        self.shapes.iter().any(|shape| shape.of.is_connection())
    }

    /// What is selected of a type.
    pub(crate) fn shape(&self, of: TypeName) -> &[Self] {
        self.shapes
            .iter()
            .find(|shape| shape.of == of)
            .map_or(&[], |shape| shape.fields.as_slice())
    }

    /// The field of a name in the first shape.
    pub(crate) fn child(&self, name: FieldName) -> Option<&Self> {
        self.shapes
            .first()?
            .fields
            .iter()
            .find(|field| field.name == name)
    }

    /// A text argument.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).and_then(Value::as_str)
    }

    /// A true or false argument; false when left out.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.arguments
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// A number argument.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.arguments.get(name).and_then(Value::as_i64)
    }
}

/// A field of the schema that the simulator does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulator does not answer `{0}`")]
pub(crate) struct Unanswered(String);

/// Makes plans of one document with its variables.
pub(crate) struct Planner<'a> {
    document: &'a ExecutableDocument,
    sources: &'a SourceMap,
    variables: &'a JsonMap,
    bulk: bool,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(document: &'a ExecutableDocument, variables: &'a JsonMap) -> Self {
        Self {
            document,
            sources: &document.sources,
            variables,
            bulk: false,
        }
    }

    /// A planner whose connections give all their rows.
    pub(crate) fn for_bulk(document: &'a ExecutableDocument, variables: &'a JsonMap) -> Self {
        Self {
            bulk: true,
            ..Self::new(document, variables)
        }
    }

    /// The plan of an operation.
    pub(crate) fn plan(&self, operation: &Operation) -> Result<Vec<Planned>, Unanswered> {
        self.fields(operation.object_type(), &[&operation.selection_set])
    }

    fn fields(&self, of: &Name, sets: &[&SelectionSet]) -> Result<Vec<Planned>, Unanswered> {
        let mut grouped: Vec<(&Name, Vec<&Node<Field>>)> = Vec::new();
        for set in sets {
            self.collect(of, set, &mut grouped);
        }
        grouped
            .iter()
            .map(|(key, fields)| self.field(key, fields))
            .collect()
    }

    /// Gathers the fields that apply to a type, those of one key together.
    fn collect<'s>(
        &'s self,
        of: &Name,
        set: &'s SelectionSet,
        grouped: &mut Vec<(&'s Name, Vec<&'s Node<Field>>)>,
    ) {
        for selection in &set.selections {
            if self.left_out(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    let key = field.response_key();
                    match grouped.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, fields)) => fields.push(field),
                        None => grouped.push((key, vec![field])),
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = spread.fragment_def(self.document)
                        && applies(fragment.type_condition(), of)
                    {
                        self.collect(of, &fragment.selection_set, grouped);
                    }
                }
                Selection::InlineFragment(inline) => {
                    if inline
                        .type_condition
                        .as_ref()
                        .is_none_or(|condition| applies(condition, of))
                    {
                        self.collect(of, &inline.selection_set, grouped);
                    }
                }
            }
        }
    }

    fn left_out(&self, directives: &ast::DirectiveList) -> bool {
        directives.iter().any(|directive| {
            let condition = directive
                .specified_argument_by_name("if")
                .is_some_and(|value| self.value(value) == Value::Bool(true));
            match directive.name.as_str() {
                "skip" => condition,
                "include" => !condition,
                _ => false,
            }
        })
    }

    fn field(&self, key: &Name, fields: &[&Node<Field>]) -> Result<Planned, Unanswered> {
        let Some(field) = fields.first() else {
            return Err(Unanswered(key.to_string()));
        };
        let name =
            FieldName::parse(&field.name).ok_or_else(|| Unanswered(field.name.to_string()))?;
        let inner = field.ty().inner_named_type();
        let sets: Vec<&SelectionSet> = fields.iter().map(|field| &field.selection_set).collect();
        let mut shapes = Vec::new();
        for of in possible_types(inner) {
            let type_name = TypeName::parse(&of).ok_or_else(|| Unanswered(of.to_string()))?;
            shapes.push(Shape {
                of: type_name,
                fields: self.fields(&of, &sets)?,
            });
        }
        Ok(Planned {
            key: key.to_string(),
            name,
            nullable: !field.ty().is_non_null(),
            items_nullable: !field.ty().item_type().is_non_null(),
            list: field.ty().is_list(),
            arguments: self.arguments(field),
            takes_everything: self.bulk,
            location: field
                .name
                .location()
                .and_then(|span| span.line_column(self.sources))
                .map_or_else(Location::default, |at| Location {
                    line: at.line,
                    column: at.column,
                }),
            shapes,
        })
    }

    /// The arguments given, and the defaults of those left out. A null given is kept as null.
    fn arguments(&self, field: &Field) -> Map<String, Value> {
        let mut arguments = Map::new();
        for definition in &field.definition.arguments {
            let given = field.specified_argument_by_name(&definition.name);
            let value = match given.map(|value| &**value) {
                Some(ast::Value::Variable(variable)) => {
                    self.variables.get(variable.as_str()).map(plain)
                }
                Some(value) => Some(self.value(value)),
                None => None,
            };
            let value = value.or_else(|| {
                definition
                    .default_value
                    .as_ref()
                    .map(|value| self.value(value))
            });
            if let Some(value) = value {
                arguments.insert(definition.name.to_string(), value);
            }
        }
        arguments
    }

    fn value(&self, value: &ast::Value) -> Value {
        match value {
            ast::Value::Null => Value::Null,
            ast::Value::Enum(name) => Value::from(name.as_str()),
            ast::Value::Variable(name) => {
                self.variables.get(name.as_str()).map_or(Value::Null, plain)
            }
            ast::Value::String(text) => Value::from(text.as_str()),
            ast::Value::Float(number) => serde_json::from_str(number.as_str()).unwrap_or_default(),
            ast::Value::Int(number) => serde_json::from_str(number.as_str()).unwrap_or_default(),
            ast::Value::Boolean(truth) => Value::from(*truth),
            ast::Value::List(items) => items.iter().map(|item| self.value(item)).collect(),
            ast::Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, value)| (name.to_string(), self.value(value)))
                    .collect(),
            ),
        }
    }
}

/// A variable's value without the compiler's own types.
fn plain(value: &apollo_compiler::response::JsonValue) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn applies(condition: &Name, of: &Name) -> bool {
    condition == of || SCHEMA.is_subtype(condition, of)
}

/// The object types that a value of a type can have; none for a plain value.
fn possible_types(of: &Name) -> Vec<Name> {
    match SCHEMA.types.get(of) {
        Some(ExtendedType::Object(_)) => vec![of.clone()],
        Some(ExtendedType::Interface(_)) => IMPLEMENTERS
            .iter()
            .filter(|(interface, _)| interface == of)
            .flat_map(|(_, objects)| objects.iter().cloned())
            .collect(),
        _ => Vec::new(),
    }
}

/// The object types of each interface.
static IMPLEMENTERS: LazyLock<Vec<(Name, Vec<Name>)>> = LazyLock::new(|| {
    SCHEMA
        .implementers_map()
        .into_iter()
        .map(|(interface, types)| (interface, types.objects.into_iter().collect()))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_and_field_of_the_schema_has_a_name_here() {
        for (name, of) in &SCHEMA.types {
            if of.is_built_in() {
                continue;
            }
            if let ExtendedType::Object(object) = of {
                assert!(
                    TypeName::parse(name).is_some(),
                    "{name} is unknown to the simulator"
                );
                for field in object.fields.keys() {
                    assert!(
                        FieldName::parse(field).is_some(),
                        "{name}.{field} is unknown"
                    );
                }
            }
        }
    }
}

//! Operations made from the schema as it stands: every field and every argument there is, filled with what
//! another store is known by. A field that is added tomorrow is among them without anybody thinking of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, OperationType, Type};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::words::Words;

/// Roughly the most fields of one operation.
const FIELDS: usize = 50;

/// One operation, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) text: String,
    pub(super) variables: Value,
    /// The fields at its root.
    pub(super) roots: Vec<String>,
    /// What of the schema it uses: `Type.field`, `Type.field(argument)`, `Input.field`.
    pub(super) uses: BTreeSet<String>,
}

impl Operation {
    /// Its body.
    pub(super) fn body(&self) -> Value {
        json!({ "query": self.text, "variables": self.variables })
    }
}

/// Makes operations.
pub(super) struct Operations {
    schema: Valid<Schema>,
    pub(super) dice: Dice,
    used: BTreeMap<String, usize>,
}

/// An argument's value: enums are written without quotes in a document, and with them in variables.
enum Given {
    Plain(Value),
    Enum(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Given {
    fn literal(&self) -> String {
        match self {
            Self::Plain(value) => value.to_string(),
            Self::Enum(name) => name.clone(),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::literal).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Object(fields) => {
                let field = |(name, value): &(String, Self)| format!("{name}: {}", value.literal());
                let fields: Vec<_> = fields.iter().map(field).collect();
                format!("{{ {} }}", fields.join(", "))
            }
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Enum(name) => json!(name),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), value.json()));
                Value::Object(fields.collect())
            }
        }
    }
}

/// An operation while it is being made.
struct Draft<'a> {
    words: &'a Words,
    declared: String,
    variables: Map<String, Value>,
    uses: BTreeSet<String>,
    left: usize,
}

impl Operations {
    pub(super) fn new(seed: u64) -> Self {
        let schema = Schema::parse_and_validate(xboard::graphql::sdl(), "schema.graphql");
        Self {
            schema: schema.unwrap_or_else(|error| panic!("{error}")),
            dice: Dice::new(seed),
            used: BTreeMap::new(),
        }
    }

    /// Everything that an operation of a kind can use.
    pub(super) fn everything(&self, kind: OperationType) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut types = vec![self.root(kind)];
        let mut seen = BTreeSet::new();
        while let Some(name) = types.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            match &self.schema.types[name.as_str()] {
                ExtendedType::Object(object) => {
                    for field in object.fields.values() {
                        found.insert(format!("{name}.{}", field.name));
                        types.push(field.ty.inner_named_type().to_string());
                        for argument in &field.arguments {
                            found.insert(format!("{name}.{}({})", field.name, argument.name));
                            types.push(argument.ty.inner_named_type().to_string());
                        }
                    }
                }
                ExtendedType::InputObject(input) => {
                    for field in input.fields.values() {
                        found.insert(format!("{name}.{}", field.name));
                        types.push(field.ty.inner_named_type().to_string());
                    }
                }
                ExtendedType::Interface(_) | ExtendedType::Union(_) => {
                    types.extend(self.concrete(&name));
                }
                ExtendedType::Scalar(_) | ExtendedType::Enum(_) => {}
            }
        }
        found
    }

    /// The names of the fields at the root of a kind.
    pub(super) fn roots(&self, kind: OperationType) -> Vec<String> {
        let object = self.schema.get_object(&self.root(kind)).unwrap();
        object.fields.keys().map(ToString::to_string).collect()
    }

    fn root(&self, kind: OperationType) -> String {
        self.schema.root_operation(kind).unwrap().to_string()
    }

    fn concrete(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .schema
            .types
            .values()
            .filter(|one| one.is_object() && self.schema.is_subtype(name, one.name()))
            .map(|one| one.name().to_string())
            .collect();
        names.sort();
        names
    }

    /// The next operation of a kind.
    pub(super) fn next(&mut self, kind: OperationType, words: &Words) -> Operation {
        let root = self.root(kind);
        let fields: Vec<FieldDefinition> = {
            let object = self.schema.get_object(&root).unwrap();
            object
                .fields
                .values()
                .map(|field| FieldDefinition::clone(field))
                .collect()
        };
        let number = if kind == OperationType::Query {
            1 + self.dice.below(3)
        } else {
            1
        };
        let mut draft = Draft {
            words,
            declared: String::new(),
            variables: Map::new(),
            uses: BTreeSet::new(),
            left: FIELDS,
        };
        let (mut selection, mut roots) = (String::new(), Vec::new());
        for field in self.pick(&root, &fields, number) {
            roots.push(field.name.to_string());
            let depth = 3 + self.dice.below(7);
            selection += &self.field(&root, &field, "", depth, &mut draft);
        }
        let keyword = match kind {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let declared = match draft.declared.as_str() {
            "" => String::new(),
            declared => format!(" ({})", declared.trim_end_matches(", ")),
        };
        Operation {
            text: format!("{keyword}{declared} {{ {selection}}}"),
            variables: Value::Object(draft.variables),
            roots,
            uses: draft.uses,
        }
    }

    /// So many of some fields: mostly those that were used least.
    fn pick(
        &mut self,
        of: &str,
        fields: &[FieldDefinition],
        number: usize,
    ) -> Vec<FieldDefinition> {
        let mut fields = fields.to_vec();
        let mut chosen = Vec::new();
        while chosen.len() < number && !fields.is_empty() {
            let least = (0..fields.len())
                .min_by_key(|at| self.used.get(&format!("{of}.{}", fields[*at].name)))
                .unwrap();
            let at = if self.dice.percent(60) {
                least
            } else {
                self.dice.below(fields.len())
            };
            chosen.push(fields.remove(at));
        }
        chosen
    }

    fn note(&mut self, draft: &mut Draft<'_>, what: String) {
        *self.used.entry(what.clone()).or_default() += 1;
        draft.uses.insert(what);
    }

    fn field(
        &mut self,
        of: &str,
        field: &FieldDefinition,
        alias: &str,
        depth: usize,
        draft: &mut Draft<'_>,
    ) -> String {
        self.note(draft, format!("{of}.{}", field.name));
        draft.left = draft.left.saturating_sub(1);
        let mut arguments = Vec::new();
        for argument in &field.arguments {
            let key = format!("{of}.{}({})", field.name, argument.name);
            let fresh = !self.used.contains_key(&key);
            if argument.is_required() || fresh || self.dice.percent(45) {
                self.note(draft, key);
                arguments.push(self.argument(argument, draft));
            }
        }
        let arguments = match arguments.as_slice() {
            [] => String::new(),
            some => format!("({})", some.join(", ")),
        };
        let selection = self.selection(field.ty.inner_named_type(), depth - 1, draft);
        format!("{alias}{}{arguments}{selection} ", field.name)
    }

    fn argument(&mut self, argument: &InputValueDefinition, draft: &mut Draft<'_>) -> String {
        let value = self.value(&argument.name, &argument.ty, draft);
        if self.dice.percent(50) {
            return format!("{}: {}", argument.name, value.literal());
        }
        let variable = format!("v{}", draft.variables.len());
        draft.variables.insert(variable.clone(), value.json());
        write!(draft.declared, "${variable}: {}, ", argument.ty).unwrap();
        format!("{}: ${variable}", argument.name)
    }

    /// The selection of a type, ready to stand behind a field; empty for a leaf.
    fn selection(&mut self, of: &str, depth: usize, draft: &mut Draft<'_>) -> String {
        let object = match &self.schema.types[of] {
            ExtendedType::Object(object) => object.clone(),
            ExtendedType::Interface(_) | ExtendedType::Union(_) => {
                let mut text = " { __typename ".to_owned();
                for name in self.concrete(of) {
                    let fields =
                        self.fields(&name, &format!("{}_", name.to_lowercase()), depth, draft);
                    write!(text, "... on {name} {{ __typename {fields}}} ").unwrap();
                }
                return text + "}";
            }
            _ => return String::new(),
        };
        let fields = self.fields(&object.name, "", depth, draft);
        format!(" {{ __typename {fields}}}")
    }

    fn fields(&mut self, of: &str, alias: &str, depth: usize, draft: &mut Draft<'_>) -> String {
        let fields: Vec<FieldDefinition> = {
            let object = self.schema.get_object(of).unwrap();
            object
                .fields
                .values()
                .map(|field| FieldDefinition::clone(field))
                .collect()
        };
        let is_leaf =
            |field: &FieldDefinition| self.schema.types[field.ty.inner_named_type()].is_leaf();
        let (leaves, branches): (Vec<_>, Vec<_>) = fields.into_iter().partition(is_leaf);
        let (some, two) = (2 + self.dice.below(6), 1 + self.dice.below(2));
        let mut chosen = self.pick(of, &leaves, some);
        if depth > 1 && draft.left > 0 {
            chosen.extend(self.pick(of, &branches, two));
        }
        let mut text = String::new();
        for field in chosen {
            let name = if alias.is_empty() {
                String::new()
            } else {
                format!("{alias}{}: ", field.name)
            };
            text += &self.field(of, &field, &name, depth, draft);
        }
        text
    }

    fn value(&mut self, name: &str, ty: &Type, draft: &mut Draft<'_>) -> Given {
        if ty.is_list() {
            let item = ty.item_type().clone();
            let number = self.dice.below(4);
            return Given::List(
                (0..number)
                    .map(|_| self.value(name, &item, draft))
                    .collect(),
            );
        }
        let of = ty.inner_named_type().to_string();
        match self.schema.types[of.as_str()].clone() {
            ExtendedType::Enum(one) => {
                let names: Vec<String> = one.values.keys().map(ToString::to_string).collect();
                Given::Enum(self.dice.one_of(&names).clone())
            }
            ExtendedType::InputObject(input) => {
                let fields: Vec<InputValueDefinition> = input
                    .fields
                    .values()
                    .map(|field| InputValueDefinition::clone(field))
                    .collect();
                let one = input
                    .directives
                    .has("oneOf")
                    .then(|| self.dice.below(fields.len()));
                let mut given = Vec::new();
                for (at, field) in fields.iter().enumerate() {
                    let key = format!("{of}.{}", field.name);
                    let wanted = match one {
                        Some(one) => at == one,
                        None => {
                            field.is_required()
                                || !self.used.contains_key(&key)
                                || self.dice.percent(40)
                        }
                    };
                    if wanted {
                        self.note(draft, key);
                        given.push((
                            field.name.to_string(),
                            self.value(&field.name, &field.ty, draft),
                        ));
                    }
                }
                Given::Object(given)
            }
            _ => Given::Plain(self.scalar(name, &of, draft.words)),
        }
    }

    fn scalar(&mut self, name: &str, of: &str, words: &Words) -> Value {
        let any = |dice: &mut Dice, pool: &BTreeSet<String>| {
            let pool: Vec<_> = pool.iter().collect();
            if pool.is_empty() {
                json!("nothing yet")
            } else {
                json!(dice.one_of(&pool))
            }
        };
        match of {
            "Int" if ["first", "last"].contains(&name) && self.dice.percent(90) => {
                json!(1 + self.dice.below(5))
            }
            "Int" => json!(self.dice.number()),
            "Float" => json!(0.5),
            "Boolean" => json!(self.dice.percent(50)),
            "ID" => any(&mut self.dice, &words.ids),
            "Date" => json!(self.dice.one_of(&[
                "2023-05-01",
                "2023-05-20",
                "2024-02-29",
                "2026-11-20",
                "2026-11-25"
            ])),
            "DateTime" => json!(
                self.dice
                    .one_of(&["2023-05-03T10:00:47Z", "2026-11-20T00:00:00Z"])
            ),
            "Decimal" => json!(self.dice.one_of(&["7013.131", "0", "-1", "99999999"])),
            "String" if ["after", "before"].contains(&name) => any(&mut self.dice, &words.cursors),
            _ if self.dice.percent(20) => {
                json!(self.dice.one_of(&[
                    "",
                    "%",
                    "_",
                    "' or 1=1 --",
                    "\u{202e}",
                    "zqbert",
                    "a\u{0}b"
                ]))
            }
            _ => {
                let fitting: BTreeSet<String> = words
                    .texts
                    .iter()
                    .filter(|text| fits(name, text))
                    .cloned()
                    .collect();
                any(
                    &mut self.dice,
                    if fitting.is_empty() {
                        &words.texts
                    } else {
                        &fitting
                    },
                )
            }
        }
    }
}

/// Whether a text looks like what an argument of this name takes.
fn fits(name: &str, text: &str) -> bool {
    let name = name.to_lowercase();
    if name.contains("email") {
        text.contains('@')
    } else if name.contains("domain") || name.contains("shop") {
        text.ends_with(".myshopify.com")
    } else {
        true
    }
}

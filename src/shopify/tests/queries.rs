//! The queries fit the project's subset of the schema, the subset fits Shopify's own schema where that is at
//! hand, and the bulk queries ask for what the paged ones ask for.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("shopify_queries")
}

fn subset() -> Valid<Schema> {
    let text = fs::read_to_string(folder().join("schema.graphql")).unwrap();
    Schema::parse_and_validate(text, "schema.graphql").unwrap_or_else(|error| panic!("{error}"))
}

/// Shopify's own schema, kept beside the project where the project is worked on.
fn official() -> Option<Valid<Schema>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/shopify/admin-2026-10.graphql.gz");
    let packed = fs::File::open(path).ok()?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_string(&mut text)
        .unwrap();
    // As it is printed, some defaults of enum arguments are strings: that is not what is tested here.
    let schema = Schema::parse(text, "official.graphql").unwrap_or_else(|error| error.partial);
    Some(Valid::assume_valid(schema))
}

fn documents() -> Vec<(String, String)> {
    let files = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().path());
    let queries = files.filter(|path| !path.ends_with("schema.graphql"));
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    queries.map(read).collect()
}

fn document(schema: &Valid<Schema>, name: &str) -> Valid<ExecutableDocument> {
    let (_, text) = documents()
        .into_iter()
        .find(|(file, _)| file == name)
        .unwrap();
    ExecutableDocument::parse_and_validate(schema, text, name)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn assert_queries_are_valid(schema: &Valid<Schema>) {
    let documents = documents();
    assert_eq!(documents.len(), 10, "a query file was added: is it used?");
    for (name, _) in documents {
        document(schema, &name);
    }
}

#[test]
fn the_queries_are_valid() {
    assert_queries_are_valid(&subset());
}

#[test]
fn the_queries_are_valid_against_shopifys_own_schema() {
    if let Some(official) = official() {
        assert_queries_are_valid(&official);
    }
}

#[test]
fn the_schema_is_a_part_of_shopifys_own() {
    let Some(official) = official() else { return };
    let mut differences = Vec::new();
    for (name, ours) in &subset().types {
        if ours.is_built_in() {
            continue;
        }
        match official.types.get(name) {
            Some(theirs) => differences.extend(compare(name, ours, theirs)),
            None => differences.push(format!("{name} does not exist")),
        }
    }
    assert_eq!(differences, Vec::<String>::new());
}

fn compare(name: &str, ours: &ExtendedType, theirs: &ExtendedType) -> Vec<String> {
    match (ours, theirs) {
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => Vec::new(),
        (ExtendedType::Enum(ours), ExtendedType::Enum(theirs)) => ours
            .values
            .keys()
            .filter(|value| !theirs.values.contains_key(*value))
            .map(|value| format!("{name}.{value} does not exist"))
            .collect(),
        (ExtendedType::Object(ours), ExtendedType::Object(theirs)) => {
            let missing = ours
                .implements_interfaces
                .iter()
                .filter(|interface| !theirs.implements_interfaces.contains(*interface))
                .map(|interface| format!("{name} is no {interface}"));
            let fields = ours.fields.iter().flat_map(|(field, ours)| {
                compare_field(name, ours, theirs.fields.get(field).map(|field| &***field))
            });
            missing.chain(fields).collect()
        }
        (ExtendedType::Interface(ours), ExtendedType::Interface(theirs)) => ours
            .fields
            .iter()
            .flat_map(|(field, ours)| {
                compare_field(name, ours, theirs.fields.get(field).map(|field| &***field))
            })
            .collect(),
        (ExtendedType::InputObject(ours), ExtendedType::InputObject(theirs)) => ours
            .fields
            .iter()
            .filter(|(field, ours)| {
                theirs
                    .fields
                    .get(*field)
                    .is_none_or(|theirs| theirs.ty.to_string() != ours.ty.to_string())
            })
            .map(|(field, _)| format!("{name}.{field} differs"))
            .collect(),
        _ => vec![format!("{name} is of another kind")],
    }
}

fn compare_field(
    of: &str,
    ours: &FieldDefinition,
    theirs: Option<&FieldDefinition>,
) -> Vec<String> {
    let name = &ours.name;
    let Some(theirs) = theirs else {
        return vec![format!("{of}.{name} does not exist")];
    };
    let mut differences = Vec::new();
    if ours.ty.to_string() != theirs.ty.to_string() {
        differences.push(format!("{of}.{name}: {} is not {}", ours.ty, theirs.ty));
    }
    for argument in &ours.arguments {
        let same = theirs
            .argument_by_name(&argument.name)
            .is_some_and(|theirs| theirs.ty.to_string() == argument.ty.to_string());
        if !same {
            differences.push(format!("{of}.{name}({}) differs", argument.name));
        }
    }
    differences
}

/// The fields of a selection as paths, without `__typename` and without what lies under these fields.
fn fields(set: &SelectionSet, without: &[&str]) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    collect(set, "", without, &mut paths);
    paths
}

fn collect(set: &SelectionSet, prefix: &str, without: &[&str], paths: &mut BTreeSet<String>) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                let name = field.name.as_str();
                if name == "__typename" || without.contains(&name) {
                    continue;
                }
                let path = format!("{prefix}{name}");
                collect(&field.selection_set, &format!("{path}."), without, paths);
                paths.insert(path);
            }
            Selection::InlineFragment(fragment) => {
                let on = fragment.type_condition.as_ref().unwrap();
                collect(
                    &fragment.selection_set,
                    &format!("{prefix}{on}:"),
                    without,
                    paths,
                );
            }
            Selection::FragmentSpread(_) => panic!("a bulk query with fragments"),
        }
    }
}

/// The node of a connection: `name { edges { node`.
fn node<'a>(set: &'a SelectionSet, name: &str) -> &'a SelectionSet {
    [name, "edges", "node"].into_iter().fold(set, |set, name| {
        let mut fields = set
            .selections
            .iter()
            .filter_map(|selection| selection.as_field());
        &fields
            .find(|field| field.name == name)
            .unwrap()
            .selection_set
    })
}

type Names = &'static [&'static str];

#[test]
fn the_bulk_queries_ask_for_the_same_fields() {
    let schema = subset();
    let compared: [(&str, &str, Names, &str, Names); 7] = [
        (
            "bulk_customers",
            "customers",
            &["customers"],
            "CustomerFields",
            &[],
        ),
        (
            "bulk_products",
            "products",
            &["products"],
            "ProductFields",
            &["variants"],
        ),
        (
            "bulk_products",
            "products",
            &["products", "variants"],
            "VariantFields",
            &[],
        ),
        (
            "bulk_orders",
            "orders",
            &["orders"],
            "OrderFields",
            &["lineItems", "agreements"],
        ),
        (
            "bulk_orders",
            "orders",
            &["orders", "lineItems"],
            "LineItemFields",
            &[],
        ),
        (
            "bulk_orders",
            "orders",
            &["orders", "agreements"],
            "AgreementFields",
            &["sales"],
        ),
        (
            "bulk_orders",
            "orders",
            &["orders", "agreements", "sales"],
            "SaleFields",
            &[],
        ),
    ];
    for (bulk, paged, connections, fragment, without) in compared {
        let bulk = document(&schema, &format!("{bulk}.graphql"));
        let root = &bulk.operations.anonymous.as_ref().unwrap().selection_set;
        let nested = connections.iter().fold(root, |set, name| node(set, name));
        let paged = document(&schema, &format!("{paged}.graphql"));
        let fragment = &paged.fragments[fragment];
        assert_eq!(
            fields(nested, without),
            fields(&fragment.selection_set, &[]),
            "{}",
            fragment.name
        );
    }
}

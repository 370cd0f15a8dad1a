//! The modules of `src/` are layers: each depends only on the layers below it.
//!
//! The test parses every source with `syn` and resolves `crate`, `self` and `super`, so it finds each dependency
//! that a path spells out: in nested imports, in expressions and types, and inside macro calls.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use proc_macro2::{TokenStream, TokenTree};
use syn::UseTree;
use syn::visit::{self, Visit};

/// Each layer with the layers that it may use, from the lowest to the highest.
const LAYERS: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("config", &[]),
    ("telemetry", &["config"]),
    ("db", &["domain"]),
    ("shopify", &["domain"]),
    ("auth", &["domain"]),
    ("sync", &["domain", "db", "shopify", "auth"]),
    ("cache", &["domain", "db"]),
    ("graphql", &["domain", "db", "auth", "sync", "cache"]),
    (
        "http",
        &["domain", "db", "auth", "sync", "cache", "graphql"],
    ),
    (
        "app",
        &[
            "domain", "config", "db", "shopify", "auth", "sync", "cache", "graphql", "http",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "config",
            "telemetry",
            "db",
            "shopify",
            "auth",
            "sync",
            "cache",
            "graphql",
            "http",
            "app",
        ],
    ),
    // Exists only in tests: collects the parsers of all layers.
    (
        "fuzzing",
        &[
            "domain", "shopify", "auth", "sync", "cache", "graphql", "http",
        ],
    ),
];

/// Stands for the whole crate, which a module must not import: `use crate::*` would hide its dependencies.
const WHOLE_CRATE: &str = "crate";

/// Collects the top-level modules that a source refers to.
struct Dependencies {
    /// The path of the current module: `["db", "orders"]`.
    module: Vec<String>,
    found: BTreeSet<String>,
}

impl Dependencies {
    /// Of a source of the module with this path.
    fn of(source: &str, module: &[&str]) -> BTreeSet<String> {
        let file = syn::parse_file(source).unwrap();
        let mut dependencies = Self {
            module: module.iter().map(|&name| name.to_owned()).collect(),
            found: BTreeSet::new(),
        };
        dependencies.visit_file(&file);
        dependencies.found
    }

    /// Adds the top-level module of a path that starts with `crate`, `self` or `super`; others stay inside the
    /// module or lead to another crate.
    fn add(&mut self, path: &[String]) {
        let mut at: Vec<&str> = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.module.iter().map(String::as_str).collect(),
            _ => return,
        };
        for segment in path {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => {
                    at.pop();
                }
                name => at.push(name),
            }
        }
        self.found
            .insert((*at.first().unwrap_or(&WHOLE_CRATE)).to_owned());
    }

    fn add_use(&mut self, tree: &UseTree, prefix: &[String]) {
        let with = |name: String| [prefix, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.add_use(&path.tree, &with(path.ident.to_string())),
            UseTree::Name(name) => self.add(&with(name.ident.to_string())),
            UseTree::Rename(rename) => self.add(&with(rename.ident.to_string())),
            UseTree::Glob(_) => self.add(prefix),
            UseTree::Group(group) => {
                for item in &group.items {
                    self.add_use(item, prefix);
                }
            }
        }
    }

    /// `syn` does not parse the arguments of macros, so paths are searched in their tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            match token {
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let mut path = vec![first.to_string()];
                    while let [
                        TokenTree::Punct(colon),
                        TokenTree::Punct(second),
                        TokenTree::Ident(next),
                        after @ ..,
                    ] = rest
                        && (colon.as_char(), second.as_char()) == (':', ':')
                    {
                        path.push(next.to_string());
                        rest = after;
                    }
                    // `$crate` and a lone `self` are no paths of ours.
                    if path.len() > 1 {
                        self.add(&path);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Dependencies {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.add_use(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        // A single segment is a value `self` or a visibility such as `pub(super)`.
        if names.len() > 1 {
            self.add(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

/// The module path of a source: `db/orders.rs` and `db/orders/mod.rs` are `["db", "orders"]`.
fn module_path(file: &Path) -> Vec<&str> {
    let text = file.to_str().unwrap().trim_end_matches(".rs");
    let mut path: Vec<&str> = text.split('/').collect();
    if matches!(path.as_slice(), [.., "mod"] | ["lib" | "main"]) {
        path.pop();
    }
    path
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_layer_uses_only_the_layers_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut dependencies = 0;
    let mut violations = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let module = module_path(inside);
        let Some(&layer) = module.first() else {
            continue;
        };
        let (_, allowed) = LAYERS
            .iter()
            .find(|(name, _)| *name == layer)
            .unwrap_or_else(|| panic!("the layer {layer} is not in LAYERS"));
        for used in Dependencies::of(&fs::read_to_string(&file).unwrap(), &module) {
            let is_layer = used == WHOLE_CRATE || LAYERS.iter().any(|(name, _)| *name == used);
            if is_layer && used != layer {
                dependencies += 1;
                if !allowed.contains(&used.as_str()) {
                    violations.push(format!("{} uses {used}", inside.display()));
                }
            }
        }
    }
    assert!(dependencies > 100, "the test finds no imports");
    violations.sort();
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn the_table_of_layers_has_no_cycle() {
    for (index, (layer, allowed)) in LAYERS.iter().enumerate() {
        for used in *allowed {
            let below = LAYERS[..index].iter().any(|(name, _)| name == used);
            assert!(below, "{layer} uses {used}, which is not below it");
        }
    }
}

#[test]
fn every_form_of_path_is_found() {
    let module = ["graphql", "types", "order"];
    for (source, expected) in [
        ("use crate::db::Database;", vec!["db"]),
        (
            "use crate::{db::{self, orders::{Row, Page}}, sync};",
            vec!["db", "sync"],
        ),
        (
            "use crate::{domain::{ids::{A, B}, money}, http::Router};",
            vec!["domain", "http"],
        ),
        ("use super::super::super::http::Router;", vec!["http"]),
        (
            "use super::super::{query, super::sync::Run};",
            vec!["graphql", "sync"],
        ),
        ("use super::customer::Customer;", vec!["graphql"]),
        ("use self::inner::Inner;", vec!["graphql"]),
        ("use crate::db as store;", vec!["db"]),
        ("use crate::*;", vec![WHOLE_CRATE]),
        ("use super::super::super::*;", vec![WHOLE_CRATE]),
        ("use crate as root;", vec![WHOLE_CRATE]),
        (
            "fn f(x: crate::db::Row) -> u8 { crate::sync::run(x) }",
            vec!["db", "sync"],
        ),
        ("impl From<crate::shopify::Error> for E {}", vec!["shopify"]),
        ("fn f() { g(vec![1, crate::http::port()]) }", vec!["http"]),
        (
            "fn f() { assert!(matches!(x, super::super::super::auth::Error::Expired)) }",
            vec!["auth"],
        ),
        (
            "mod tests { use super::super::super::super::cli::run; }",
            vec!["cli"],
        ),
        ("mod tests { use super::Order; }", vec!["graphql"]),
        // Not dependencies.
        (
            "use std::collections::{self, BTreeMap}; use ::http::Uri;",
            vec![],
        ),
        (
            "// crate::http\n/// [`crate::cli`]\nfn f() { g(\"crate::sync::Run\"); }",
            vec![],
        ),
        (
            "impl S { pub(super) fn f(&self) { self.db.sync() } }",
            vec![],
        ),
        ("macro_rules! m { () => { $crate::x() } }", vec!["x"]),
    ] {
        let found: Vec<String> = Dependencies::of(source, &module).into_iter().collect();
        assert_eq!(found, expected, "{source}");
    }
}

#[test]
fn module_paths_follow_the_files() {
    for (file, expected) in [
        ("db/mod.rs", vec!["db"]),
        ("db/orders.rs", vec!["db", "orders"]),
        ("db/upsert/replace.rs", vec!["db", "upsert", "replace"]),
        ("config.rs", vec!["config"]),
        ("lib.rs", vec![]),
    ] {
        assert_eq!(module_path(Path::new(file)), expected, "{file}");
    }
}

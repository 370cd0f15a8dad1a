//! The direction of the rooms of `src/`: a room knows those it stands on, never those that stand on it.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may use. `config` and `telemetry` are what the outermost rooms read first.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("db", &["domain", "config"]),
    ("shopify", &["domain"]),
    ("auth", &["domain"]),
    ("sync", &["domain", "db", "shopify", "auth"]),
    ("graphql", &["domain", "db", "auth", "sync"]),
    ("http", &["domain", "db", "auth", "sync", "graphql"]),
    ("config", &[]),
    // Only in tests: it collects the parsers of all rooms.
    (
        "fuzzing",
        &["domain", "shopify", "auth", "sync", "graphql", "http"],
    ),
    ("telemetry", &["config"]),
    (
        "app",
        &[
            "domain", "db", "shopify", "auth", "sync", "graphql", "http", "config",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "db",
            "shopify",
            "auth",
            "sync",
            "graphql",
            "http",
            "config",
            "telemetry",
            "app",
        ],
    ),
];

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

/// The rooms that a source names, as `crate::room` or inside `crate::{…}`.
fn named_rooms(source: &str) -> Vec<String> {
    let word = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut rooms = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap();
            rooms.extend(group.split(',').map(|name| word(name.trim())));
        } else {
            rooms.push(word(rest));
        }
    }
    rooms
}

#[test]
fn a_room_uses_only_those_it_stands_on() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut seen = 0;
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == room) else {
            assert!(
                matches!(room, "main" | "lib"),
                "{room} has no place in the order of the rooms"
            );
            continue;
        };
        for named in named_rooms(&fs::read_to_string(&file).unwrap()) {
            let is_room = MAY_USE.iter().any(|(name, _)| *name == named);
            if is_room && named != room {
                seen += 1;
                if !allowed.contains(&named.as_str()) {
                    wrong.push(format!("{} uses {named}", inside.display()));
                }
            }
        }
    }
    assert!(seen > 100, "the imports are not read any more");
    assert_eq!(wrong, Vec::<String>::new());
}

//! Old and new programs run beside each other while a version is rolled out, so a migration is one that the old
//! program does not notice, and an old program starts over the database of a newer one.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use serde_json::json;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use xboard::db::MIGRATOR;

use crate::support::TestApp;

/// The last migration from before this was kept.
const BEFORE: u32 = 13;

/// What a program that runs would notice. A line `-- contract: why` right before it says that none reads that
/// any more.
fn noticed(statement: &str) -> Option<&'static str> {
    if statement.contains("-- contract:") {
        return None;
    }
    let code: String = statement
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default().to_lowercase() + " ")
        .collect();
    let words = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let has = |what: &str| words.contains(what);
    if has("drop table") || has("drop column") || has("drop view") {
        Some("what is read is taken away")
    } else if has(" rename ") {
        Some("what is read has another name")
    } else if has("set not null") || has(" type ") && has("alter column") {
        Some("what is written is refused")
    } else if words.starts_with("alter table")
        && has("add column")
        && has("not null")
        && !has("default")
    {
        Some("rows that it writes lack a value")
    } else {
        None
    }
}

#[test]
fn no_migration_is_noticed_by_the_program_before() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut numbers = Vec::new();
    let mut wrong = Vec::new();
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let number: u32 = name.split('_').next().unwrap().parse().unwrap();
        numbers.push(number);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("--"), "{name} does not say why");
        if number > BEFORE {
            let found = text.split(';').filter_map(noticed);
            wrong.extend(found.map(|why| format!("{name}: {why}")));
        }
    }
    numbers.sort_unstable();
    let all = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "two migrations have one number");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_would_be_noticed_is() {
    for statement in [
        "alter table orders drop column note",
        "drop table orders",
        "alter table orders rename column a to b",
        "alter table orders alter column a set not null",
        "alter table orders alter column a type bigint",
        "alter table orders\n  add column a int not null",
    ] {
        assert!(noticed(statement).is_some(), "{statement}");
        let contract = format!("-- contract: since 1.2 nobody reads it\n{statement}");
        assert_eq!(noticed(&contract), None, "{contract}");
    }
    for statement in [
        "alter table orders add column a int",
        "alter table orders add column a int not null default 0",
        "create table a (b int not null)",
        "-- drop table orders\ncreate index a on orders (b)",
    ] {
        assert_eq!(noticed(statement), None, "{statement}");
    }
}

#[tokio::test]
async fn an_older_program_starts_over_the_database_of_a_newer_one() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let newer = Migration::new(
        9_999,
        Cow::Borrowed("of a newer program"),
        MigrationType::Simple,
        "alter table orders add column note text".into_sql_str(),
        false,
    );
    let mut all: Vec<Migration> = MIGRATOR.iter().cloned().collect();
    all.push(newer);
    let newer = Migrator {
        migrations: Cow::Owned(all),
        ..Migrator::DEFAULT
    };
    app.database.db().migrate_by(&newer).await.unwrap();
    // One that runs goes on, and one that is started again starts.
    app.work().await;
    let older = app.another(|config| config.migrate = true).await;
    older.database().ping().await.unwrap();
    older.database().close().await;
    let me = app
        .field("{ me { email } }", json!({}), Some(&user.token))
        .await;
    assert_eq!(me["email"], "owner@engines.example");
}

//! During a rolling upgrade, programs of two versions share a database. So a migration must not break the older
//! program, and an older program must start over the database of a newer one. A database of an unrelated history
//! of migrations is refused unchanged.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use embedded_postgres::{EmbeddedPostgres, Options};
use pretty_assertions::assert_eq;
use serde_json::json;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqlSafeStr as _};
use xboard::db::MIGRATOR;

use crate::support::{TestApp, TestDatabase};

/// The migrations of the first release, which may be edited until then.
const INITIAL_MIGRATIONS: u32 = 6;

/// Why a statement would break a running program of the previous version. A line `-- contract: reason` before the
/// statement says that the previous version no longer uses the object.
fn breaking_change(statement: &str) -> Option<&'static str> {
    if statement.contains("-- contract:") {
        return None;
    }
    let code: String = statement
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default().to_lowercase() + " ")
        .collect();
    let words = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let has = |part: &str| words.contains(part);
    if has("drop table") || has("drop column") || has("drop view") {
        Some("drops an object that the previous version reads")
    } else if has(" rename ") {
        Some("renames an object that the previous version reads")
    } else if has("set not null") || has(" type ") && has("alter column") {
        Some("rejects rows that the previous version writes")
    } else if words.starts_with("alter table")
        && has("add column")
        && has("not null")
        && !has("default")
    {
        Some("rejects rows of the previous version, which lack the column")
    } else {
        None
    }
}

#[test]
fn no_migration_breaks_the_previous_version() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut numbers = Vec::new();
    let mut violations = Vec::new();
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let number: u32 = name.split('_').next().unwrap().parse().unwrap();
        numbers.push(number);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("--"),
            "{name} does not start with a comment"
        );
        if number > INITIAL_MIGRATIONS {
            let found = text.split(';').filter_map(breaking_change);
            violations.extend(found.map(|reason| format!("{name}: {reason}")));
        }
    }
    numbers.sort_unstable();
    let all = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "two migrations have the same number");
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn breaking_changes_are_detected() {
    for statement in [
        "alter table orders drop column note",
        "drop table orders",
        "alter table orders rename column a to b",
        "alter table orders alter column a set not null",
        "alter table orders alter column a type bigint",
        "alter table orders\n  add column a int not null",
    ] {
        assert!(breaking_change(statement).is_some(), "{statement}");
        let contract = format!("-- contract: not read since 1.2\n{statement}");
        assert_eq!(breaking_change(&contract), None, "{contract}");
    }
    for statement in [
        "alter table orders add column a int",
        "alter table orders add column a int not null default 0",
        "create table a (b int not null)",
        "-- drop table orders\ncreate index a on orders (b)",
    ] {
        assert_eq!(breaking_change(statement), None, "{statement}");
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
    // A running process continues, and a restarted one starts.
    app.work().await;
    let older = app.another(|config| config.migrate = true).await;
    older.database().ping().await.unwrap();
    older.database().close().await;
    let me = app
        .field("{ me { email } }", json!({}), Some(&user.token))
        .await;
    assert_eq!(me["email"], "owner@engines.example");
}

/// The version and checksum of each applied migration, as text.
async fn applied(connection: &mut PgConnection) -> Vec<(i64, String)> {
    let sql = "select version, encode(checksum, 'hex') from _sqlx_migrations order by version";
    sqlx::query_as(sql).fetch_all(connection).await.unwrap()
}

/// The message of the refusal, which names the first migration that is not shared.
fn incompatible(version: i64) -> String {
    format!(
        "an incompatible version of XBoard created this database (migration {version} differs); nothing was changed. \
         Use an empty database (DATABASE_URL) or a new data directory (XBOARD_DATA_DIR)"
    )
}

#[tokio::test]
async fn a_database_of_another_history_is_refused_unchanged() {
    // In each case migration 4 is missing and could be applied.
    for (change, version) in [
        (
            "update _sqlx_migrations set checksum = '\\x00' where version = 5",
            5,
        ),
        (
            "update _sqlx_migrations set version = 3000 where version = 3; \
             insert into _sqlx_migrations select 0, description, installed_on, success, checksum, execution_time \
             from _sqlx_migrations where version = 1",
            0,
        ),
    ] {
        let database = TestDatabase::create().await;
        let mut connection = database.connection().await;
        let delete = "delete from _sqlx_migrations where version = 4";
        sqlx::raw_sql(AssertSqlSafe(format!("{delete}; {change}")))
            .execute(&mut connection)
            .await
            .unwrap();
        let before = applied(&mut connection).await;
        let error = database.db().migrate().await.unwrap_err();
        assert_eq!(error.to_string(), incompatible(version));
        assert_eq!(applied(&mut connection).await, before);
        database.drop().await;
    }
}

#[tokio::test]
async fn a_data_directory_of_another_history_is_refused_by_every_command() {
    let directory = std::env::temp_dir().join(format!("xboard-temporary-{}", std::process::id()));
    let data_dir = directory.clone();
    let (migrate, serve) = tokio::task::spawn_blocking(move || {
        change_first_migration(&data_dir);
        let run = |command| run(&data_dir, command);
        (run("migrate"), run("serve"))
    })
    .await
    .unwrap();
    fs::remove_dir_all(directory).unwrap();
    for output in [migrate, serve] {
        assert!(!output.status.success());
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(&incompatible(1)), "{message}");
    }
}

/// Migrates the database of a data directory, then makes its first migration another one.
fn change_first_migration(data_dir: &Path) {
    let output = run(data_dir, "migrate");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    let server = EmbeddedPostgres::start(&Options::new(data_dir)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let url = server.connection_url();
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql("update _sqlx_migrations set checksum = '\\x00' where version = 1")
            .execute(&mut connection)
            .await
            .unwrap();
    });
    server.stop().unwrap();
}

fn run(data_dir: &Path, command: &str) -> Output {
    let path = std::env::var_os("PATH").unwrap();
    Command::new(env!("CARGO_BIN_EXE_xboard"))
        .arg(command)
        .env_clear()
        .envs([("PATH", path.as_os_str()), ("RUST_LOG", "warn".as_ref())])
        .envs([
            ("XBOARD_DATA_DIR", data_dir.as_os_str()),
            ("PORT", "0".as_ref()),
        ])
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap()
}

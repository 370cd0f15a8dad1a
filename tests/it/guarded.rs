//! Safeguards of the database: unsafe roles and policies are refused at start, statements time out, and
//! migrations do not block requests.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, SqlSafeStr as _};
use xboard::db::MIGRATOR;

use crate::support::{TestApp, TestDatabase};

/// Unsafe changes, and the findings of the check at start.
const UNSAFE: [(&str, &str); 14] = [
    (
        "alter role xboard_app bypassrls",
        "these roles bypass row security: xboard_app",
    ),
    (
        "alter role xboard_system superuser",
        "these roles bypass row security: xboard_system",
    ),
    (
        "alter role xboard_app login",
        "the role xboard_app can sign in: alter role xboard_app nologin",
    ),
    (
        "alter role xboard_app createrole",
        "the role xboard_app may make roles or databases or replicate: alter role xboard_app nocreaterole nocreatedb noreplication",
    ),
    (
        "grant pg_read_all_data to xboard_app",
        "the role xboard_app has the rights of another: revoke pg_read_all_data from xboard_app",
    ),
    (
        "create role outsider; grant usage on schema public to outsider; set local role outsider",
        "the user outsider cannot become the role xboard_app: grant xboard_app to outsider; \
         the user outsider cannot become the role xboard_system: grant xboard_system to outsider",
    ),
    (
        "alter table orders no force row level security",
        "these tables lack forced row security: orders",
    ),
    (
        "alter table orders disable row level security",
        "these tables lack forced row security: orders",
    ),
    (
        "create policy wide on orders to xboard_app using (true)",
        "the policy wide of orders lets xboard_app at rows of other stores",
    ),
    (
        "create policy wide on orders to xboard_app using (tenant_id is not null)",
        "the policy wide of orders lets xboard_app at rows of other stores",
    ),
    (
        "create policy wide on orders using (true)",
        "the policy wide of orders holds for every role",
    ),
    (
        "create policy wide on orders to xboard_system using (true)",
        "the policy wide lets xboard_system at orders, a store's own table",
    ),
    (
        "grant truncate on orders to xboard_app; grant select on users to xboard_app; \
         grant select on orders to xboard_system; grant select on customers to public",
        "public has a right too many: revoke select on customers from public; \
         xboard_app has a right too many: revoke truncate on orders from xboard_app; \
         xboard_system has a right too many: revoke select on orders from xboard_system; \
         xboard_app has a right too many: revoke select on users from xboard_app",
    ),
    (
        "create view everything as select * from orders; grant select on everything to xboard_app",
        "these views read with the rights of their owner (security_invoker is off): everything",
    ),
];

#[tokio::test]
async fn the_check_at_start_reports_each_unsafe_setup() {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    assert_eq!(
        xboard::db::findings(&mut connection).await.unwrap(),
        Vec::<String>::new()
    );
    for (change, finding) in UNSAFE {
        // Roles belong to the whole server, so the change is rolled back.
        let mut transaction = connection.begin().await.unwrap();
        sqlx::raw_sql(change)
            .execute(&mut *transaction)
            .await
            .unwrap();
        let findings = xboard::db::findings(&mut transaction).await.unwrap();
        assert_eq!(findings.join("; "), finding, "{change}");
        transaction.rollback().await.unwrap();
    }
    assert_eq!(
        xboard::db::findings(&mut connection).await.unwrap(),
        Vec::<String>::new()
    );
}

const SYNC: &str = "mutation { sync { syncRun { id } } }";

#[tokio::test]
async fn the_server_cancels_the_statement_of_a_timed_out_operation() {
    let app = TestApp::start_with(|config| {
        config.http.operation_timeout = Duration::from_secs(2);
    })
    .await;
    let user = app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    sqlx::raw_sql("begin; lock table sync_runs")
        .execute(&mut connection)
        .await
        .unwrap();
    let (status, _) = app.try_graphql(SYNC, json!({}), Some(&user.token)).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    app.database.waits_for_locks(0).await;
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn without_a_free_connection_a_request_gets_retry_after() {
    let app = TestApp::start_with(|config| config.connections = 1).await;
    let user = app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    sqlx::raw_sql("begin; lock table sync_runs")
        .execute(&mut connection)
        .await
        .unwrap();
    let holding = app.try_graphql(SYNC, json!({}), Some(&user.token));
    let asking = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        // The connection is released when its lock times out. The other request has timed out by then.
        sqlx::raw_sql("set lock_timeout = '1s'")
            .execute(&mut app.database.connection().await)
            .await
            .unwrap();
        let query = json!({ "query": "{ overview { totalCustomers } }" });
        app.post()
            .bearer_auth(&user.token)
            .json(&query)
            .send()
            .await
            .unwrap()
    };
    let (_, response) = tokio::join!(holding, asking);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[RETRY_AFTER], "2");
    let body: Value = response.json().await.unwrap();
    let error = &body["errors"][0];
    assert_eq!(
        (
            &error["extensions"]["code"],
            &error["extensions"]["retryAfterSeconds"]
        ),
        (&json!("UNAVAILABLE"), &json!(2)),
        "{body}"
    );
    drop(connection);
    app.database.leaves_jobs(1);
}

/// The migrations, and one more that needs an exclusive lock.
fn with_one_more() -> Migrator {
    let sql = "alter table orders add column note text";
    let more = Migration::new(
        9_999,
        Cow::Borrowed("one more"),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    );
    let mut all: Vec<Migration> = MIGRATOR.iter().cloned().collect();
    all.push(more);
    Migrator {
        migrations: Cow::Owned(all),
        ..Migrator::DEFAULT
    }
}

#[tokio::test]
async fn a_migration_that_waits_for_its_lock_does_not_block_requests() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    // A long read, like a backup.
    let mut reader = app.database.connection().await;
    sqlx::raw_sql("begin; select count(*) from orders")
        .execute(&mut reader)
        .await
        .unwrap();
    let migrator = with_one_more();
    let migrating = async {
        let began = Instant::now();
        app.database.db().migrate_by(&migrator).await.unwrap();
        began.elapsed()
    };
    let serving = async {
        let began = Instant::now();
        let mut longest = Duration::ZERO;
        while began.elapsed() < Duration::from_secs(7) {
            let asked = Instant::now();
            let query = "{ orders(first: 1) { totalCount } }";
            let found = app.field(query, json!({}), Some(&user.token)).await;
            assert_eq!(found, json!({ "totalCount": 0 }));
            longest = longest.max(asked.elapsed());
        }
        sqlx::raw_sql("rollback")
            .execute(&mut reader)
            .await
            .unwrap();
        longest
    };
    let (migrated, longest) = tokio::join!(migrating, serving);
    assert!(longest < Duration::from_secs(4), "{longest:?}");
    assert!(migrated > Duration::from_secs(6), "{migrated:?}");
    let query = "{ orders(first: 1) { totalCount } }";
    assert_eq!(
        app.field(query, json!({}), Some(&user.token)).await,
        json!({ "totalCount": 0 }),
        "old code works with the new column"
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn two_processes_that_start_together_migrate_once() {
    let database = TestDatabase::create().await;
    let migrator = with_one_more();
    let (first, second) = tokio::join!(
        database.db().migrate_by(&migrator),
        database.db().migrate_by(&migrator)
    );
    first.unwrap();
    second.unwrap();
    let applied: i64 = sqlx::query_scalar(AssertSqlSafe(
        "select count(*) from _sqlx_migrations where version = 9999".to_owned(),
    ))
    .fetch_one(&mut database.connection().await)
    .await
    .unwrap();
    assert_eq!(applied, 1);
}

#[tokio::test]
async fn debug_output_does_not_contain_the_database_password() {
    let database = TestDatabase::create().await;
    let shown = format!("{:?}", database.db());
    assert_eq!(shown.split_whitespace().next(), Some("Database"), "{shown}");
    assert!(!shown.contains("password"), "{shown}");
}

//! One store never sees another's rows, whatever the statement forgets: the database itself is asked.

use pretty_assertions::assert_eq;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

use crate::support::{TestApp, TestDatabase, enter_tenant};

/// The tables that have a tenant.
async fn tenant_tables(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select c.relname::text from pg_class c \
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped \
         where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

/// The tables that are read before a store is known: the system's own.
const DIRECTORY: [&str; 4] = ["memberships", "sessions", "jobs", "invitations"];

#[tokio::test]
async fn every_table_with_a_tenant_has_forced_row_security_and_a_policy() {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    let tables = tenant_tables(&mut connection).await;
    for expected in [
        "customers",
        "jobs",
        "memberships",
        "orders",
        "sales",
        "sessions",
        "shop_credentials",
        "shops",
    ] {
        assert!(tables.iter().any(|table| table == expected), "{expected}");
    }
    for table in tables {
        let (enabled, forced): (bool, bool) = sqlx::query_as(
            "select relrowsecurity, relforcerowsecurity from pg_class where oid = $1::text::regclass",
        )
        .bind(&table)
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert!(enabled && forced, "{table} has no forced row security");
        let policies: Vec<(String, Vec<String>, String, Option<String>)> = sqlx::query_as(
            "select policyname::text, roles::text[], qual, with_check from pg_policies \
             where schemaname = 'public' and tablename = $1 order by 1",
        )
        .bind(&table)
        .fetch_all(&mut connection)
        .await
        .unwrap();
        assert!(!policies.is_empty(), "{table} has no policy");
        for (name, roles, condition, check) in policies {
            match roles.join(",").as_str() {
                "xboard_app" => {
                    assert!(
                        condition.contains("app.tenant_id"),
                        "{table}.{name}: {condition}"
                    );
                    assert_eq!(check.as_deref(), Some(condition.as_str()), "{table}.{name}");
                }
                "xboard_system" => assert!(DIRECTORY.contains(&table.as_str()), "{table}.{name}"),
                other => panic!("{table}.{name} is for {other}"),
            }
        }
    }
}

#[tokio::test]
async fn the_programs_roles_cannot_bypass_row_security_or_sign_in() {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    let roles: Vec<(String, bool, bool, bool)> = sqlx::query_as(
        "select rolname::text, rolsuper, rolbypassrls, rolcanlogin from pg_roles \
         where rolname in ('xboard_app', 'xboard_system') order by 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let bound = |name: &str| (name.to_owned(), false, false, false);
    assert_eq!(roles, [bound("xboard_app"), bound("xboard_system")]);
}

#[tokio::test]
async fn start_up_refuses_a_table_without_row_security() {
    let database = TestDatabase::create().await;
    database.db().check_row_security().await.unwrap();
    let mut connection = database.connection().await;
    sqlx::query("create table forgotten (tenant_id uuid not null)")
        .execute(&mut connection)
        .await
        .unwrap();
    let error = database.db().check_row_security().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unsafe database: these tables lack forced row security: forgotten"
    );
}

#[tokio::test]
async fn a_statement_without_its_tenant_predicate_still_finds_only_the_tenants_rows() {
    let app = TestApp::start().await;
    let (first, second) = (
        app.register_shop("engines").await,
        app.register_shop("looms").await,
    );
    assert_ne!(first.token, second.token);
    let mut connection = app.database.connection().await;
    let tenants: Vec<(Uuid, String)> =
        sqlx::query_as("select id, shop_domain from tenants order by shop_domain")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    for (tenant, domain) in &tenants {
        let mut transaction = connection.begin().await.unwrap();
        enter_tenant(&mut transaction, *tenant).await;
        let domains: Vec<String> = sqlx::query_scalar("select domain from shops")
            .fetch_all(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(domains, std::slice::from_ref(domain));
        for table in ["shops", "shop_credentials", "sync_runs", "jobs"] {
            let owners: Vec<Uuid> =
                sqlx::query_scalar(AssertSqlSafe(format!("select tenant_id from {table}")))
                    .fetch_all(&mut *transaction)
                    .await
                    .unwrap();
            assert_eq!(owners, [*tenant], "{table}");
        }
        let changed = sqlx::query("update shops set name = 'mine'")
            .execute(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(changed.rows_affected(), 1);
        transaction.rollback().await.unwrap();
    }
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn a_row_cannot_be_written_for_another_tenant() {
    let app = TestApp::start().await;
    app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    let tenant: Uuid = sqlx::query_scalar("select id from tenants")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let mut transaction = connection.begin().await.unwrap();
    enter_tenant(&mut transaction, tenant).await;
    let moved = sqlx::query("update shops set tenant_id = gen_random_uuid()")
        .execute(&mut *transaction)
        .await;
    let error = moved.unwrap_err();
    assert_eq!(
        error.as_database_error().unwrap().code().as_deref(),
        Some("42501"),
        "{error}"
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn the_system_role_reads_no_table_of_a_store() {
    let app = TestApp::start().await;
    app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    for table in tenant_tables(&mut connection).await {
        let mut transaction = connection.begin().await.unwrap();
        sqlx::query("select enter_system()")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let read = sqlx::query(AssertSqlSafe(format!("select * from {table}")))
            .fetch_all(&mut *transaction)
            .await;
        if DIRECTORY.contains(&table.as_str()) {
            // Nobody was invited.
            let rows = usize::from(table != "invitations");
            assert_eq!(read.unwrap().len(), rows, "{table}");
        } else {
            let error = read.unwrap_err();
            assert_eq!(
                error.as_database_error().unwrap().code().as_deref(),
                Some("42501"),
                "{table}: {error}"
            );
        }
        transaction.rollback().await.unwrap();
    }
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_stores_role_reads_no_account() {
    let app = TestApp::start().await;
    app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    let tenant: Uuid = sqlx::query_scalar("select id from tenants")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    for table in [
        "users",
        "tenants",
        "memberships",
        "sessions",
        "refresh_tokens",
        "invitations",
        "password_resets",
    ] {
        let mut transaction = connection.begin().await.unwrap();
        enter_tenant(&mut transaction, tenant).await;
        let read = sqlx::query(AssertSqlSafe(format!("select * from {table}")))
            .fetch_all(&mut *transaction)
            .await;
        let error = read.unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().code().as_deref(),
            Some("42501"),
            "{table}: {error}"
        );
        transaction.rollback().await.unwrap();
    }
    app.database.leaves_jobs(1);
}

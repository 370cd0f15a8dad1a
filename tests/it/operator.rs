//! What an operator does at the command line for people who cannot help themselves: the real program is run.

use std::process::{Command, Output};

use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::TestApp;

/// Runs the program over the test's database, with nothing else set.
async fn run(app: &TestApp, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xboard"));
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", app.database.url())
        .current_dir(std::env::temp_dir());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// What it printed; it must end well.
async fn told(app: &TestApp, arguments: &[&str]) -> String {
    let output = run(app, arguments).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// What it complained of.
async fn refused(app: &TestApp, arguments: &[&str]) -> String {
    let output = run(app, arguments).await;
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn is_good(app: &TestApp, token: &str) -> bool {
    let (status, _) = app
        .try_graphql("{ me { email } }", json!({}), Some(token))
        .await;
    status == StatusCode::OK
}

#[tokio::test]
async fn an_operator_lists_people_and_looks_after_them() {
    let app = TestApp::start().await;
    let ada = app.register_shop("engines").await;
    let mary = app.register_shop("looms").await;
    let (engines, looms) = ("engines.myshopify.com", "looms.myshopify.com");
    assert_eq!(
        told(&app, &["user", "list"]).await,
        format!("owner@engines.example\t{engines}\tOWNER\nowner@looms.example\t{looms}\tOWNER\n")
    );
    let token = told(&app, &["user", "reset-password", " Owner@Engines.example"]).await;
    let reset = "mutation ($token: String!) { resetPassword(input: { token: $token, newPassword: \"violets by the river\" }) { userErrors { code } } }";
    let payload = app
        .field(reset, json!({ "token": token.trim() }), None)
        .await;
    assert_eq!(payload, json!({ "userErrors": [] }));
    assert!(!is_good(&app, &ada.token).await);

    assert_eq!(
        told(&app, &["user", "sign-out", &mary.email]).await,
        "1 sessions of owner@looms.example were ended\n"
    );
    assert!(!is_good(&app, &mary.token).await);
    let complaint = refused(&app, &["user", "remove", &mary.email, "--shop", looms]).await;
    assert_eq!(
        complaint,
        "xboard: a shop needs an owner: make another member the owner first\n"
    );
    let complaint = refused(
        &app,
        &["user", "set-role", &mary.email, "--shop", engines, "viewer"],
    )
    .await;
    assert_eq!(complaint, "xboard: the user is not a member of this shop\n");
    sqlx::query(
        "insert into memberships (tenant_id, user_id, role, created_at) select t.id, u.id, 'VIEWER', now() \
         from tenants t, users u where t.shop_domain = 'engines.myshopify.com' and u.email = 'owner@looms.example'",
    )
    .execute(&mut app.database.connection().await)
    .await
    .unwrap();
    told(
        &app,
        &["user", "set-role", &mary.email, "--shop", engines, "owner"],
    )
    .await;
    told(&app, &["user", "remove", &ada.email, "--shop", engines]).await;
    assert_eq!(
        told(&app, &["user", "list"]).await,
        format!(
            "owner@engines.example\t-\t-\nowner@looms.example\t{engines}\tOWNER\nowner@looms.example\t{looms}\tOWNER\n"
        )
    );
    let log: Vec<String> = sqlx::query_scalar(
        "select action || ' ' || coalesce(subject, '-') from audit_log where actor_kind = 'OPERATOR' order by at, tenant_id",
    )
    .fetch_all(&mut app.database.connection().await)
    .await
    .unwrap();
    assert_eq!(
        log,
        [
            "PASSWORD_RESET_ISSUED owner@engines.example",
            "SESSIONS_ENDED owner@looms.example",
            "ROLE_CHANGED owner@looms.example (OWNER)",
            "MEMBER_REMOVED owner@engines.example",
        ]
    );
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn everything_of_a_disconnected_store_is_deleted_on_request() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    app.register_shop("looms").await;
    app.work().await;
    let shop = "engines.myshopify.com";
    let complaint = refused(&app, &["erase", "--shop", shop]).await;
    assert_eq!(
        complaint,
        "xboard: engines.myshopify.com is connected: an owner has to disconnect it first\n"
    );
    let disconnect = "mutation { disconnectShop { userErrors { code } } }";
    app.field(disconnect, json!({}), Some(&user.token)).await;
    app.work().await;
    told(&app, &["erase", "--shop", shop]).await;
    assert_eq!(told(&app, &["erase", "--list"]).await, "");
    app.work().await;
    // The audit log of the shop is deleted too; the erasure and its requester are recorded.
    let listed = told(&app, &["erase", "--list"]).await;
    let (at, what) = listed.split_once('\t').unwrap();
    assert!(at.ends_with('Z'), "{listed}");
    assert_eq!(what, "engines.myshopify.com\tOPERATOR\n");
    assert!(!is_good(&app, &user.token).await);
    let left: Vec<String> = sqlx::query_scalar("select shop_domain from tenants")
        .fetch_all(&mut app.database.connection().await)
        .await
        .unwrap();
    assert_eq!(left, ["looms.myshopify.com"]);
    let counts = app.database.row_counts().await;
    let of = |table: &str| counts.iter().find(|(name, _)| name == table).unwrap().1;
    for table in ["users", "shops", "shop_credentials", "memberships"] {
        assert_eq!(of(table), 1, "{table}");
    }
    let engines: i64 =
        sqlx::query_scalar("select count(*) from audit_log where actor_email like '%engines%'")
            .fetch_one(&mut app.database.connection().await)
            .await
            .unwrap();
    assert_eq!(engines, 0);
}

const LOGIN: &str = "mutation ($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) { session { token } userErrors { code } } }";

async fn operators_log(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar(
        "select shop_domain || ' ' || action || ' ' || subject from audit_log a join tenants t on t.id = a.tenant_id \
         where actor_kind = 'OPERATOR' order by at, shop_domain",
    )
    .fetch_all(&mut app.database.connection().await)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_until_they_are_enabled() {
    let app = TestApp::start().await;
    let ada = app.register_shop("engines").await;
    let mary = app.register_shop("looms").await;
    app.work().await;
    let reset = told(&app, &["user", "reset-password", &ada.email]).await;
    assert_eq!(
        told(&app, &["user", "disable", &ada.email]).await,
        "owner@engines.example is disabled\n"
    );
    assert!(!is_good(&app, &ada.token).await);
    assert!(is_good(&app, &mary.token).await);
    let login = async |password: &str| {
        let variables = json!({ "email": ada.email, "password": password });
        app.field(LOGIN, variables, None).await
    };
    // Who has the password is told; who has not learns nothing.
    let payload = login(&ada.password).await;
    assert_eq!(
        payload,
        json!({ "session": null, "userErrors": [{ "code": "NOT_ALLOWED" }] })
    );
    let payload = login("not the password").await;
    assert_eq!(payload["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    let refresh = "mutation ($token: String!) { refreshSession(refreshToken: $token) { userErrors { code } } }";
    let payload = app
        .field(refresh, json!({ "token": ada.refresh_token }), None)
        .await;
    assert_eq!(payload["userErrors"][0]["code"], "EXPIRED");
    let renew = "mutation ($token: String!) { resetPassword(input: { token: $token, newPassword: \"violets by the river\" }) { userErrors { code } } }";
    let payload = app
        .field(renew, json!({ "token": reset.trim() }), None)
        .await;
    assert_eq!(
        payload["userErrors"].as_array().unwrap().len(),
        1,
        "{payload}"
    );
    for (arguments, complaint) in [
        (
            ["user", "disable"],
            "owner@engines.example is already disabled",
        ),
        (
            ["user", "reset-password"],
            "owner@engines.example is disabled: enable the user first",
        ),
    ] {
        let said = refused(&app, &[arguments[0], arguments[1], &ada.email]).await;
        assert_eq!(said, format!("xboard: {complaint}\n"));
    }
    assert_eq!(
        told(&app, &["user", "list"]).await,
        "owner@engines.example\tengines.myshopify.com\tOWNER\tdisabled\n\
         owner@looms.example\tlooms.myshopify.com\tOWNER\n"
    );
    told(&app, &["user", "enable", &ada.email]).await;
    assert!(!is_good(&app, &ada.token).await, "the session has ended");
    let payload = login(&ada.password).await;
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(
        operators_log(&app).await,
        [
            "engines.myshopify.com PASSWORD_RESET_ISSUED owner@engines.example",
            "engines.myshopify.com USER_DISABLED owner@engines.example",
            "engines.myshopify.com USER_ENABLED owner@engines.example",
        ]
    );
}

#[tokio::test]
async fn a_deleted_user_is_gone_from_every_store_and_a_store_keeps_an_owner() {
    let app = TestApp::start().await;
    let ada = app.register_shop("engines").await;
    let mary = app.register_shop("looms").await;
    app.work().await;
    let only = "is the only owner of a shop: make another member the owner first, or pass --leave-without-owner";
    let said = refused(&app, &["user", "delete", &ada.email]).await;
    assert_eq!(said, format!("xboard: owner@engines.example {only}\n"));
    assert!(is_good(&app, &ada.token).await);
    sqlx::query(
        "insert into memberships (tenant_id, user_id, role, created_at) select t.id, u.id, 'OWNER', now() \
         from tenants t, users u where t.shop_domain = 'engines.myshopify.com' and u.email = 'owner@looms.example'",
    )
    .execute(&mut app.database.connection().await)
    .await
    .unwrap();
    app.tell_of_changed_access().await;
    assert_eq!(
        told(&app, &["user", "delete", &ada.email]).await,
        "owner@engines.example was deleted\n"
    );
    assert!(!is_good(&app, &ada.token).await);
    let variables = json!({ "email": ada.email, "password": ada.password });
    let payload = app.field(LOGIN, variables, None).await;
    assert_eq!(payload["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    assert_eq!(
        told(&app, &["user", "list"]).await,
        "owner@looms.example\tengines.myshopify.com\tOWNER\nowner@looms.example\tlooms.myshopify.com\tOWNER\n"
    );
    let said = refused(&app, &["user", "delete", &mary.email]).await;
    assert_eq!(said, format!("xboard: owner@looms.example {only}\n"));
    told(
        &app,
        &["user", "delete", &mary.email, "--leave-without-owner"],
    )
    .await;
    assert!(!is_good(&app, &mary.token).await);
    assert_eq!(told(&app, &["user", "list"]).await, "");
    // What they did stays in the logs of their stores.
    assert_eq!(
        operators_log(&app).await,
        [
            "engines.myshopify.com USER_DELETED owner@engines.example (OWNER)",
            "engines.myshopify.com USER_DELETED owner@looms.example (OWNER)",
            "looms.myshopify.com USER_DELETED owner@looms.example (OWNER)",
        ]
    );
}

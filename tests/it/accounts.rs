//! Signing up: what works, what is refused, and that a refused sign-up leaves nothing behind.

use std::sync::Arc;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use shopify_simulator::{Fault, FaultScript, Shop, ShopSettings};

use crate::support::{self, REGISTER, TestApp};

const GOOD_PASSWORD: &str = "correct horse battery";

/// Opens a store.
fn open(app: &TestApp, label: &str) -> Arc<Shop> {
    app.simulator.add_shop(ShopSettings::new(label))
}

/// What somebody sends to sign up with a store, whose token they know.
fn register_input(email: &str, password: &str, label: &str) -> Value {
    let token = format!("shpat_{}", label.to_lowercase());
    support::register_input(email, password, label, &token)
}

/// What Ada sends to sign up with the store `engines`, with another token than the right one.
fn with_token(token: &str) -> Value {
    let mut input = register_input("ada@example.com", GOOD_PASSWORD, "engines");
    input["shop"]["credentials"]["accessToken"]["token"] = json!(token);
    input
}

/// Tries to sign up; the user errors as (field, code), after checking that nothing was made.
async fn refused(app: &TestApp, input: Value) -> Vec<(String, String)> {
    let before = app.database.row_counts().await;
    let payload = app.field(REGISTER, json!({ "input": input }), None).await;
    assert_eq!(
        app.database.row_counts().await,
        before,
        "something was left behind"
    );
    for part in ["session", "user", "syncRun"] {
        assert_eq!(payload[part], Value::Null, "{payload}");
    }
    let errors = payload["userErrors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| {
            let field: Vec<_> = error["field"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            (field.join("."), error["code"].as_str().unwrap().to_owned())
        })
        .collect()
}

fn told(field: &str, code: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), code.to_owned())]
}

#[tokio::test]
async fn signing_up_creates_the_user_connects_the_store_and_queues_its_first_sync() {
    let app = TestApp::start().await;
    open(&app, "engines");
    let input = register_input(" Ada@Example.com ", GOOD_PASSWORD, "Engines");
    let payload = app.field(REGISTER, json!({ "input": input }), None).await;
    assert_eq!(payload["userErrors"], json!([]));
    let tenant = payload["user"]["memberships"][0]["tenant"]["id"].clone();
    assert_eq!(
        payload["user"],
        json!({
            "email": "ada@example.com",
            "tenant": { "shop": { "domain": "engines.myshopify.com", "name": "engines" } },
            "memberships": [{ "role": "OWNER", "tenant": { "id": tenant } }],
        })
    );
    assert_eq!(
        payload["syncRun"],
        json!({ "mode": "FULL", "status": "QUEUED", "trigger": "REGISTER", "progress": [] })
    );
    let token = payload["session"]["token"].as_str().unwrap();
    let me = app.field("{ me { email } }", json!({}), Some(token)).await;
    assert_eq!(me, json!({ "email": "ada@example.com" }));
    let made: Vec<_> = app
        .database
        .row_counts()
        .await
        .into_iter()
        .filter(|(table, rows)| *rows > 0 && !table.starts_with('_'))
        .collect();
    let one = |table: &str| (table.to_owned(), 1);
    assert_eq!(
        made,
        [
            one("audit_log"),
            one("jobs"),
            one("memberships"),
            one("refresh_tokens"),
            one("sessions"),
            one("shop_credentials"),
            one("shops"),
            one("sync_runs"),
            one("tenants"),
            one("users"),
        ]
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn an_app_may_connect_by_its_client_id_and_secret() {
    let app = TestApp::start().await;
    open(&app, "engines");
    let mut input = register_input("ada@example.com", GOOD_PASSWORD, "engines");
    let credentials = |secret: &str| json!({ "clientCredentials": { "clientId": "client-engines", "clientSecret": secret } });
    input["shop"]["credentials"] = credentials("shpss_wrong");
    assert_eq!(
        refused(&app, input.clone()).await,
        told("input.shop.credentials", "ACCESS_TOKEN_REJECTED")
    );
    input["shop"]["credentials"] = credentials("shpss_engines");
    let payload = app.field(REGISTER, json!({ "input": input }), None).await;
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(payload["user"]["email"], "ada@example.com");
    app.work().await;
}

#[tokio::test]
async fn the_first_sync_of_a_new_store_ends_well() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    assert_eq!(app.sync_and_wait(&user.token, "FULL").await, "SUCCEEDED");
}

#[tokio::test]
async fn neither_the_password_nor_the_stores_token_is_readable_in_the_database() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    let hash: String = sqlx::query_scalar("select password_hash from users")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(hash.starts_with("$2b$04$"), "{hash}");
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed from shop_credentials")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("shpat_engines"));
    let kept: Vec<u8> = sqlx::query_scalar("select token_hash from refresh_tokens")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(kept.len(), 32);
    assert!(!user.refresh_token.is_empty());
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_malformed_email_address_is_refused() {
    let app = TestApp::start().await;
    let store = open(&app, "engines");
    for email in ["", "ada", "ada@example", "a b@example.com"] {
        let errors = refused(&app, register_input(email, GOOD_PASSWORD, "engines")).await;
        assert_eq!(errors, told("input.email", "INVALID"), "{email}");
    }
    assert_eq!(store.statistics().requests, 0);
}

#[tokio::test]
async fn a_weak_password_is_refused() {
    let app = TestApp::start().await;
    let store = open(&app, "engines");
    for (password, code) in [
        ("short", "TOO_SHORT"),
        ("elevenchars", "TOO_SHORT"),
        ("Password2026!", "TOO_COMMON"),
        ("aaaaaaaaaaaaaa", "TOO_COMMON"),
        ("ada@example.com", "TOO_COMMON"),
        (&"long and ".repeat(200), "INVALID"),
    ] {
        let errors = refused(&app, register_input("ada@example.com", password, "engines")).await;
        assert_eq!(errors, told("input.password", code), "{password}");
    }
    assert_eq!(store.statistics().requests, 0);
}

#[tokio::test]
async fn a_domain_that_is_no_stores_is_refused_and_never_asked() {
    let app = TestApp::start().await;
    let store = open(&app, "engines");
    for domain in [
        "engines",
        "engines.example.com",
        "engines.myshopify.com.evil.example",
        "engines.myshopify.com/x",
        "127.0.0.1",
    ] {
        let mut input = register_input("ada@example.com", GOOD_PASSWORD, "engines");
        input["shop"]["domain"] = json!(domain);
        assert_eq!(
            refused(&app, input).await,
            told("input.shop.domain", "INVALID"),
            "{domain}"
        );
    }
    assert_eq!(store.statistics().requests, 0);
}

#[tokio::test]
async fn credentials_that_cannot_be_any_are_refused() {
    let app = TestApp::start().await;
    let mut input = with_token("");
    assert_eq!(
        refused(&app, input.clone()).await,
        told("input.shop.credentials.accessToken.token", "INVALID")
    );
    input["shop"]["credentials"] =
        json!({ "accessToken": { "token": "shpat_engines", "apiSecret": "line\nbreak" } });
    assert_eq!(
        refused(&app, input.clone()).await,
        told("input.shop.credentials.accessToken.apiSecret", "INVALID")
    );
    input["shop"]["credentials"] =
        json!({ "clientCredentials": { "clientId": "é", "clientSecret": "s" } });
    assert_eq!(
        refused(&app, input).await,
        told(
            "input.shop.credentials.clientCredentials.clientId",
            "INVALID"
        )
    );
}

#[tokio::test]
async fn everything_that_is_wrong_with_the_input_is_told_at_once() {
    let app = TestApp::start().await;
    let mut input = with_token("");
    input["email"] = json!("ada");
    input["password"] = json!("short");
    input["shop"]["domain"] = json!("no_store.myshopify.com");
    let errors = refused(&app, input).await;
    let expected = [
        ("input.email", "INVALID"),
        ("input.password", "TOO_SHORT"),
        ("input.shop.domain", "INVALID"),
        ("input.shop.credentials.accessToken.token", "INVALID"),
    ];
    assert_eq!(
        errors,
        expected.map(|(field, code)| (field.to_owned(), code.to_owned()))
    );
}

#[tokio::test]
async fn a_store_that_does_not_exist_is_refused() {
    let app = TestApp::start().await;
    let errors = refused(
        &app,
        register_input("ada@example.com", GOOD_PASSWORD, "nowhere"),
    )
    .await;
    assert_eq!(errors, told("input.shop.domain", "SHOP_NOT_FOUND"));
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let app = TestApp::start().await;
    open(&app, "engines");
    let errors = refused(&app, with_token("shpat_of_another_store")).await;
    assert_eq!(
        errors,
        told("input.shop.credentials", "ACCESS_TOKEN_REJECTED")
    );
}

#[tokio::test]
async fn missing_scopes_are_named() {
    let app = TestApp::start().await;
    open(&app, "engines").set_scopes(&["read_orders"]);
    let input = register_input("ada@example.com", GOOD_PASSWORD, "engines");
    assert_eq!(
        refused(&app, input.clone()).await,
        told("input.shop.credentials", "MISSING_SCOPES")
    );
    let payload = app.field(REGISTER, json!({ "input": input }), None).await;
    assert_eq!(
        payload["userErrors"][0]["message"],
        "Missing scopes: read_customers, read_products."
    );
}

#[tokio::test]
async fn a_store_whose_time_zone_goes_by_a_name_that_was_given_up_is_let_in() {
    let app = TestApp::start().await;
    let store = open(&app, "engines");
    store.set_zone("America/Los_Angeles".parse().unwrap());
    // Gone from IANA's data since 2020: no PostgreSQL knows it.
    store.set_zone_name("US/Pacific-New");
    let input = register_input("ada@example.com", GOOD_PASSWORD, "engines");
    let payload = app.field(REGISTER, json!({ "input": input }), None).await;
    assert_eq!(payload["userErrors"], json!([]));
    let query = "{ me { tenant { shop { timeZone } } } }";
    let token = payload["session"]["token"].as_str();
    let me = app.field(query, json!({}), token).await;
    assert_eq!(me["tenant"]["shop"]["timeZone"], "America/Los_Angeles");
    app.work().await;
}

#[tokio::test]
async fn a_store_in_a_time_zone_that_the_database_does_not_know_is_told() {
    let app = TestApp::start().await;
    open(&app, "engines").set_zone_name("Nowhere/Land");
    let input = register_input("ada@example.com", GOOD_PASSWORD, "engines");
    assert_eq!(
        refused(&app, input.clone()).await,
        told("input.shop.domain", "INVALID")
    );
    let payload = app.field(REGISTER, json!({ "input": input }), None).await;
    assert_eq!(
        payload["userErrors"][0]["message"],
        "The database does not have the shop's time zone, Nowhere/Land: the operator has to update its \
         zone data."
    );
}

#[tokio::test]
async fn a_store_that_does_not_answer_or_is_closed_is_told() {
    let app = TestApp::start().await;
    let store = open(&app, "engines");
    for status in [503, 402, 423] {
        match status {
            503 => store.push_fault(FaultScript {
                times: 9,
                ..Fault::ServerError { status }.into()
            }),
            _ => store.set_closed(Some(status)),
        }
        let errors = refused(
            &app,
            register_input("ada@example.com", GOOD_PASSWORD, "engines"),
        )
        .await;
        assert_eq!(
            errors,
            told("input.shop.domain", "SHOP_UNREACHABLE"),
            "{status}"
        );
        store.clear_faults();
    }
}

#[tokio::test]
async fn an_address_and_a_store_that_are_there_already_are_told_only_to_who_has_a_store() {
    let app = TestApp::start().await;
    let same = |label: &str| ShopSettings {
        id: Some(77),
        ..ShopSettings::new(label)
    };
    app.simulator.add_shop(same("engines"));
    let user = app.register_owner("engines").await;
    open(&app, "looms");
    // Another store, the same address.
    let errors = refused(&app, register_input(&user.email, GOOD_PASSWORD, "looms")).await;
    assert_eq!(errors, told("input.email", "TAKEN"));
    // Another address, the same store.
    let errors = refused(
        &app,
        register_input("bob@example.com", GOOD_PASSWORD, "engines"),
    )
    .await;
    assert_eq!(errors, told("input.shop.domain", "SHOP_ALREADY_CONNECTED"));
    // The same store under another domain.
    app.simulator.add_shop(same("engines-2"));
    let errors = refused(
        &app,
        register_input("bob@example.com", GOOD_PASSWORD, "engines-2"),
    )
    .await;
    assert_eq!(errors, told("input.shop.domain", "SHOP_ALREADY_CONNECTED"));
    // Both at once.
    let errors = refused(&app, register_input(&user.email, GOOD_PASSWORD, "engines")).await;
    assert_eq!(errors.len(), 2);
    // Without the store's own token nothing of this is told.
    let mut input = with_token("shpat_guessed");
    input["email"] = json!(user.email);
    let errors = refused(&app, input).await;
    assert_eq!(
        errors,
        told("input.shop.credentials", "ACCESS_TOKEN_REJECTED")
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn of_two_who_connect_one_store_at_once_one_succeeds() {
    let app = TestApp::start().await;
    open(&app, "engines");
    let attempt = async |email: &str| {
        let input = register_input(email, GOOD_PASSWORD, "engines");
        app.field(REGISTER, json!({ "input": input }), None).await["userErrors"].clone()
    };
    let (first, second) = tokio::join!(attempt("ada@example.com"), attempt("bob@example.com"));
    let mut codes =
        [first, second].map(|errors| errors[0]["code"].as_str().unwrap_or("none").to_owned());
    codes.sort();
    assert_eq!(codes, ["SHOP_ALREADY_CONNECTED", "none"]);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn attempts_to_sign_up_and_in_are_limited_per_account() {
    let app = TestApp::start_with(|config| {
        config.attempts.account = std::num::NonZeroU32::new(2).unwrap();
    })
    .await;
    let login = "mutation { login(input: { email: \"ada@example.com\", password: \"x\" }) { userErrors { code field message } } }";
    for _ in 0..2 {
        let payload = app.field(login, json!({}), None).await;
        assert_eq!(payload["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    }
    let payload = app.field(login, json!({}), None).await;
    assert_eq!(payload["userErrors"][0]["code"], "RATE_LIMITED");
    assert_eq!(payload["userErrors"][0]["field"], json!(["input"]));
    let message = payload["userErrors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Too many attempts: wait "), "{message}");
    let errors = refused(
        &app,
        register_input("Ada@example.com", GOOD_PASSWORD, "engines"),
    )
    .await;
    assert_eq!(errors, told("input", "RATE_LIMITED"));
}

#[tokio::test]
async fn many_attempts_in_one_operation_count_as_many() {
    let app = TestApp::start_with(|config| {
        config.attempts.account = std::num::NonZeroU32::new(2).unwrap();
    })
    .await;
    let attempt = |name: &str| {
        format!(
            "{name}: login(input: {{ email: \"ada@example.com\", password: \"{name}\" }}) \
             {{ userErrors {{ code }} }}"
        )
    };
    let query = format!(
        "mutation {{ {} {} {} }}",
        attempt("a"),
        attempt("b"),
        attempt("c")
    );
    let body = app.graphql(&query, json!({}), None).await;
    let code = |name: &str| body["data"][name]["userErrors"][0]["code"].clone();
    assert_eq!(
        ["a", "b", "c"].map(code),
        ["INVALID_CREDENTIALS", "INVALID_CREDENTIALS", "RATE_LIMITED"].map(|code| json!(code))
    );
}

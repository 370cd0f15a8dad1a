//! People of a store: invited, let in, given other roles, and out at once when they are taken away.

use chrono::{DateTime, TimeDelta, Utc};
use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::support::{Registered, Socket, TestApp};

const PASSPHRASE: &str = "violets grow by the river";

/// Carries one mutation out and gives its payload.
async fn mutate(app: &TestApp, token: Option<&str>, mutation: &str) -> Value {
    let query = format!("mutation {{ {mutation} }}");
    app.field(&query, json!({}), token).await
}

/// The only user error, as (field, code).
fn refusal(payload: &Value) -> (Value, String) {
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload}");
    (
        errors[0]["field"].clone(),
        errors[0]["code"].as_str().unwrap().to_owned(),
    )
}

fn refused(field: &[&str], code: &str) -> (Value, String) {
    let field = if field.is_empty() {
        Value::Null
    } else {
        json!(field)
    };
    (field, code.to_owned())
}

async fn invite(app: &TestApp, token: &str, email: &str, role: &str) -> Value {
    let mutation = format!(
        "inviteMember(input: {{ email: {}, role: {role} }}) {{ \
         invitation {{ id email role expiresAt }} token userErrors {{ field code }} }}",
        json!(email)
    );
    mutate(app, Some(token), &mutation).await
}

/// Invites somebody; the token to accept with.
async fn invited(app: &TestApp, owner: &Registered, email: &str, role: &str) -> String {
    let payload = invite(app, &owner.token, email, role).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["token"].as_str().unwrap().to_owned()
}

async fn accept(app: &TestApp, session: Option<&str>, token: &str, password: Value) -> Value {
    let mutation = format!(
        "acceptInvitation(input: {{ token: {}, password: {password} }}) {{ session {{ token refreshToken }} \
         user {{ email tenant {{ shop {{ domain }} }} memberships {{ role }} }} userErrors {{ field code }} }}",
        json!(token)
    );
    mutate(app, session, &mutation).await
}

/// Invites somebody who is new, and lets them sign up.
async fn join(app: &TestApp, owner: &Registered, email: &str, role: &str) -> Registered {
    let token = invited(app, owner, email, role).await;
    let payload = accept(app, None, &token, json!(PASSPHRASE)).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    let text = |name: &str| payload["session"][name].as_str().unwrap().to_owned();
    Registered {
        email: email.to_owned(),
        password: PASSPHRASE.to_owned(),
        token: text("token"),
        refresh_token: text("refreshToken"),
    }
}

/// The members as (address, role), and the ids by address.
async fn members(app: &TestApp, token: &str) -> Vec<(String, String)> {
    let members = app
        .field("{ members { email role } }", json!({}), Some(token))
        .await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let members = members.as_array().unwrap().iter();
    members
        .map(|member| (text(&member["email"]), text(&member["role"])))
        .collect()
}

async fn id_of(app: &TestApp, token: &str, email: &str) -> String {
    let members = app
        .field("{ members { email userId } }", json!({}), Some(token))
        .await;
    let mut members = members.as_array().unwrap().iter();
    let member = members.find(|member| member["email"] == email).unwrap();
    member["userId"].as_str().unwrap().to_owned()
}

async fn remove(app: &TestApp, token: &str, id: &str) -> Value {
    let mutation = format!(
        "removeMember(userId: \"{id}\") {{ member {{ email }} userErrors {{ field code }} }}"
    );
    mutate(app, Some(token), &mutation).await
}

async fn change_role(app: &TestApp, token: &str, id: &str, role: &str) -> Value {
    let mutation = format!(
        "changeMemberRole(input: {{ userId: \"{id}\", role: {role} }}) {{ member {{ role }} userErrors {{ field code }} }}"
    );
    mutate(app, Some(token), &mutation).await
}

async fn is_good(app: &TestApp, token: &str) -> bool {
    let (status, _) = app
        .try_graphql("{ me { email } }", json!({}), Some(token))
        .await;
    status == StatusCode::OK
}

#[tokio::test]
async fn somebody_new_is_invited_signs_up_and_sees_the_store() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let payload = invite(&app, &owner.token, " Mary@Example.COM ", "VIEWER").await;
    assert_eq!(payload["userErrors"], json!([]));
    let invitation = &payload["invitation"];
    assert_eq!(invitation["email"], "mary@example.com");
    assert_eq!(invitation["role"], "VIEWER");
    let expires_at: DateTime<Utc> = invitation["expiresAt"].as_str().unwrap().parse().unwrap();
    let week = Utc::now() + TimeDelta::days(7);
    assert!((week - TimeDelta::minutes(5)..=week).contains(&expires_at));
    let token = payload["token"].as_str().unwrap();
    assert!(token.starts_with("xbi_"), "{token}");
    // What is kept does not let in.
    let kept: String = sqlx::query_scalar("select row_to_json(i)::text from invitations i")
        .fetch_one(&mut app.database.connection().await)
        .await
        .unwrap();
    assert!(!kept.contains(token), "{kept}");
    let listed = app
        .field(
            "{ invitations { id email role } }",
            json!({}),
            Some(&owner.token),
        )
        .await;
    let id = &invitation["id"];
    let expected = json!({ "id": id, "email": "mary@example.com", "role": "VIEWER" });
    assert_eq!(listed, json!([expected]));
    let node = format!("{{ node(id: {id}) {{ ... on Invitation {{ email }} }} }}");
    let found = app.field(&node, json!({}), Some(&owner.token)).await;
    assert_eq!(found, json!({ "email": "mary@example.com" }));

    let payload = accept(&app, None, token, json!(PASSPHRASE)).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    assert_eq!(
        payload["user"],
        json!({
            "email": "mary@example.com",
            "tenant": { "shop": { "domain": "engines.myshopify.com" } },
            "memberships": [{ "role": "VIEWER" }],
        })
    );
    let session = payload["session"]["token"].as_str().unwrap();
    assert!(is_good(&app, session).await);
    // A viewer does not learn who else is invited.
    let found = app.field(&node, json!({}), Some(session)).await;
    assert_eq!(found, Value::Null);
    assert_eq!(
        members(&app, &owner.token).await,
        [
            (owner.email.as_str(), "OWNER"),
            ("mary@example.com", "VIEWER")
        ]
        .map(|(email, role)| (email.to_owned(), role.to_owned()))
    );
    // Once is once.
    let before = app.database.row_counts_beside_the_log().await;
    let again = accept(&app, None, token, json!(PASSPHRASE)).await;
    assert_eq!(refusal(&again), refused(&["input", "token"], "INVALID"));
    assert_eq!(app.database.row_counts_beside_the_log().await, before);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_user_of_another_store_accepts_with_their_password_or_their_session() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let ada = app.register_shop("looms").await;
    let mary = app.register_shop("lamps").await;
    let token = invited(&app, &owner, &ada.email, "ADMIN").await;
    let before = app.database.row_counts_beside_the_log().await;
    let wrong = accept(&app, None, &token, json!("not her password")).await;
    assert_eq!(
        refusal(&wrong),
        refused(&["input", "password"], "INVALID_CREDENTIALS")
    );
    let without = accept(&app, None, &token, Value::Null).await;
    assert_eq!(
        refusal(&without),
        refused(&["input", "password"], "INVALID")
    );
    let by_another = accept(&app, Some(&mary.token), &token, json!(ada.password)).await;
    assert_eq!(
        refusal(&by_another),
        refused(&["input", "token"], "NOT_ALLOWED")
    );
    assert_eq!(app.database.row_counts_beside_the_log().await, before);

    let payload = accept(&app, None, &token, json!(ada.password)).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    assert_eq!(
        payload["user"]["memberships"],
        json!([{ "role": "OWNER" }, { "role": "ADMIN" }])
    );
    let token = invited(&app, &owner, &mary.email, "VIEWER").await;
    let payload = accept(&app, Some(&mary.token), &token, Value::Null).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    assert_eq!(
        payload["user"]["tenant"]["shop"]["domain"],
        "engines.myshopify.com"
    );
    app.database.leaves_jobs(3);
}

#[tokio::test]
async fn an_invitation_that_ran_out_was_withdrawn_or_replaced_lets_nobody_in() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let attempt = async |token: &str| refusal(&accept(&app, None, token, json!(PASSPHRASE)).await);
    let replaced = invited(&app, &owner, "mary@example.com", "ADMIN").await;
    let newer = invite(&app, &owner.token, "mary@example.com", "VIEWER").await;
    assert_eq!(
        attempt(&replaced).await,
        refused(&["input", "token"], "INVALID")
    );
    let mutation = format!(
        "withdrawInvitation(id: {}) {{ invitation {{ email }} userErrors {{ field code }} }}",
        newer["invitation"]["id"]
    );
    let withdrawn = mutate(&app, Some(&owner.token), &mutation).await;
    assert_eq!(withdrawn["invitation"]["email"], "mary@example.com");
    let again = mutate(&app, Some(&owner.token), &mutation).await;
    assert_eq!(refusal(&again), refused(&["id"], "INVALID"));
    assert_eq!(
        attempt(newer["token"].as_str().unwrap()).await,
        refused(&["input", "token"], "INVALID")
    );
    let late = invited(&app, &owner, "mary@example.com", "VIEWER").await;
    sqlx::query("update invitations set expires_at = now() - interval '1 second'")
        .execute(&mut app.database.connection().await)
        .await
        .unwrap();
    assert_eq!(
        attempt(&late).await,
        refused(&["input", "token"], "EXPIRED")
    );
    let listed = app
        .field("{ invitations { id } }", json!({}), Some(&owner.token))
        .await;
    assert_eq!(listed, json!([]));
    for wrong in [
        "",
        "xbi_",
        "xbr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(
            attempt(wrong).await,
            refused(&["input", "token"], "INVALID")
        );
    }
    let users: i64 = sqlx::query_scalar("select count(*) from users")
        .fetch_one(&mut app.database.connection().await)
        .await
        .unwrap();
    assert_eq!(users, 1);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_weak_password_is_refused_and_the_invitation_stays_open() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let token = invited(&app, &owner, "mary@example.com", "VIEWER").await;
    let before = app.database.row_counts_beside_the_log().await;
    for (password, code) in [
        ("short", "TOO_SHORT"),
        ("Password2026!", "TOO_COMMON"),
        ("mary@example.com", "TOO_COMMON"),
    ] {
        let payload = accept(&app, None, &token, json!(password)).await;
        assert_eq!(refusal(&payload), refused(&["input", "password"], code));
    }
    assert_eq!(app.database.row_counts_beside_the_log().await, before);
    let payload = accept(&app, None, &token, json!(PASSPHRASE)).await;
    assert_eq!(payload["userErrors"], json!([]));
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn of_two_who_accept_one_invitation_at_once_one_is_let_in() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let token = invited(&app, &owner, "mary@example.com", "VIEWER").await;
    let (first, second) = tokio::join!(
        accept(&app, None, &token, json!(PASSPHRASE)),
        accept(&app, None, &token, json!("another one than the first"))
    );
    let let_in = [&first, &second]
        .iter()
        .filter(|payload| payload["session"] != Value::Null)
        .count();
    assert_eq!(let_in, 1, "{first} {second}");
    assert_eq!(members(&app, &owner.token).await.len(), 2);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn an_admin_looks_after_viewers_only() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let admin = join(&app, &owner, "admin@example.com", "ADMIN").await;
    let viewer = join(&app, &owner, "viewer@example.com", "VIEWER").await;
    let before = app.database.row_counts_beside_the_log().await;
    for role in ["OWNER", "ADMIN"] {
        let payload = invite(&app, &admin.token, "mary@example.com", role).await;
        assert_eq!(refusal(&payload), refused(&[], "NOT_ALLOWED"), "{role}");
    }
    for email in [&owner.email, &admin.email] {
        let id = id_of(&app, &owner.token, email).await;
        let payload = remove(&app, &admin.token, &id).await;
        assert_eq!(refusal(&payload), refused(&[], "NOT_ALLOWED"), "{email}");
    }
    assert_eq!(app.database.row_counts_beside_the_log().await, before);
    let offered = invite(&app, &owner.token, "mary@example.com", "ADMIN").await;
    let mutation = format!(
        "withdrawInvitation(id: {}) {{ userErrors {{ field code }} }}",
        offered["invitation"]["id"]
    );
    let payload = mutate(&app, Some(&admin.token), &mutation).await;
    assert_eq!(refusal(&payload), refused(&[], "NOT_ALLOWED"));
    let listed = app
        .field("{ invitations { email } }", json!({}), Some(&owner.token))
        .await;
    assert_eq!(listed, json!([{ "email": "mary@example.com" }]));

    let payload = invite(&app, &admin.token, "grace@example.com", "VIEWER").await;
    assert_eq!(payload["userErrors"], json!([]));
    let id = id_of(&app, &admin.token, &viewer.email).await;
    let payload = remove(&app, &admin.token, &id).await;
    assert_eq!(payload["member"]["email"], json!(viewer.email));
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn who_is_a_member_already_or_has_no_address_is_not_invited() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let before = app.database.row_counts_beside_the_log().await;
    let payload = invite(&app, &owner.token, &owner.email.to_uppercase(), "ADMIN").await;
    assert_eq!(refusal(&payload), refused(&["input", "email"], "TAKEN"));
    let payload = invite(&app, &owner.token, "mary", "ADMIN").await;
    assert_eq!(refusal(&payload), refused(&["input", "email"], "INVALID"));
    assert_eq!(app.database.row_counts_beside_the_log().await, before);
    sqlx::query(
        "insert into invitations (id, tenant_id, email, role, token_hash, invited_by, created_at, expires_at) \
         select gen_random_uuid(), tenant_id, n || '@example.com', 'VIEWER', int4send(n), user_id, now(), \
                now() + interval '1 day' from memberships, generate_series(1, 99) n",
    )
    .execute(&mut app.database.connection().await)
    .await
    .unwrap();
    let payload = invite(&app, &owner.token, "mary@example.com", "ADMIN").await;
    assert_eq!(refusal(&payload), refused(&["input"], "TOO_MANY"));
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_store_keeps_an_owner() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let id = id_of(&app, &owner.token, &owner.email).await;
    let before = app.database.row_counts_beside_the_log().await;
    let payload = remove(&app, &owner.token, &id).await;
    assert_eq!(refusal(&payload), refused(&["userId"], "LAST_OWNER"));
    let payload = change_role(&app, &owner.token, &id, "ADMIN").await;
    assert_eq!(
        refusal(&payload),
        refused(&["input", "userId"], "LAST_OWNER")
    );
    let leave = "leaveShop { userErrors { field code } }";
    let payload = mutate(&app, Some(&owner.token), leave).await;
    assert_eq!(refusal(&payload), refused(&[], "LAST_OWNER"));
    assert_eq!(app.database.row_counts_beside_the_log().await, before);
    assert!(is_good(&app, &owner.token).await);

    let second = join(&app, &owner, "second@example.com", "OWNER").await;
    let second_id = id_of(&app, &owner.token, &second.email).await;
    // Each takes the other's rights at the same moment: both have begun when the rows are let go.
    let mut connection = app.database.connection().await;
    let mut held = connection.begin().await.unwrap();
    sqlx::query("select from memberships for update")
        .execute(&mut *held)
        .await
        .unwrap();
    let (first, other, ()) = tokio::join!(
        change_role(&app, &owner.token, &second_id, "VIEWER"),
        change_role(&app, &second.token, &id, "VIEWER"),
        async {
            app.database.waits_for_locks(2).await;
            held.commit().await.unwrap();
        }
    );
    let made = [&first, &other]
        .iter()
        .filter(|payload| payload["member"] != Value::Null)
        .count();
    assert_eq!(made, 1, "{first} {other}");
    let owners: i64 = sqlx::query_scalar("select count(*) from memberships where role = 'OWNER'")
        .fetch_one(&mut app.database.connection().await)
        .await
        .unwrap();
    assert_eq!(owners, 1);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_removed_member_is_out_at_once_with_all_they_handed_out() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let admin = join(&app, &owner, "admin@example.com", "ADMIN").await;
    let handed_out = invited(&app, &admin, "mary@example.com", "VIEWER").await;
    let mut socket = Socket::of(app.address(), &admin.token).await;
    socket
        .subscribe("subscription { storeChanged { days } }")
        .await;
    let mut own = Socket::of(app.address(), &owner.token).await;
    own.subscribe("subscription { storeChanged { days } }")
        .await;

    let id = id_of(&app, &owner.token, &admin.email).await;
    let payload = remove(&app, &owner.token, &id).await;
    assert_eq!(payload["member"]["email"], json!(admin.email));
    assert!(!is_good(&app, &admin.token).await);
    // The sessions of open connections are looked after every thirty seconds; this was told.
    assert_eq!(socket.next().await, json!({ "close": 4403 }));
    assert!(own.is_silent().await);
    let refresh = format!(
        "refreshSession(refreshToken: \"{}\") {{ session {{ token }} userErrors {{ field code }} }}",
        admin.refresh_token
    );
    let payload = mutate(&app, None, &refresh).await;
    assert_eq!(refusal(&payload), refused(&["refreshToken"], "EXPIRED"));
    let payload = accept(&app, None, &handed_out, json!(PASSPHRASE)).await;
    assert_eq!(refusal(&payload), refused(&["input", "token"], "INVALID"));
    let login = format!(
        "login(input: {{ email: \"{}\", password: \"{}\" }}) {{ userErrors {{ field code }} }}",
        admin.email, admin.password
    );
    let payload = mutate(&app, None, &login).await;
    assert_eq!(refusal(&payload), refused(&["input"], "NOT_ALLOWED"));
    // They may be invited again.
    let token = invited(&app, &owner, &admin.email, "VIEWER").await;
    let payload = accept(&app, None, &token, json!(admin.password)).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn who_leaves_is_out_and_stays_in_their_other_stores() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let ada = app.register_shop("looms").await;
    let token = invited(&app, &owner, &ada.email, "VIEWER").await;
    let payload = accept(&app, Some(&ada.token), &token, Value::Null).await;
    let session = payload["session"]["token"].as_str().unwrap().to_owned();
    let leave = "leaveShop { userErrors { field code } }";
    let payload = mutate(&app, Some(&session), leave).await;
    assert_eq!(payload, json!({ "userErrors": [] }));
    assert!(!is_good(&app, &session).await);
    assert!(is_good(&app, &ada.token).await);
    assert_eq!(members(&app, &owner.token).await.len(), 1);
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn another_role_counts_from_the_next_request_on() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let viewer = join(&app, &owner, "viewer@example.com", "VIEWER").await;
    let sync = "sync { userErrors { field code } }";
    let payload = mutate(&app, Some(&viewer.token), sync).await;
    assert_eq!(refusal(&payload), refused(&["input"], "NOT_ALLOWED"));
    let id = id_of(&app, &owner.token, &viewer.email).await;
    let payload = change_role(&app, &owner.token, &id, "ADMIN").await;
    assert_eq!(payload["member"], json!({ "role": "ADMIN" }));
    let payload = mutate(&app, Some(&viewer.token), sync).await;
    assert_eq!(payload["userErrors"], json!([]));
    let handed_out = invited(&app, &viewer, "mary@example.com", "VIEWER").await;
    change_role(&app, &owner.token, &id, "VIEWER").await;
    let payload = accept(&app, None, &handed_out, json!(PASSPHRASE)).await;
    assert_eq!(refusal(&payload), refused(&["input", "token"], "INVALID"));
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn nobody_of_another_store_can_be_touched() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let other = app.register_shop("looms").await;
    let theirs = id_of(&app, &other.token, &other.email).await;
    let invitation = invite(&app, &other.token, "mary@example.com", "VIEWER").await;
    let before = app.database.row_counts_beside_the_log().await;
    for id in [theirs.as_str(), "usr_x", "x", ""] {
        let payload = remove(&app, &owner.token, id).await;
        assert_eq!(refusal(&payload), refused(&["userId"], "INVALID"), "{id}");
        let payload = change_role(&app, &owner.token, id, "VIEWER").await;
        assert_eq!(
            refusal(&payload),
            refused(&["input", "userId"], "INVALID"),
            "{id}"
        );
    }
    let mutation = format!(
        "withdrawInvitation(id: {}) {{ userErrors {{ field code }} }}",
        invitation["invitation"]["id"]
    );
    let payload = mutate(&app, Some(&owner.token), &mutation).await;
    assert_eq!(refusal(&payload), refused(&["id"], "INVALID"));
    assert_eq!(app.database.row_counts_beside_the_log().await, before);
    let listed = "{ members { email } invitations { email } }";
    let body = app.graphql(listed, json!({}), Some(&owner.token)).await;
    assert_eq!(
        body["data"],
        json!({ "members": [{ "email": owner.email }], "invitations": [] })
    );
    app.database.leaves_jobs(2);
}

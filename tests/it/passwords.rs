//! Other passwords, and the sessions that end with them or by themselves.

use chrono::{TimeDelta, Utc};
use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use reqwest::header::USER_AGENT;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use xboard::auth::single_use_token::{Purpose, SingleUseToken};
use xboard::domain::email::Email;

use crate::support::{Registered, Socket, TestApp};

const NEW: &str = "another passphrase altogether";
const LOGIN: &str = "mutation ($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) { session { token refreshToken } userErrors { code } } }";
const CHANGE: &str = "mutation ($old: String!, $new: String!) {
    changePassword(input: { currentPassword: $old, newPassword: $new }) {
        session { token } userErrors { field code } } }";
const RESET: &str = "mutation ($token: String!, $new: String!) {
    resetPassword(input: { token: $token, newPassword: $new }) { userErrors { field code } } }";

async fn login(app: &TestApp, user: &Registered, password: &str) -> Value {
    let credentials = json!({ "email": user.email, "password": password });
    app.field(LOGIN, credentials, None).await
}

/// Signs in once more.
async fn another_session(app: &TestApp, user: &Registered) -> String {
    let payload = login(app, user, &user.password).await;
    payload["session"]["token"].as_str().unwrap().to_owned()
}

async fn is_good(app: &TestApp, token: &str) -> bool {
    let (status, _) = app
        .try_graphql("{ me { email } }", json!({}), Some(token))
        .await;
    status == StatusCode::OK
}

async fn reset_token(app: &TestApp, user: &Registered, life: TimeDelta) -> String {
    let token = SingleUseToken::generate(Purpose::PasswordReset).unwrap();
    let now = Utc::now();
    let mut system = app.database.db().system().await.unwrap();
    let email = Email::parse(&user.email).unwrap();
    let id = system.find_user_by_email(&email).await.unwrap().unwrap().id;
    system
        .create_password_reset(id, &token.hash(), now + life, now)
        .await
        .unwrap();
    system.commit().await.unwrap();
    token.secret().expose_secret().to_owned()
}

#[tokio::test]
async fn a_changed_password_ends_every_session_and_gives_a_new_one() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let other = another_session(&app, &user).await;
    let mut socket = Socket::of(app.address(), &other).await;
    socket
        .subscribe("subscription { storeChanged { days } }")
        .await;

    let wrong = json!({ "old": "not the password", "new": NEW });
    let payload = app.field(CHANGE, wrong, Some(&user.token)).await;
    assert_eq!(
        payload,
        json!({ "session": null, "userErrors": [
            { "field": ["input", "currentPassword"], "code": "INVALID_CREDENTIALS" }] })
    );
    for (weak, code) in [("short", "TOO_SHORT"), (user.email.as_str(), "TOO_COMMON")] {
        let weak = json!({ "old": user.password, "new": weak });
        let payload = app.field(CHANGE, weak, Some(&user.token)).await;
        assert_eq!(
            payload["userErrors"],
            json!([{ "field": ["input", "newPassword"], "code": code }])
        );
    }
    assert!(is_good(&app, &user.token).await);
    assert!(is_good(&app, &other).await);

    let right = json!({ "old": user.password, "new": NEW });
    let payload = app.field(CHANGE, right, Some(&user.token)).await;
    assert_eq!(payload["userErrors"], json!([]));
    assert!(is_good(&app, payload["session"]["token"].as_str().unwrap()).await);
    assert!(!is_good(&app, &user.token).await);
    assert!(!is_good(&app, &other).await);
    assert_eq!(socket.next().await, json!({ "close": 4403 }));
    let old = login(&app, &user, &user.password).await;
    assert_eq!(
        old["userErrors"],
        json!([{ "code": "INVALID_CREDENTIALS" }])
    );
    assert_eq!(login(&app, &user, NEW).await["userErrors"], json!([]));
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_token_of_the_operator_sets_the_password_anew_once() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let replaced = reset_token(&app, &user, TimeDelta::days(1)).await;
    let token = reset_token(&app, &user, TimeDelta::days(1)).await;
    let reset = async |token: &str, new: &str| {
        let input = json!({ "token": token, "new": new });
        app.field(RESET, input, None).await["userErrors"].clone()
    };
    let refused = json!([{ "field": ["input", "token"], "code": "INVALID" }]);
    for wrong in ["", "xbp_", &user.refresh_token, &replaced] {
        assert_eq!(reset(wrong, NEW).await, refused, "{wrong}");
    }
    assert_eq!(
        reset(&token, "short").await,
        json!([{ "field": ["input", "newPassword"], "code": "TOO_SHORT" }])
    );
    assert!(is_good(&app, &user.token).await);
    assert_eq!(reset(&token, NEW).await, json!([]));
    assert!(!is_good(&app, &user.token).await);
    assert_eq!(login(&app, &user, NEW).await["userErrors"], json!([]));
    assert_eq!(reset(&token, "yet another passphrase").await, refused);
    let late = reset_token(&app, &user, TimeDelta::seconds(-1)).await;
    assert_eq!(reset(&late, "yet another passphrase").await, refused);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_changed_password_makes_the_operators_token_worthless() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let token = reset_token(&app, &user, TimeDelta::days(1)).await;
    let input = json!({ "old": user.password, "new": NEW });
    app.field(CHANGE, input, Some(&user.token)).await;
    let input = json!({ "token": token, "new": "yet another passphrase" });
    let payload = app.field(RESET, input, None).await;
    assert_eq!(payload["userErrors"][0]["code"], "INVALID");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_but_one() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let stranger = app.register_shop("looms").await;
    let response: Value = app
        .post()
        .header(USER_AGENT, "a phone of hers")
        .json(&json!({ "query": LOGIN, "variables": { "email": user.email, "password": user.password } }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let phone = response["data"]["login"]["session"]["token"]
        .as_str()
        .unwrap();
    let query = "{ sessions { id current userAgent address tenant { shop { name } } } }";
    let sessions = app.field(query, json!({}), Some(&user.token)).await;
    let shown = |at: usize| {
        let session = &sessions[at];
        (
            session["current"].clone(),
            session["userAgent"].clone(),
            session["address"].clone(),
        )
    };
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    assert_eq!(
        shown(0),
        (json!(false), json!("a phone of hers"), json!("127.0.0.1"))
    );
    assert_eq!(shown(1), (json!(true), Value::Null, json!("127.0.0.1")));
    assert_eq!(sessions[0]["tenant"]["shop"]["name"], "engines");

    let end =
        |id: &Value| format!("mutation {{ endSession(id: {id}) {{ userErrors {{ code }} }} }}");
    let by_stranger = app
        .field(&end(&sessions[0]["id"]), json!({}), Some(&stranger.token))
        .await;
    assert_eq!(by_stranger["userErrors"], json!([{ "code": "INVALID" }]));
    assert!(is_good(&app, phone).await);
    let payload = app
        .field(&end(&sessions[0]["id"]), json!({}), Some(&user.token))
        .await;
    assert_eq!(payload["userErrors"], json!([]));
    assert!(!is_good(&app, phone).await);
    assert!(is_good(&app, &user.token).await);

    let (second, third) = (
        another_session(&app, &user).await,
        another_session(&app, &user).await,
    );
    let payload = app
        .field(
            "mutation { endOtherSessions { ended userErrors { code } } }",
            json!({}),
            Some(&second),
        )
        .await;
    assert_eq!(payload, json!({ "ended": 2, "userErrors": [] }));
    assert!(is_good(&app, &second).await);
    assert!(!is_good(&app, &third).await);
    assert!(!is_good(&app, &user.token).await);
    assert!(is_good(&app, &stranger.token).await);
    app.database.leaves_jobs(2);
}

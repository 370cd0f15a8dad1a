//! Signing in, staying in, and being out at once.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{JWT_SECRET, TestApp};

const LOGIN: &str = "mutation ($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) {
        session { token refreshToken expiresAt } user { email } userErrors { field code message } } }";
const REFRESH: &str = "mutation ($token: String!) {
    refreshSession(refreshToken: $token) { session { token refreshToken } userErrors { field code } } }";

async fn refresh(app: &TestApp, token: &str) -> Value {
    app.field(REFRESH, json!({ "token": token }), None).await
}

fn refused(code: &str) -> Value {
    json!({ "session": null, "userErrors": [{ "field": ["refreshToken"], "code": code }] })
}

/// Whether a token is taken.
async fn is_good(app: &TestApp, token: &str) -> bool {
    let (status, body) = app
        .try_graphql("{ me { email } }", json!({}), Some(token))
        .await;
    match status {
        StatusCode::OK => true,
        StatusCode::UNAUTHORIZED => false,
        other => panic!("{other}: {body}"),
    }
}

#[tokio::test]
async fn signing_in_needs_the_right_password_and_tells_nothing_else() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let login = async |email: &str, password: &str| {
        app.field(LOGIN, json!({ "email": email, "password": password }), None)
            .await
    };
    let right = login(&user.email.to_uppercase(), &user.password).await;
    assert_eq!(right["userErrors"], json!([]));
    assert_eq!(right["user"]["email"], json!(user.email));
    assert!(is_good(&app, right["session"]["token"].as_str().unwrap()).await);
    let expires_at: DateTime<Utc> = right["session"]["expiresAt"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        (Utc::now() + TimeDelta::minutes(14)..Utc::now() + TimeDelta::minutes(16))
            .contains(&expires_at)
    );

    let wrong = login(&user.email, "not the password").await;
    assert_eq!(
        wrong,
        json!({ "session": null, "user": null, "userErrors": [{
            "field": ["input"], "code": "INVALID_CREDENTIALS",
            "message": "Incorrect email or password.",
        }] })
    );
    assert_eq!(login("nobody@example.com", &user.password).await, wrong);
    assert_eq!(login("no address", &user.password).await, wrong);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let next = refresh(&app, &user.refresh_token).await;
    assert_eq!(next["userErrors"], json!([]));
    let text = |name: &str| next["session"][name].as_str().unwrap().to_owned();
    let (token, refresh_token) = (text("token"), text("refreshToken"));
    assert!(is_good(&app, &token).await);
    assert!(is_good(&app, &user.token).await);

    assert_eq!(refresh(&app, &user.refresh_token).await, refused("INVALID"));
    assert!(!is_good(&app, &token).await);
    assert!(!is_good(&app, &user.token).await);
    assert_eq!(refresh(&app, &refresh_token).await, refused("EXPIRED"));
    // Another session of the same user lives on.
    let other = app
        .field(
            LOGIN,
            json!({ "email": user.email, "password": user.password }),
            None,
        )
        .await;
    assert!(is_good(&app, other["session"]["token"].as_str().unwrap()).await);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn of_two_uses_of_a_refresh_token_at_once_one_gets_through_and_the_session_ends() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let (first, second) = tokio::join!(
        refresh(&app, &user.refresh_token),
        refresh(&app, &user.refresh_token)
    );
    let through = [&first, &second]
        .iter()
        .filter(|payload| payload["session"] != Value::Null)
        .count();
    assert_eq!(through, 1, "{first} {second}");
    assert!(!is_good(&app, &user.token).await);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let app = TestApp::start().await;
    for wrong in [
        "",
        "xbr_",
        "xbr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "a.b.c",
    ] {
        assert_eq!(refresh(&app, wrong).await, refused("INVALID"), "{wrong}");
    }
}

#[tokio::test]
async fn a_session_that_nobody_used_for_thirty_days_has_ended() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    let lives: bool = sqlx::query_scalar(
        "select expires_at between now() + interval '29 days' and now() + interval '30 days' from sessions",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert!(lives);
    sqlx::query("update sessions set expires_at = now() - interval '1 second'")
        .execute(&mut connection)
        .await
        .unwrap();
    app.tell_of_changed_access().await;
    assert_eq!(refresh(&app, &user.refresh_token).await, refused("EXPIRED"));
    assert!(!is_good(&app, &user.token).await);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn signing_out_kills_both_tokens_at_once() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let payload = app
        .field(
            "mutation { logout { userErrors { code } } }",
            json!({}),
            Some(&user.token),
        )
        .await;
    assert_eq!(payload, json!({ "userErrors": [] }));
    assert!(!is_good(&app, &user.token).await);
    assert_eq!(refresh(&app, &user.refresh_token).await, refused("EXPIRED"));
    let body = app
        .graphql(
            "mutation { logout { userErrors { code } } }",
            json!({}),
            None,
        )
        .await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_removed_member_is_out_at_once_and_cannot_come_back() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    sqlx::query("delete from memberships")
        .execute(&mut connection)
        .await
        .unwrap();
    app.tell_of_changed_access().await;
    assert!(!is_good(&app, &user.token).await);
    assert_eq!(refresh(&app, &user.refresh_token).await, refused("EXPIRED"));
    let login = app
        .field(
            LOGIN,
            json!({ "email": user.email, "password": user.password }),
            None,
        )
        .await;
    assert_eq!(login["userErrors"][0]["code"], "NOT_ALLOWED");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_token_that_is_expired_tampered_with_or_not_ours_is_refused_whatever_is_asked() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    assert!(is_good(&app, &user.token).await);
    let payload = user.token.split('.').nth(1).unwrap();
    let decoded =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    let claims: Value = serde_json::from_slice(&decoded).unwrap();
    let sign = |algorithm, secret: &str, change: &dyn Fn(&mut Value)| {
        let mut claims = claims.clone();
        change(&mut claims);
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &key).unwrap()
    };
    assert!(is_good(&app, &sign(Algorithm::HS256, JWT_SECRET, &|_| {})).await);

    let hour_ago = Utc::now().timestamp() - 3600;
    let expired = sign(Algorithm::HS256, JWT_SECRET, &|claims| {
        claims["exp"] = json!(hour_ago);
    });
    let parts: Vec<_> = user.token.split('.').collect();
    let other = sign(Algorithm::HS256, JWT_SECRET, &|claims| {
        claims["tid"] = claims["sub"].clone();
    });
    let other_parts: Vec<_> = other.split('.').collect();
    let unsigned_header = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        r#"{"alg":"none","typ":"JWT"}"#,
    );
    let bad = [
        expired,
        sign(
            Algorithm::HS256,
            "another secret that is long enough to sign",
            &|_| {},
        ),
        sign(Algorithm::HS384, JWT_SECRET, &|_| {}),
        sign(Algorithm::HS256, JWT_SECRET, &|claims| {
            claims["aud"] = json!("another");
        }),
        sign(Algorithm::HS256, JWT_SECRET, &|claims| {
            claims["iss"] = json!("another");
        }),
        // Signed by us, for a store of which the user is no member.
        other.clone(),
        format!("{}.{}.{}", parts[0], other_parts[1], parts[2]),
        format!("{unsigned_header}.{}.", parts[1]),
        user.refresh_token.clone(),
        "nonsense".to_owned(),
    ];
    for token in bad {
        let response = app
            .post()
            .bearer_auth(&token)
            .json(&json!({ "query": "{ __typename }" }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{token}");
        let challenge = response.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            challenge.starts_with("Bearer realm=\"xboard\", error=\"invalid_token\""),
            "{challenge}"
        );
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(body.get("data"), None);
    }
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_role_taken_away_is_gone_with_the_next_request() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let sync = "mutation { sync { syncRun { trigger mode } userErrors { field code } } }";
    // The first sync is still queued, so asking for one gives that one.
    let payload = app.field(sync, json!({}), Some(&user.token)).await;
    assert_eq!(
        payload,
        json!({ "syncRun": { "trigger": "REGISTER", "mode": "FULL" }, "userErrors": [] })
    );
    let mut connection = app.database.connection().await;
    sqlx::query("update memberships set role = 'VIEWER'")
        .execute(&mut connection)
        .await
        .unwrap();
    app.tell_of_changed_access().await;
    let before = app.database.row_counts_beside_the_log().await;
    let payload = app.field(sync, json!({}), Some(&user.token)).await;
    assert_eq!(
        payload,
        json!({ "syncRun": null, "userErrors": [{ "field": ["input"], "code": "NOT_ALLOWED" }] })
    );
    assert_eq!(app.database.row_counts_beside_the_log().await, before);
    let body = app.graphql(sync, json!({}), None).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.database.leaves_jobs(1);
}

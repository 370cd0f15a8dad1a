//! The session of our own page: a cookie that no script reads, that no other site uses, and that can only be
//! traded.

use pretty_assertions::assert_eq;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Registered, TestApp};

const LOGIN: &str = "mutation ($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) { session { token refreshToken } userErrors { code } } }";
const REFRESH: &str = "mutation ($token: String!) {
    refreshSession(refreshToken: $token) { session { token refreshToken } userErrors { code } } }";

/// A browser, as far as it matters here: what it says of the page, and its cookie.
struct Browser<'a> {
    app: &'a TestApp,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self { app, cookie: None }
    }

    async fn post(&self, headers: &[(&str, &str)], body: Value) -> Response {
        let mut request = self.app.post().json(&body);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("other=1; xboard_session={cookie}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// What our own page sends; its answer's data.
    async fn page(&mut self, query: &str, variables: Value, token: Option<&str>) -> Value {
        let mut headers = vec![
            ("xboard-session", "cookie"),
            ("sec-fetch-site", "same-origin"),
        ];
        let bearer = token.map(|token| format!("Bearer {token}"));
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer));
        }
        let body = json!({ "query": query, "variables": variables });
        let response = self.post(&headers, body).await;
        assert_eq!(response.status(), StatusCode::OK);
        if let Some(set) = response.headers().get("set-cookie") {
            let (value, attributes) = kept(set.to_str().unwrap());
            self.cookie = (!attributes.contains("Max-Age=0")).then_some(value);
        }
        response.json::<Value>().await.unwrap()["data"].take()
    }
}

/// A cookie's value, and what else was said of it.
fn kept(cookie: &str) -> (String, String) {
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let value = pair.strip_prefix("xboard_session=").unwrap();
    (value.to_owned(), attributes.to_owned())
}

fn credentials(user: &Registered) -> Value {
    json!({ "email": user.email, "password": user.password })
}

#[tokio::test]
async fn our_own_page_has_its_refresh_token_in_a_cookie_and_never_in_an_answer() {
    let app = TestApp::start().await;
    let user = app.register_shop("page").await;
    let mut browser = Browser::new(&app);

    let login = browser.page(LOGIN, credentials(&user), None).await;
    assert_eq!(login["login"]["session"]["refreshToken"], "");
    let first = browser.cookie.clone().unwrap();
    assert!(first.len() > 40, "{first}");

    // Traded by the cookie alone, once.
    let next = browser.page(REFRESH, json!({ "token": "" }), None).await;
    assert_eq!(next["refreshSession"]["userErrors"], json!([]));
    assert_eq!(next["refreshSession"]["session"]["refreshToken"], "");
    let second = browser.cookie.clone().unwrap();
    assert_ne!(first, second);
    let token = next["refreshSession"]["session"]["token"].as_str().unwrap();
    let me = browser
        .page("{ me { email } }", json!({}), Some(token))
        .await;
    assert_eq!(me["me"]["email"], user.email);

    // Signing out ends the session, and takes the cookie away.
    let out = browser
        .page(
            "mutation { logout { userErrors { code } } }",
            json!({}),
            Some(token),
        )
        .await;
    assert_eq!(out["logout"]["userErrors"], json!([]));
    assert_eq!(browser.cookie, None);
    browser.cookie = Some(second);
    let ended = browser.page(REFRESH, json!({ "token": "" }), None).await;
    assert_eq!(
        ended["refreshSession"],
        json!({ "session": null, "userErrors": [{ "code": "EXPIRED" }] })
    );
    assert_eq!(browser.cookie, None);
    // Who has no cookie is nobody.
    let nobody = browser.page(REFRESH, json!({ "token": "" }), None).await;
    assert_eq!(
        nobody["refreshSession"]["userErrors"],
        json!([{ "code": "INVALID" }])
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn the_cookie_is_written_whatever_is_asked_of_the_session_and_says_what_browsers_need() {
    let app = TestApp::start().await;
    let user = app.register_shop("page").await;
    let body = |field: &str| {
        json!({
            "query": LOGIN.replace("token refreshToken", field),
            "variables": credentials(&user),
        })
    };
    let browser = Browser::new(&app);
    let host = app.address().trim_start_matches("http://").to_owned();
    for field in ["token", "expiresAt", "refreshToken"] {
        let origin = format!("http://{host}");
        let headers = [("xboard-session", "cookie"), ("origin", origin.as_str())];
        let response = browser.post(&headers, body(field)).await;
        let cookie = response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .to_owned();
        let (value, attributes) = kept(&cookie);
        assert_eq!(
            attributes,
            "Path=/graphql; Max-Age=2592000; HttpOnly; SameSite=Strict"
        );
        assert!(!response.text().await.unwrap().contains(&value));
    }
    let origin = format!("https://{host}");
    let headers = [("xboard-session", "cookie"), ("origin", origin.as_str())];
    let response = browser.post(&headers, body("token")).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"),
        "{cookie}"
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn no_other_site_can_use_the_cookie() {
    let app = TestApp::start_with(|config| {
        config.http.allowed_origins = xboard::http::AllowedOrigins::Any;
    })
    .await;
    let user = app.register_shop("page").await;
    let mut browser = Browser::new(&app);
    browser.page(LOGIN, credentials(&user), None).await;
    let before = browser.cookie.clone();
    let refresh = json!({ "query": REFRESH, "variables": { "token": "" } });

    // Even a browser that sent the cookie along would be refused.
    for strange in [
        [("sec-fetch-site", "cross-site"), ("origin", app.address())],
        [("sec-fetch-site", "same-site"), ("origin", app.address())],
        [("sec-fetch-site", "none"), ("origin", app.address())],
        [("x-nothing", "1"), ("origin", "https://evil.example")],
        [("x-nothing", "1"), ("origin", "null")],
        [("x-nothing", "1"), ("x-nothing-else", "1")],
    ] {
        let headers = [&[("xboard-session", "cookie")], &strange[..]].concat();
        let response = browser.post(&headers, refresh.clone()).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{strange:?}");
        assert!(!response.headers().contains_key("set-cookie"));
    }
    // Without the header the cookie is not looked at.
    let response = browser
        .post(&[("origin", "https://evil.example")], refresh)
        .await;
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        body["data"]["refreshSession"]["userErrors"],
        json!([{ "code": "INVALID" }])
    );
    // And no other origin gets leave to send it, or to send cookies.
    let preflight = reqwest::Client::new()
        .request(
            reqwest::Method::OPTIONS,
            format!("{}/graphql", app.address()),
        )
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type, xboard-session",
        )
        .send()
        .await
        .unwrap();
    let allowed = preflight.headers()["access-control-allow-headers"]
        .to_str()
        .unwrap();
    assert!(!allowed.contains("xboard-session"), "{allowed}");
    assert!(
        !preflight
            .headers()
            .contains_key("access-control-allow-credentials")
    );

    // The session is as it was.
    assert_eq!(browser.cookie, before);
    let next = browser.page(REFRESH, json!({ "token": "" }), None).await;
    assert_eq!(next["refreshSession"]["userErrors"], json!([]));
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_script_on_our_own_page_gets_no_refresh_token_by_leaving_the_header_away() {
    let app = TestApp::start().await;
    let user = app.register_shop("page").await;
    let browser = Browser::new(&app);
    let body = json!({ "query": LOGIN, "variables": credentials(&user) });
    let page = [("sec-fetch-site", "same-origin")];
    let response = browser.post(&page, body.clone()).await;
    assert!(!response.headers().contains_key("set-cookie"));
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["data"]["login"]["session"]["refreshToken"], "");

    // Nor by asking for it as a stream.
    let stream = [
        ("sec-fetch-site", "same-origin"),
        ("accept", "text/event-stream"),
        ("xboard-session", "cookie"),
    ];
    let response = browser.post(&stream, body.clone()).await;
    let text = response.text().await.unwrap();
    assert!(text.contains("\"refreshToken\":\"\""), "{text}");

    // Programs, and pages of other origins, keep their tokens themselves, as ever.
    let response = browser
        .post(&[("origin", "https://app.example")], body)
        .await;
    let answer: Value = response.json().await.unwrap();
    let token = answer["data"]["login"]["session"]["refreshToken"].as_str();
    assert!(token.unwrap().len() > 40);

    let wrong = browser
        .post(
            &[("xboard-session", "yes")],
            json!({ "query": "{ me { id } }" }),
        )
        .await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    app.database.leaves_jobs(1);
}

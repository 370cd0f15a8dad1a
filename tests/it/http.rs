//! GraphQL over HTTP and the other routes: media types, status codes, limits and headers.

use std::time::Duration;

use pretty_assertions::assert_eq;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApp;

const NEW: &str = "application/graphql-response+json";
const OLD: &str = "application/json";

async fn send(app: &TestApp, accept: Option<&str>, body: &str) -> Response {
    let mut request = app.post().header("content-type", OLD).body(body.to_owned());
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    request.send().await.unwrap()
}

fn media(response: &Response) -> String {
    response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn the_response_has_the_media_type_that_the_client_prefers() {
    let app = TestApp::start().await;
    let query = r#"{"query":"{ __typename }"}"#;
    for (accept, expected) in [
        (Some(NEW), NEW),
        (Some(OLD), OLD),
        (Some("*/*"), OLD),
        (None, OLD),
        (
            Some("application/json;q=0.5, application/graphql-response+json"),
            NEW,
        ),
        // A quality of zero excludes a type.
        (Some("*/*, application/json;q=0"), NEW),
        (Some("text/event-stream;q=0, application/json"), OLD),
    ] {
        let response = send(&app, accept, query).await;
        assert_eq!(response.status(), StatusCode::OK, "{accept:?}");
        assert_eq!(
            media(&response),
            format!("{expected}; charset=utf-8"),
            "{accept:?}"
        );
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["data"], json!({ "__typename": "Query" }));
    }
    for accept in ["text/html", "application/json;q=0", "text/event-stream;q=0"] {
        let response = send(&app, Some(accept), query).await;
        assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE, "{accept}");
    }
}

#[tokio::test]
async fn the_status_says_whether_the_operation_was_executed() {
    let app = TestApp::start().await;
    for (body, new, old) in [
        // Not GraphQL over HTTP.
        ("{", 400, 400),
        ("[]", 400, 400),
        (r#"[{"query":"{ __typename }"}]"#, 400, 400),
        ("{}", 400, 400),
        (r#"{"query":7}"#, 400, 400),
        (r#"{"query":"{ __typename }","variables":"{}"}"#, 400, 400),
        (r#"{"query":"{ __typename }","operationName":[]}"#, 400, 400),
        (r#"{"query":"{ __typename }","extensions":1}"#, 400, 400),
        // Documents that do not parse or validate, or that do not select an operation.
        (r#"{"query":"{"}"#, 400, 200),
        (r#"{"query":""}"#, 400, 200),
        (r#"{"query":"{ nothing }"}"#, 400, 200),
        (
            r#"{"query":"query A { __typename } query B { __typename }"}"#,
            400,
            200,
        ),
        (
            r#"{"query":"query A { __typename }","operationName":"B"}"#,
            400,
            200,
        ),
        (
            r#"{"query":"query ($n: Int!) { __typename @include(if: true) }","variables":{}}"#,
            400,
            200,
        ),
    ] {
        for (accept, status) in [(NEW, new), (OLD, old)] {
            let response = send(&app, Some(accept), body).await;
            assert_eq!(response.status().as_u16(), status, "{accept} {body}");
            assert_eq!(media(&response), format!("{accept}; charset=utf-8"));
            let answer: Value = response.json().await.unwrap();
            assert_eq!(answer.get("data"), None, "{answer}");
            assert_eq!(
                answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
                "{answer}"
            );
        }
    }
    // If a field fails, the operation was still executed.
    let response = send(
        &app,
        Some(NEW),
        r#"{"query":"mutation { logout { userErrors { code } } }"}"#,
    )
    .await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer.get("data"), Some(&Value::Null));
    assert_eq!(answer["errors"][0]["path"], json!(["logout"]));
}

#[tokio::test]
async fn a_get_executes_only_queries() {
    let app = TestApp::start().await;
    let get = async |pairs: &[(&str, &str)]| {
        let url = reqwest::Url::parse_with_params("http://host/graphql", pairs).unwrap();
        let path = format!("/graphql?{}", url.query().unwrap_or_default());
        app.get(&path).header("accept", NEW).send().await.unwrap()
    };
    let variables = ("variables", r#"{"yes":true}"#);
    let response = get(&[
        (
            "query",
            "query Q($yes: Boolean!) { me @include(if: $yes) { email } }",
        ),
        variables,
    ])
    .await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["data"], json!({ "me": null }));

    let mutation = "mutation { logout { userErrors { code } } }";
    let response = get(&[("query", mutation)]).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "POST");
    let named = "mutation M { logout { userErrors { code } } }";
    assert_eq!(
        get(&[("query", named)]).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let both = "query Q { __typename } mutation M { logout { userErrors { code } } }";
    assert_eq!(
        get(&[("query", both), ("operationName", "M")])
            .await
            .status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(
        get(&[("query", both), ("operationName", "Q")])
            .await
            .status(),
        StatusCode::OK
    );

    for wrong in [
        vec![],
        vec![("query", "{ __typename }"), ("variables", "{")],
        vec![("query", "{ __typename }"), ("query", "{ x }")],
    ] {
        assert_eq!(
            get(&wrong).await.status(),
            StatusCode::BAD_REQUEST,
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn a_get_with_the_current_etag_has_no_body() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let ask = async |tag: Option<&str>, token: Option<&str>| {
        let mut request = app.get("/graphql?query=%7Bme%7Bemail%7D%7D");
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    };
    let first = ask(None, Some(&user.token)).await;
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(first.headers()["cache-control"], "private, no-cache");
    let varies = first.headers().get_all("vary").iter();
    let varies = varies.fold(String::new(), |all, one| all + one.to_str().unwrap() + ",");
    assert!(
        varies.contains("authorization") && varies.contains("accept"),
        "{varies}"
    );
    for known in [tag.clone(), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = ask(Some(&known), Some(&user.token)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(again.headers()["etag"].to_str().unwrap(), tag);
        assert_eq!(again.bytes().await.unwrap().len(), 0);
    }
    // Another response has another tag.
    let signed_out = ask(Some(&tag), None).await;
    assert_eq!(signed_out.status(), StatusCode::OK);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn responses_are_compressed_if_the_client_accepts_gzip() {
    let app = TestApp::start().await;
    let query = json!({ "query": "{ __schema { types { name description } } }" });
    let ask = async |encoding: &str| {
        let url = app.get("/graphql").build().unwrap().url().clone();
        let client = reqwest::Client::builder().no_gzip().build().unwrap();
        let request = client.post(url).header("accept-encoding", encoding);
        request.json(&query).send().await.unwrap()
    };
    let plain = ask("identity").await.bytes().await.unwrap();
    let response = ask("gzip").await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(response.bytes().await.unwrap().len() < plain.len() / 2);
}

#[tokio::test]
async fn other_methods_and_bodies_are_refused() {
    let app = TestApp::start().await;
    let url = app.get("/graphql").build().unwrap().url().clone();
    let response = reqwest::Client::new()
        .request(Method::PUT, url)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    let body = r#"{"query":"{ __typename }"}"#;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
    ] {
        let response = app
            .post()
            .header("content-type", content_type)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(
            response.status(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{content_type}"
        );
    }
    let response = app.post().body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let response = app
        .post()
        .header("content-type", OLD)
        .header("content-encoding", "gzip")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_body_may_have_256_kib() {
    let app = TestApp::start().await;
    let sized = |bytes: usize| {
        let bare = r#"{"query":"{ __typename }"}"#;
        format!("{bare}{}", " ".repeat(bytes - bare.len()))
    };
    assert_eq!(
        send(&app, None, &sized(256 * 1024)).await.status(),
        StatusCode::OK
    );
    let response = send(&app, Some(NEW), &sized(256 * 1024 + 1)).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(
        answer["errors"][0]["message"],
        "The operation is too large: at most 256 KiB."
    );
}

#[tokio::test]
async fn an_authorization_header_without_a_bearer_token_is_refused() {
    let app = TestApp::start().await;
    for header in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "token"] {
        let response = app
            .post()
            .header("authorization", header)
            .json(&json!({ "query": "{ __typename }" }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{header:?}");
        assert!(response.headers().contains_key("www-authenticate"));
    }
    let (status, body) = app.try_graphql("{ me { email } }", json!({}), None).await;
    assert_eq!(
        (status, body),
        (StatusCode::OK, json!({ "data": { "me": null } }))
    );
}

#[tokio::test]
async fn a_slow_operation_times_out() {
    let app =
        TestApp::start_with(|config| config.http.operation_timeout = Duration::from_secs(2)).await;
    let user = app.register_shop("engines").await;
    // The lock blocks the sync.
    let mut connection = app.database.connection().await;
    sqlx::raw_sql("begin; lock table sync_runs")
        .execute(&mut connection)
        .await
        .unwrap();
    let (status, body) = app
        .try_graphql(
            "mutation { sync { syncRun { id } } }",
            json!({}),
            Some(&user.token),
        )
        .await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(body["errors"][0]["extensions"]["code"], "TIMEOUT");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn every_response_has_a_request_id_and_security_headers() {
    let app = TestApp::start().await;
    let response = app.get("/health").send().await.unwrap();
    let headers = response.headers();
    assert_eq!(headers["x-request-id"].len(), 32);
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["x-frame-options"], "DENY");
    let response = app
        .get("/health")
        .header("x-request-id", "order-66_a.b")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["x-request-id"], "order-66_a.b");
    let response = app
        .get("/health")
        .header("x-request-id", "a b\"c")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["x-request-id"].len(), 32);
    let response = send(&app, None, r#"{"query":"{ __typename }"}"#).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn only_allowed_origins_may_call_the_api() {
    let app = TestApp::start_with(|config| {
        config.http.allowed_origins =
            xboard::http::AllowedOrigins::Only(vec!["https://app.example.com".parse().unwrap()]);
    })
    .await;
    let url = app.get("/graphql").build().unwrap().url().clone();
    let asked = async |origin: &str| {
        reqwest::Client::new()
            .request(Method::OPTIONS, url.clone())
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            )
            .send()
            .await
            .unwrap()
            .headers()
            .get("access-control-allow-origin")
            .cloned()
    };
    assert_eq!(
        asked("https://app.example.com").await.unwrap(),
        "https://app.example.com"
    );
    assert_eq!(asked("https://evil.example.com").await, None);
}

#[tokio::test]
async fn health_does_not_depend_on_the_database() {
    let app = TestApp::start().await;
    let response = app.get("/health").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({ "status": "ok" })
    );
    let response = app.get("/dbtest").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], "ok");
    assert!(body["latencyMicroseconds"].as_u64().unwrap() > 0);

    app.app().database().close().await;
    let response = app.get("/dbtest").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({ "status": "unavailable" })
    );
    assert_eq!(
        app.get("/health").send().await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn graphiql_is_served_only_with_introspection() {
    let app = TestApp::start().await;
    let response = app.get("/graphiql").send().await.unwrap();
    assert_ne!(
        response.status(),
        StatusCode::NOT_IMPLEMENTED,
        "This build does not contain GraphiQL. Run `./run setup` (needs Node.js) and build again."
    );
    assert_eq!(response.status(), StatusCode::OK);
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; "),
        "{policy}"
    );
    assert!(!policy.contains("http"), "{policy}");
    // The page loads only files of this server.
    let page = response.text().await.unwrap();
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "{page}"
    );
    let parts = page
        .split('"')
        .filter(|part| part.starts_with("/graphiql/"));
    for part in parts.clone() {
        let response = app.get(part).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{part}");
        assert!(response.text().await.unwrap().len() > 100_000, "{part}");
    }
    assert_eq!(parts.count(), 2);
    for wrong in [
        "/graphiql/index.html",
        "/graphiql/none.js",
        "/graphiql/..%2FCargo.toml",
    ] {
        let response = app.get(wrong).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{wrong}");
    }
    assert_eq!(app.get("/").send().await.unwrap().status(), StatusCode::OK);

    let closed = TestApp::start_with(|config| {
        config.introspection = false;
        config.http.graphiql = false;
    })
    .await;
    assert_eq!(
        closed.get("/graphiql").send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
    assert!(
        !closed
            .get("/")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("/graphiql")
    );
    let (_, body) = closed
        .try_graphql("{ __schema { queryType { name } } }", json!({}), None)
        .await;
    assert_eq!(body["errors"][0]["message"], "Introspection is disabled.");
}

#[tokio::test]
async fn open_requests_are_answered_before_the_server_stops() {
    let mut app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    sqlx::raw_sql("begin; lock table sync_runs")
        .execute(&mut connection)
        .await
        .unwrap();
    let request = app
        .post()
        .bearer_auth(&user.token)
        .json(&json!({ "query": "mutation { sync { syncRun { mode } } }" }))
        .send();
    let request = tokio::spawn(request);
    // The request is open once it waits for the lock.
    app.database.waits_for_locks(1).await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sqlx::raw_sql("rollback")
            .execute(&mut connection)
            .await
            .unwrap();
    };
    let ((), ()) = tokio::join!(app.stop(), release);
    let response = request.await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["data"]["sync"]["syncRun"]["mode"], "FULL");
    app.database.leaves_jobs(1);
}

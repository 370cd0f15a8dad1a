//! The security headers of every response.

use pretty_assertions::assert_eq;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};

use crate::support::TestApp;

/// One request for each kind of response.
const REQUESTS: [(&str, &str, &str); 13] = [
    ("GET", "/", ""),
    ("GET", "/graphql?query={__typename}", ""),
    (
        "GET",
        "/graphql?query=mutation{logout{userErrors{code}}}",
        "",
    ),
    ("POST", "/graphql", "{\"query\":\"{ __typename }\"}"),
    ("POST", "/graphql", "{"),
    ("PUT", "/graphql", ""),
    ("GET", "/graphql/ws", ""),
    ("GET", "/graphiql", ""),
    ("GET", "/graphiql/nothing.js", ""),
    ("POST", "/webhooks", "{}"),
    ("GET", "/health", ""),
    ("GET", "/dbtest", ""),
    ("GET", "/nowhere/../at all", ""),
];

async fn headers(
    app: &TestApp,
    (method, path, body): (&str, &str, &str),
) -> (StatusCode, HeaderMap) {
    let url = format!("{}{path}", app.address());
    let method: Method = method.parse().unwrap();
    let request = reqwest::Client::new().request(method, url);
    let request = request
        .header("content-type", "application/json")
        .body(body.to_owned());
    let response = request.send().await.unwrap();
    (response.status(), response.headers().clone())
}

#[tokio::test]
async fn every_response_has_security_headers() {
    let app = TestApp::start().await;
    let mut statuses = Vec::new();
    for request in REQUESTS {
        let (status, headers) = headers(&app, request).await;
        statuses.push(status.as_u16());
        let text = |name: &str| {
            headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        assert_eq!(text("x-content-type-options"), "nosniff", "{request:?}");
        assert_eq!(text("referrer-policy"), "no-referrer", "{request:?}");
        assert_eq!(text("x-frame-options"), "DENY", "{request:?}");
        let policy = text("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{request:?}: {policy}");
        }
        assert!(
            !policy.contains("script-src 'unsafe"),
            "{request:?}: {policy}"
        );
        assert_eq!(headers.get_all("content-security-policy").iter().count(), 1);
        assert!(headers.contains_key("cache-control"), "{request:?}");
        assert_eq!(
            headers.get("strict-transport-security"),
            None,
            "{request:?}"
        );
        assert_eq!(headers.get("server"), None, "{request:?}");
    }
    // The requests cover these statuses.
    for status in [200, 400, 401, 404, 405] {
        assert!(statuses.contains(&status), "{status}: {statuses:?}");
    }
}

#[tokio::test]
async fn responses_over_https_have_hsts() {
    let app = TestApp::start_with(|config| config.http.over_https = true).await;
    for request in REQUESTS {
        let (_, headers) = headers(&app, request).await;
        assert_eq!(
            headers["strict-transport-security"], "max-age=31536000",
            "{request:?}"
        );
    }
}

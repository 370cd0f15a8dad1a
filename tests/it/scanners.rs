//! The checks of GraphQL security scanners (graphql-cop and more) in the production profile: introspection off.

use std::fmt::Write as _;

use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

async fn production() -> TestApp {
    TestApp::start_with(|config| {
        config.introspection = false;
        config.http.graphiql = false;
    })
    .await
}

async fn refused(app: &TestApp, query: &str) {
    let (_, body) = app.try_graphql(query, json!({}), None).await;
    assert_eq!(body.get("data"), None, "{body}");
    assert_eq!(
        body["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED",
        "{body}"
    );
}

#[tokio::test]
async fn introspection_and_suggestions_are_disabled() {
    let app = production().await;
    for query in [
        "{ __schema { types { name fields { name } } } }",
        "{ __type(name: \"Order\") { name } }",
    ] {
        let (_, body) = app.try_graphql(query, json!({}), None).await;
        assert_eq!(body.get("data"), None, "{body}");
        let text = body.to_string();
        assert!(
            !text.contains("Customer") && !text.contains("lineItems"),
            "{text}"
        );
    }
    // Field suggestions.
    for query in [
        "{ overviews { totalCustomers } }",
        "{ order { id } }",
        "{ orders(firsts: 1) { totalCount } }",
        "{ orders(sort: TOTAL_DES) { totalCount } }",
        "{ orders(filter: { test_: true }) { totalCount } }",
        "{ node(id: \"x\") { ... on Orders { id } } }",
        "mutation { logins { userErrors { code } } }",
        "query ($input: LoginInputs!) { me { id } }",
    ] {
        let (_, body) = app.try_graphql(query, json!({}), None).await;
        let text = body.to_string();
        assert!(
            !text.contains("Did you mean") && !text.contains("did you mean"),
            "{text}"
        );
        assert_eq!(
            body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{text}"
        );
    }
    let open = TestApp::start().await;
    let (_, body) = open
        .try_graphql("{ overviews { totalCustomers } }", json!({}), None)
        .await;
    assert!(body.to_string().contains("Did you mean"), "{body}");
}

#[tokio::test]
async fn graphiql_is_not_served() {
    let app = production().await;
    for path in [
        "/graphiql",
        "/playground",
        "/console",
        "/graphql/console",
        "/altair",
        "/voyager",
        "/v1/graphiql",
    ] {
        let response = app
            .get(path)
            .header("accept", "text/html")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let response = app
        .get("/graphql")
        .header("accept", "text/html")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn overloaded_documents_are_refused() {
    let app = production().await;
    // Alias overloading, 101 of them; field duplication, 500; directive overloading, 60.
    let aliases = (0..101).fold(String::new(), |mut text, n| {
        write!(text, "alias{n}: __typename ").unwrap();
        text
    });
    refused(&app, &format!("query cop {{ {aliases} }}")).await;
    refused(
        &app,
        &format!("query cop {{ {} }}", "__typename \n".repeat(500)),
    )
    .await;
    refused(
        &app,
        &format!("query cop {{ __typename {} }}", "@aa".repeat(60)),
    )
    .await;
    // Circular introspection: fields of types of fields of types…
    let open = TestApp::start().await;
    let circular = format!(
        "{{ __schema {{ types {{ {} name {} }} }} }}",
        "fields { type { ".repeat(8),
        "} }".repeat(8)
    );
    refused(&open, &circular).await;
    // Batches of operations.
    let batch = json!(vec![json!({ "query": "{ __typename }" }); 10]);
    let response = app.post().json(&batch).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn cross_site_requests_are_refused() {
    let app = production().await;
    // Mutations by GET and with the media types of HTML forms.
    let mutation = "mutation { logout { userErrors { code } } }";
    let response = app.get(&format!("/graphql?query={}", mutation.replace(' ', "%20")));
    let response = response.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    let form = format!("query={}", mutation.replace(' ', "+"));
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
    ] {
        let request = app.post().header("content-type", kind).body(form.clone());
        let response = request.send().await.unwrap();
        assert_eq!(
            response.status(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{kind}"
        );
    }
    // Only the dashboard gets a cookie, so browsers send none from other sites.
    let response = app.get("/").send().await.unwrap();
    assert!(!response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn responses_do_not_reveal_internals() {
    let app = production().await;
    for body in [
        "{",
        "null",
        "7",
        "{\"query\":\"{\"}",
        "{\"query\":\"\\u0000\"}",
        "{\"query\":\"query ($a: [[[[Int]]]]) { me { id } }\",\"variables\":{\"a\":[[[[\"x\"]]]]}}",
        "{\"query\":\"{ node(id: \\\"\\u0000'; drop table users; --\\\") { id } }\"}",
    ] {
        let request = app
            .post()
            .header("content-type", "application/json")
            .body(body);
        let response = request.send().await.unwrap();
        assert!(response.status().as_u16() < 500, "{body}");
        for header in ["server", "x-powered-by"] {
            assert!(!response.headers().contains_key(header));
        }
        let answer: Value = response.json().await.unwrap();
        let text = answer.to_string().to_lowercase();
        for word in [
            "panicked",
            "sqlx",
            ".rs:",
            "backtrace",
            "apollo-tracing",
            "\"tracing\"",
        ] {
            assert!(!text.contains(word), "{text}");
        }
        assert!(
            answer["errors"][0]["extensions"]["code"].is_string(),
            "{text}"
        );
    }
}

/// `./run scan`: schemathesis generates thousands of valid and invalid operations from the schema. The seed makes
/// the run reproducible.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Python, and takes minutes: ./run scan"]
#[expect(clippy::print_stdout, reason = "prints the findings")]
async fn schemathesis_finds_nothing_on_the_production_profile() {
    let app = TestApp::start_with(|config| {
        config.introspection = false;
        config.http.graphiql = false;
    })
    .await;
    let user = app.register_shop("scanned").await;
    app.work().await;
    let url = format!("{}/graphql", app.address());
    let scanner = std::env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    let output = tokio::process::Command::new(scanner)
        .args(["run", "schema.graphql", "--url", &url])
        .args(["--header", &format!("Authorization: Bearer {}", user.token)])
        // The types cannot express ranges and alternatives, so some generated values are invalid.
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args(["--checks", "all", "--seed", "4400", "--max-examples", "60"])
        .args([
            "--generation-database",
            "none",
            "--no-color",
            "--continue-on-failure",
        ])
        // Without a session the scan would end.
        .args(["--exclude-name", "Mutation.logout"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .await
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    app.work().await;
}

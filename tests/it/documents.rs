//! Persisted queries, and the safelist of persisted documents.

use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

const QUERY: &str = "{__typename}";
/// Its SHA-256, as Apollo's documentation has it.
const HASH: &str = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";

fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn send(app: &TestApp, body: &Value) -> (StatusCode, Value) {
    let request = app.post().header("accept", "application/json").json(body);
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap())
}

fn code(body: &Value) -> &Value {
    &body["errors"][0]["extensions"]["code"]
}

#[tokio::test]
async fn a_query_that_was_sent_with_its_hash_is_found_by_the_hash() {
    let app = TestApp::start().await;
    let by_hash = json!({ "extensions": persisted(HASH) });
    let (status, body) = send(&app, &by_hash).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(code(&body), "PERSISTED_QUERY_NOT_FOUND");

    // Another text with this hash is refused and not cached.
    let wrong = json!({ "query": "{ me { id } }", "extensions": persisted(HASH) });
    let (status, body) = send(&app, &wrong).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_REQUEST, &json!("BAD_USER_INPUT"))
    );
    assert_eq!(
        code(&send(&app, &by_hash).await.1),
        "PERSISTED_QUERY_NOT_FOUND"
    );

    let both = json!({ "query": QUERY, "extensions": persisted(HASH) });
    let (_, body) = send(&app, &both).await;
    assert_eq!(body["data"], json!({ "__typename": "Query" }));
    let (_, body) = send(&app, &by_hash).await;
    assert_eq!(body["data"], json!({ "__typename": "Query" }));
    // Clients use GET so that responses can be cached.
    let extensions = persisted(HASH).to_string();
    let url = reqwest::Url::parse_with_params("http://h/graphql", [("extensions", extensions)]);
    let path = format!("/graphql?{}", url.unwrap().query().unwrap());
    let body: Value = app.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(body["data"], json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn a_persisted_mutation_is_not_executed_by_get() {
    let app = TestApp::start().await;
    let mutation = "mutation { logout { userErrors { code } } }";
    let output = std::process::Command::new("sha256sum")
        .stdin({
            let path = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(path.path(), mutation).unwrap();
            path.reopen().unwrap()
        })
        .output()
        .unwrap();
    let hash = String::from_utf8(output.stdout).unwrap()[..64].to_owned();
    send(
        &app,
        &json!({ "query": mutation, "extensions": persisted(&hash) }),
    )
    .await;
    let extensions = persisted(&hash).to_string();
    let url = reqwest::Url::parse_with_params("http://h/graphql", [("extensions", extensions)]);
    let path = format!("/graphql?{}", url.unwrap().query().unwrap());
    let response = app.get(&path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn without_a_document_cache_persisted_queries_are_not_supported() {
    let app = TestApp::start_with(|config| config.http.document_cache_bytes = 0).await;
    let (_, body) = send(&app, &json!({ "extensions": persisted(HASH) })).await;
    assert_eq!(body["errors"][0]["message"], "PersistedQueryNotSupported");
    let (_, body) = send(&app, &json!({ "query": QUERY })).await;
    assert_eq!(body["data"], json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn with_a_safelist_only_registered_documents_are_executed() {
    let directory = tempfile::tempdir().unwrap();
    let manifest = directory.path().join("manifest.json");
    let documents = json!({ "dashboard": "{ me { email } }", "type": QUERY });
    std::fs::write(&manifest, documents.to_string()).unwrap();
    let app =
        TestApp::start_with(|config| config.http.persisted_documents = Some(manifest.clone()))
            .await;
    for body in [
        json!({ "documentId": "dashboard" }),
        json!({ "query": "{ me { email } }" }),
    ] {
        let (status, body) = send(&app, &body).await;
        assert_eq!(
            (status, &body["data"]),
            (StatusCode::OK, &json!({ "me": null }))
        );
    }
    let (_, body) = send(&app, &json!({ "extensions": persisted(HASH) })).await;
    assert_eq!(body["data"], json!({ "__typename": "Query" }));
    for body in [
        json!({ "query": "{ me { id } }" }),
        json!({ "query": "{ __schema { queryType { name } } }" }),
        json!({ "documentId": "other" }),
        // The id does not match the text.
        json!({ "query": "{ me { id } }", "extensions": persisted(&"0".repeat(64)) }),
    ] {
        let (status, answer) = send(&app, &body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
        assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_IN_LIST", "{body}");
        assert_eq!(answer.get("data"), None);
    }
    // The operations of the dashboard are always registered.
    let page = "web/dashboard/dist/documents.json";
    let page = std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let page: Vec<String> = serde_json::from_slice(&page).unwrap();
    let refresh = page
        .iter()
        .find(|text| text.contains("mutation RefreshSession"))
        .unwrap();
    assert_eq!(
        send(&app, &json!({ "query": refresh })).await.1["data"]["refreshSession"]["session"],
        Value::Null
    );
    // With the id of a registered document, that document is executed and the text is ignored.
    let both = json!({ "query": "{ me { id } }", "documentId": "type" });
    assert_eq!(
        send(&app, &both).await.1["data"],
        json!({ "__typename": "Query" })
    );
}

#[tokio::test]
async fn a_document_is_validated_for_each_set_of_variables() {
    let app = TestApp::start().await;
    let token = app.register_shop("variables").await.token;
    let query = "query ($first: Int!) { recentOrders(first: $first) { nodes { name } } }";
    let ask = async |first: Value| {
        let body = json!({ "query": query, "variables": { "first": first } });
        let request = app.post().json(&body).bearer_auth(&token);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let cost = &answer["extensions"]["cost"]["requestedQueryCost"];
        (cost.as_i64(), code(&answer).clone())
    };
    let (few, _) = ask(json!(5)).await;
    let (many, _) = ask(json!(50)).await;
    assert!(few.is_some() && many > few, "{few:?}, {many:?}");
    for _ in 0..2 {
        assert_eq!(ask(json!("five")).await.1, "BAD_USER_INPUT");
        assert_eq!(ask(Value::Null).await.1, "BAD_USER_INPUT");
        assert_eq!(ask(json!(50)).await, (many, Value::Null));
        assert_eq!(ask(json!(5)).await, (few, Value::Null));
    }
    app.database.leaves_jobs(1);
}

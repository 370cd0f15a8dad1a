//! Bulk operations: started, refused, watched, stopped.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::super::bulk::bulk_query;
use super::super::{BulkState, ShopifyError, StartBulkError};
use super::{StubStore, data, ok, store_at};
use crate::domain::sync::ObjectKind;

fn run(operation: &Value, errors: &Value) -> ResponseTemplate {
    data(json!({ "bulkOperationRunQuery": { "bulkOperation": operation, "userErrors": errors } }))
}

#[tokio::test]
async fn a_started_operation_is_known_by_its_gid() {
    let operation = json!({
        "id": "gid://shopify/BulkOperation/7933223797042", "status": "CREATED",
        "createdAt": "2026-06-16T08:06:19Z"
    });
    let stub = StubStore::answering([run(&operation, &json!([]))]).await;
    let started = stub.store().start_bulk(ObjectKind::Orders).await.unwrap();
    assert_eq!(started.gid, "gid://shopify/BulkOperation/7933223797042");
    assert_eq!(started.created_at.to_rfc3339(), "2026-06-16T08:06:19+00:00");
    let asked = stub.asked().await;
    assert_eq!(asked[0].1["query"], bulk_query(ObjectKind::Orders));
    assert!(!bulk_query(ObjectKind::Orders).contains('#'));
}

#[tokio::test]
async fn a_store_that_is_busy_is_told_from_one_that_refuses_the_query() {
    let busy = json!([{ "field": null, "code": "OPERATION_IN_PROGRESS",
        "message": "A bulk query operation for this app and shop is already in progress: gid://shopify/BulkOperation/1." }]);
    let wrong = json!([{ "field": ["query"], "code": "INVALID",
        "message": "Bulk queries cannot contain more than 5 connections." }]);
    let stub = StubStore::answering([run(&Value::Null, &busy), run(&Value::Null, &wrong)]).await;
    let store = stub.store();
    let refusal = store.start_bulk(ObjectKind::Orders).await.unwrap_err();
    assert!(matches!(refusal, StartBulkError::Busy(_)), "{refusal}");
    let refusal = store.start_bulk(ObjectKind::Orders).await.unwrap_err();
    let message = "Bulk queries cannot contain more than 5 connections.".to_owned();
    assert_eq!(refusal, StartBulkError::Rejected(message));
}

#[tokio::test]
async fn a_mutation_that_was_denied_was_not_carried_out() {
    let denied = |field: &str| {
        ok(json!({
            "data": { field: null },
            "errors": [{ "message": "denied", "path": [field], "extensions": { "code": "ACCESS_DENIED" } }],
        }))
    };
    let stub = StubStore::answering([
        denied("bulkOperationRunQuery"),
        denied("webhookSubscriptionCreate"),
    ])
    .await;
    let store = stub.store();
    let refusal = store.start_bulk(ObjectKind::Orders).await.unwrap_err();
    assert!(
        matches!(refusal, StartBulkError::Rejected(_)),
        "{refusal:?}"
    );
    let refusal = store.subscribe("ORDERS_CREATE", "https://a.example", &[]);
    let refusal = refusal.await.unwrap().unwrap();
    assert!(refusal.contains("webhookSubscriptionCreate"), "{refusal}");
}

#[tokio::test]
async fn a_start_whose_answer_was_lost_is_not_repeated() {
    let stub = StubStore::answering([ResponseTemplate::new(502)]).await;
    let refusal = stub
        .store()
        .start_bulk(ObjectKind::Orders)
        .await
        .unwrap_err();
    let failed = ShopifyError::ServerFailed {
        status: Some(502),
        request_id: None,
    };
    assert_eq!(refusal, StartBulkError::Failed(failed));
    assert_eq!(stub.asked().await.len(), 1);
    let refusal = store_at("http://127.0.0.1:1")
        .start_bulk(ObjectKind::Orders)
        .await;
    assert_eq!(
        refusal,
        Err(StartBulkError::Failed(ShopifyError::Unreachable))
    );
}

#[tokio::test]
async fn the_state_of_an_operation_is_read_with_its_counts_as_strings() {
    let done = data(json!({ "bulkOperation": {
        "id": "gid://shopify/BulkOperation/1", "status": "COMPLETED", "errorCode": null,
        "createdAt": "2026-07-21T02:07:50Z", "objectCount": "1459", "rootObjectCount": "1459",
        "fileSize": "116246", "url": "https://storage.example/x", "partialDataUrl": null
    } }));
    let unknown = data(json!({ "bulkOperation": null }));
    let stub = StubStore::answering([done, unknown]).await;
    let store = stub.store();
    let status = store
        .bulk_status("gid://shopify/BulkOperation/1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status.status, BulkState::Completed);
    assert_eq!(
        (
            status.object_count,
            status.root_object_count,
            status.file_size
        ),
        (1459, 1459, Some(116_246))
    );
    assert_eq!(status.url.as_deref(), Some("https://storage.example/x"));
    assert_eq!(
        store.bulk_status("gid://shopify/BulkOperation/0").await,
        Ok(None)
    );
}

#[tokio::test]
async fn stopping_what_has_ended_is_refused() {
    let payload = |errors: Value| {
        data(json!({ "bulkOperationCancel": { "bulkOperation": null, "userErrors": errors } }))
    };
    let ended = json!([{ "field": null, "message": "A bulk operation cannot be canceled when it is completed" }]);
    let stub = StubStore::answering([payload(json!([])), payload(ended)]).await;
    let store = stub.store();
    assert_eq!(
        store.cancel_bulk("gid://shopify/BulkOperation/1").await,
        Ok(())
    );
    let error = store
        .cancel_bulk("gid://shopify/BulkOperation/1")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Shopify rejected the request: A bulk operation cannot be canceled when it is completed"
    );
}

//! Every row of the error table has an error of its own.

use rstest::rstest;
use secrecy::ExposeSecret;
use serde_json::json;
use wiremock::ResponseTemplate;

use super::super::{ErrorKind, ShopCounts, ShopifyError};
use super::{StubStore, data, fault, ok, shop, store_at, store_with};

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_string("<html>secret body</html>")
}

fn refused(code: &str) -> ShopifyError {
    ShopifyError::QueryRefused {
        code: code.to_owned(),
        message: "no".to_owned(),
    }
}

#[rstest]
#[case::bad_request(status(400), ShopifyError::Refused { status: 400 }, ErrorKind::Permanent, 1)]
#[case::frozen(status(402), ShopifyError::Frozen, ErrorKind::SuspendShop, 1)]
#[case::forbidden(status(403), ShopifyError::Forbidden, ErrorKind::SuspendShop, 1)]
#[case::no_shop(status(404), ShopifyError::NotFound, ErrorKind::Permanent, 1)]
#[case::locked(status(423), ShopifyError::Locked, ErrorKind::SuspendShop, 1)]
#[case::security(status(430), ShopifyError::SecurityRejected, ErrorKind::Retryable, 1)]
#[case::redirect(
    status(301).insert_header("location", "https://evil.example/"),
    ShopifyError::Redirected { status: 301 }, ErrorKind::Permanent, 1
)]
#[case::html_failure(
    status(502), ShopifyError::ServerFailed { status: Some(502), request_id: None },
    ErrorKind::Retryable, 3
)]
#[case::inactive(
    fault("SHOP_INACTIVE"),
    ShopifyError::Inactive,
    ErrorKind::SuspendShop,
    1
)]
#[case::too_costly(
    fault("MAX_COST_EXCEEDED"),
    ShopifyError::TooCostly,
    ErrorKind::TooCostly,
    1
)]
#[case::denied(
    ok(json!({ "data": null, "errors": [{
        "message": "Access denied for shop field.", "path": ["shop"],
        "extensions": { "code": "ACCESS_DENIED" }
    }] })),
    ShopifyError::AccessDenied { field: "shop".to_owned() }, ErrorKind::AccessDenied, 1
)]
#[case::wrong_variable(
    fault("INVALID_VARIABLE"),
    refused("INVALID_VARIABLE"),
    ErrorKind::Permanent,
    1
)]
#[case::unknown_field(
    fault("undefinedField"),
    refused("undefinedField"),
    ErrorKind::Permanent,
    1
)]
#[case::server_error(
    ok(json!({ "errors": [{
        "message": "Internal error. Looks like something went wrong on our end.",
        "extensions": { "code": "INTERNAL_SERVER_ERROR", "requestId": "ab-1" }
    }] })),
    ShopifyError::ServerFailed { status: None, request_id: Some("ab-1".to_owned()) },
    ErrorKind::Retryable, 3
)]
#[case::not_json(
    ResponseTemplate::new(200).set_body_string("<html>"),
    ShopifyError::Unreadable("it is not JSON (column 1)".to_owned()), ErrorKind::Retryable, 3
)]
#[case::nothing(
    ok(json!({})),
    ShopifyError::Unreadable("it has neither data nor errors".to_owned()), ErrorKind::Retryable, 3
)]
#[case::another_type(
    data(json!({ "shop": 1 })), ShopifyError::Unconvertible("field"), ErrorKind::Permanent, 1
)]
#[case::ignored_filter(
    ok(json!({
        "data": {},
        "extensions": { "search": [{
            "path": ["orders"], "query": "update_at:x",
            "warnings": [{ "field": "update_at", "message": "Invalid search field", "code": "invalid_field" }]
        }] }
    })),
    ShopifyError::FilterIgnored("update_at: invalid_field".to_owned()), ErrorKind::Permanent, 1
)]
#[tokio::test]
async fn an_answer_is_told_apart(
    #[case] answer: ResponseTemplate,
    #[case] expected: ShopifyError,
    #[case] kind: ErrorKind,
    #[case] requests: usize,
) {
    let stub = StubStore::answering(vec![answer; 3]).await;
    let error = stub.store().shop_record().await.unwrap_err();
    assert_eq!(error, expected);
    assert_eq!(error.kind(), kind);
    assert_eq!(stub.asked().await.len(), requests);
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_no_graphql_answer() {
    let body = json!({
        "errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"
    });
    let answer = ResponseTemplate::new(401).set_body_json(body);
    let stub = StubStore::answering([answer]).await;
    let error = stub.store().shop_record().await.unwrap_err();
    assert_eq!(error, ShopifyError::Unauthorized);
    assert_eq!(error.kind(), ErrorKind::Reauthorise);
}

#[tokio::test]
async fn what_passes_by_is_asked_again() {
    let answers = [status(503), fault("INTERNAL_SERVER_ERROR"), shop()];
    let stub = StubStore::answering(answers).await;
    let record = stub.store().shop_record().await.unwrap();
    assert_eq!(record.name, "Tea");
    assert_eq!(record.time_zone, "Asia/Kolkata");
    assert_eq!(record.currency.code(), "INR");
    assert_eq!(record.scopes, ["read_orders"]);
}

#[tokio::test]
async fn the_request_carries_the_token_and_goes_to_the_version() {
    let stub = StubStore::answering([shop()]).await;
    stub.store().shop_record().await.unwrap();
    let requests = stub.server.received_requests().await.unwrap();
    let headers = &requests[0].headers;
    let token = super::token("shpat_secret");
    assert_eq!(headers["x-shopify-access-token"], token.expose_secret());
    assert_eq!(headers["content-type"], "application/json");
    assert!(
        headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("XBoard/")
    );
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable() {
    let error = store_at("http://127.0.0.1:1")
        .shop_record()
        .await
        .unwrap_err();
    assert_eq!(error, ShopifyError::Unreachable);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout() {
    let late = shop().set_delay(std::time::Duration::from_millis(500));
    let stub = StubStore::answering([late]).await;
    let mut config = super::config(&format!("{}/shops/{{shop}}", stub.server.uri()));
    config.request_timeout = std::time::Duration::from_millis(50);
    config.retry.max_retries = 0;
    let error = store_with(config).shop_record().await.unwrap_err();
    assert_eq!(error, ShopifyError::TimedOut);
}

#[tokio::test]
async fn another_version_than_was_asked_for_is_noted_and_no_error() {
    let stub =
        StubStore::answering([shop().insert_header("X-Shopify-API-Version", "2027-01")]).await;
    let store = stub.store();
    assert_eq!(store.served_version(), None);
    store.shop_record().await.unwrap();
    assert_eq!(store.served_version().as_deref(), Some("2027-01"));
}

#[tokio::test]
async fn counts_that_are_not_exact_or_not_allowed_are_left_out() {
    let answer = ok(json!({
        "data": {
            "customersCount": null,
            "productsCount": { "count": 1456, "precision": "EXACT" },
            "ordersCount": { "count": 10000, "precision": "AT_LEAST" }
        },
        "errors": [{
            "message": "Access denied for customersCount field.", "path": ["customersCount"],
            "extensions": { "code": "ACCESS_DENIED" }
        }]
    }));
    let stub = StubStore::answering([answer, fault("undefinedField"), status(402)]).await;
    let store = stub.store();
    let expected = ShopCounts {
        products: Some(1456),
        ..ShopCounts::default()
    };
    assert_eq!(store.counts().await, Ok(expected));
    assert_eq!(store.counts().await, Ok(ShopCounts::default()));
    assert_eq!(store.counts().await, Err(ShopifyError::Frozen));
}

#[tokio::test]
async fn a_page_of_changes_names_ids_and_the_way_on() {
    let page = |more: bool| {
        data(json!({ "orders": {
            "nodes": [{ "id": "gid://shopify/Order/7", "updatedAt": "2026-01-02T03:04:05Z" }],
            "pageInfo": { "hasNextPage": more, "endCursor": "c1" }
        } }))
    };
    let stub = StubStore::answering([page(true), page(true), page(false)]).await;
    let store = stub.store();
    let since = "2026-01-01T00:00:00Z".parse().ok();
    let kind = crate::domain::sync::ObjectKind::Orders;
    let first = store.changed_ids(kind, since, None).await.unwrap();
    assert_eq!(first.ids, [(7, "2026-01-02T03:04:05Z".parse().unwrap())]);
    assert_eq!(first.next.as_deref(), Some("c1"));
    let circle = store.changed_ids(kind, since, Some("c1")).await;
    assert!(
        circle.is_err(),
        "a page that leads to itself would go on for ever"
    );
    let last = store.changed_ids(kind, None, Some("c1")).await.unwrap();
    assert_eq!(last.next, None);
    let (operation, variables) = stub.asked().await[0].clone();
    assert_eq!(operation, "OrderIds");
    let filter = "updated_at:>='2026-01-01T00:00:00Z'";
    assert_eq!(
        variables,
        json!({ "first": 250, "after": null, "query": filter })
    );
}

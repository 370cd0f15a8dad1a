//! Objects come whole, in sizes that the store allows, and nothing that is merely denied counts as gone.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::super::ShopifyError;
use super::objects::{customer, nodes, page, product, variant, with, words};
use super::{StubStore, data, fault, ok};
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind::{Customers, Orders, Products};

const AT: &str = "2026-01-05T00:00:00Z";

fn denied(nodes: &[Value], paths: &[Value]) -> ResponseTemplate {
    let errors: Vec<Value> = paths
        .iter()
        .map(|path| json!({ "message": "denied", "path": path, "extensions": { "code": "ACCESS_DENIED" } }))
        .collect();
    ok(json!({ "data": { "nodes": nodes }, "errors": errors }))
}

#[tokio::test]
async fn what_the_store_does_not_have_is_missing() {
    let stub = StubStore::answering([nodes(&[customer(1), Value::Null])]).await;
    let fetched = stub.store().fetch(Customers, &[1, 2, 1]).await.unwrap();
    let [Record::Customer(casey)] = fetched.records.as_slice() else {
        panic!("{fetched:?}")
    };
    assert_eq!(casey.email.as_deref(), Some("casey@example.com"));
    assert_eq!(fetched.missing, [2]);
    assert_eq!(fetched.fetched_at.to_rfc3339(), "2026-03-01T12:00:00+00:00");
    assert_eq!(
        stub.asked().await,
        [(
            "CustomersById".to_owned(),
            json!({ "ids": ["gid://shopify/Customer/1", "gid://shopify/Customer/2"] })
        )]
    );
}

#[tokio::test]
async fn a_denied_address_leaves_the_customer_without_one() {
    let nameless = with(customer(1), &json!({ "defaultEmailAddress": null }));
    let answer = denied(&[nameless], &[json!(["nodes", 0, "defaultEmailAddress"])]);
    let stub = StubStore::answering([answer]).await;
    let fetched = stub.store().fetch(Customers, &[1]).await.unwrap();
    let [Record::Customer(casey)] = fetched.records.as_slice() else {
        panic!("{fetched:?}")
    };
    assert_eq!(casey.email, None);
    assert_eq!(casey.display_name, "Casey Contact");
}

#[tokio::test]
async fn a_denied_name_does_not_take_the_customer_away() {
    let first = denied(
        &[customer(1), Value::Null, Value::Null, Value::Null],
        &[
            json!(["nodes", 1, "displayName"]),
            json!(["nodes", 3, "displayName"]),
        ],
    );
    let bare = json!({
        "__typename": "Customer", "id": "gid://shopify/Customer/2",
        "createdAt": AT, "updatedAt": AT, "tags": []
    });
    let second = denied(&[bare, Value::Null], &[json!(["nodes", 1, "tags"])]);
    let stub = StubStore::answering([first, second]).await;
    let fetched = stub.store().fetch(Customers, &[1, 2, 3, 4]).await.unwrap();
    assert_eq!(words(&fetched.records), ["customer 1", "customer 2"]);
    assert_eq!(fetched.missing, [3]);
    assert_eq!(fetched.denied, [4]);
}

#[tokio::test]
async fn a_kind_that_is_denied_altogether_is_an_error_and_not_gone() {
    let answer = denied(&[Value::Null], &[json!(["nodes", 0])]);
    let stub = StubStore::answering([answer]).await;
    let error = stub.store().fetch(Orders, &[1]).await.unwrap_err();
    assert_eq!(
        error,
        ShopifyError::AccessDenied {
            field: "orders".to_owned()
        }
    );
}

#[tokio::test]
async fn a_product_comes_with_the_variants_of_every_page_and_none_twice() {
    let first = with(
        product(1),
        &json!({ "variants": page(vec![variant(1), variant(2)], Some("v2")) }),
    );
    let second = json!({ "product": { "updatedAt": "2026-01-02T00:00:00Z", "variants": page(vec![variant(2), variant(3)], None) } });
    let stub = StubStore::answering([nodes(&[first]), data(second)]).await;
    let fetched = stub.store().fetch(Products, &[1]).await.unwrap();
    let [Record::Product(tea), .., Record::Variant(last)] = fetched.records.as_slice() else {
        panic!("{fetched:?}")
    };
    assert_eq!(tea.status, "UNLISTED");
    assert_eq!(
        (last.price.to_string().as_str(), last.position),
        ("19.99", 3)
    );
    assert_eq!(
        words(&fetched.records),
        [
            "product 1",
            "variant 1 of 1",
            "variant 2 of 1",
            "variant 3 of 1"
        ]
    );
}

#[tokio::test]
async fn too_costly_a_question_is_halved_and_the_store_remembers() {
    let empty = |count| nodes(&vec![Value::Null; count]);
    let answers = [fault("MAX_COST_EXCEEDED"), empty(25), empty(5), empty(25)];
    let stub = StubStore::answering(answers).await;
    let store = stub.store();
    let ids: Vec<i64> = (1..=30).collect();
    let fetched = store.fetch(Orders, &ids).await.unwrap();
    assert_eq!(fetched.missing, ids);
    store.fetch(Orders, &ids[..25]).await.unwrap();
    let sizes: Vec<_> = stub
        .asked()
        .await
        .iter()
        .map(|(_, variables)| {
            (
                variables["ids"].as_array().unwrap().len(),
                variables["lineItems"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(sizes, [(30, 50), (25, 25), (5, 25), (25, 25)]);
}

#[tokio::test]
async fn page_sizes_grow_again_after_successful_queries() {
    let empty = || nodes(&[Value::Null]);
    let mut answers = vec![fault("MAX_COST_EXCEEDED")];
    answers.extend((0..25).map(|_| empty()));
    let stub = StubStore::answering(answers).await;
    let store = stub.store();
    for id in 1..=25 {
        store.fetch(Orders, &[id]).await.unwrap();
    }
    let sizes: Vec<_> = stub
        .asked()
        .await
        .iter()
        .map(|(_, variables)| variables["lineItems"].as_i64().unwrap())
        .collect();
    let mut expected = vec![50];
    expected.extend([25; 20]);
    expected.extend([50; 5]);
    assert_eq!(sizes, expected);
}

#[tokio::test]
async fn an_object_that_shopify_fails_at_is_left_out_and_keeps_no_other() {
    let failing = || fault("INTERNAL_SERVER_ERROR");
    let tries = 3;
    // All three, at half the size, the first alone; then the others, one by one.
    let mut answers: Vec<ResponseTemplate> = (0..3 * tries).map(|_| failing()).collect();
    answers.extend([nodes(&[customer(2)]), nodes(&[customer(3)])]);
    let stub = StubStore::answering(answers).await;
    let fetched = stub.store().fetch(Customers, &[1, 2, 3]).await.unwrap();
    let ids: Vec<i64> = fetched
        .records
        .iter()
        .map(|record| match record {
            Record::Customer(customer) => customer.id.number(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [2, 3]);
    assert_eq!((fetched.missing, fetched.denied), (vec![], vec![]));

    let stub = StubStore::answering((0..20).map(|_| failing())).await;
    let failed = stub.store().fetch(Customers, &[1, 2, 3]).await.unwrap_err();
    assert!(
        matches!(failed, ShopifyError::ServerFailed { .. }),
        "{failed:?}"
    );
    let asked = stub.asked().await.len();
    assert_eq!(asked, 4 * tries, "two alone are enough to know");
}

//! Objects come whole, in sizes that the store allows, and nothing that is merely denied counts as gone.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::super::ShopifyError;
use super::objects::{agreement, customer, edges, line, order, page, product, sale, variant, with};
use super::{StubStore, data, fault, ok};
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind::{Customers, Orders, Products};

const AT: &str = "2026-01-05T00:00:00Z";
const LATER: &str = "2026-01-06T00:00:00Z";

fn nodes(nodes: &[Value]) -> ResponseTemplate {
    data(json!({ "nodes": nodes }))
}

fn denied(nodes: &[Value], paths: &[Value]) -> ResponseTemplate {
    let errors: Vec<Value> = paths
        .iter()
        .map(|path| json!({ "message": "denied", "path": path, "extensions": { "code": "ACCESS_DENIED" } }))
        .collect();
    ok(json!({ "data": { "nodes": nodes }, "errors": errors }))
}

/// A record in few words.
fn word(record: &Record) -> String {
    match record {
        Record::Customer(it) => format!("customer {}", it.id),
        Record::Product(it) => format!("product {}", it.id),
        Record::Variant(it) => format!("variant {} of {}", it.id, it.product),
        Record::Order(it) => format!("order {}", it.id),
        Record::LineItem(it) => format!("line {} of {}", it.id, it.order),
        Record::Agreement(it) => format!("{} of {}", gid_end(&it.gid), it.order),
        Record::Sale(it) => format!("{} of {}", gid_end(&it.gid), gid_end(&it.agreement_gid)),
    }
}

fn gid_end(gid: &str) -> &str {
    gid.strip_prefix("gid://shopify/").unwrap()
}

fn words(records: &[Record]) -> Vec<String> {
    records.iter().map(word).collect()
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
    assert_eq!(fetched.asked_at.to_rfc3339(), "2026-03-01T12:00:00+00:00");
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

fn whole_order(updated_at: &str, lines: Value, agreements: Value) -> Value {
    with(
        order(9, updated_at),
        &json!({ "lineItems": lines, "agreements": agreements }),
    )
}

fn of_order(updated_at: &str, more: &Value) -> ResponseTemplate {
    data(json!({ "order": with(json!({ "updatedAt": updated_at }), more) }))
}

#[tokio::test]
async fn an_order_loses_no_line_and_no_sale_past_a_page() {
    let unknown = with(
        sale(4),
        &json!({ "__typename": "SomeNewSale", "lineType": "NEW", "quantity": null }),
    );
    let first = whole_order(
        AT,
        page(vec![line(1)], Some("l1")),
        edges(
            vec![(
                "a1",
                with(agreement(1), &json!({ "sales": page(vec![sale(1)], None) })),
            )],
            Some("a1"),
        ),
    );
    let lines = of_order(AT, &json!({ "lineItems": page(vec![line(2)], None) }));
    let refund = with(
        agreement(2),
        &json!({ "__typename": "SomeNewAgreement", "reason": "REFUND" }),
    );
    let refund = with(refund, &json!({ "sales": page(vec![sale(2)], Some("s2")) }));
    let agreements = of_order(
        AT,
        &json!({ "agreements": edges(vec![("a2", refund)], None) }),
    );
    let more_sales = |sales: Value| {
        of_order(
            AT,
            &json!({ "agreements": { "nodes": [
            { "__typename": "RefundAgreement", "id": "gid://shopify/OrderAgreement/2", "sales": sales }
        ] } }),
        )
    };
    let stub = StubStore::answering([
        nodes(&[first]),
        lines,
        agreements,
        more_sales(page(vec![sale(2), sale(3)], Some("s3"))),
        more_sales(page(vec![unknown], None)),
    ])
    .await;
    let fetched = stub.store().fetch(Orders, &[9]).await.unwrap();
    assert_eq!(
        words(&fetched.records),
        [
            "order 9",
            "line 1 of 9",
            "line 2 of 9",
            "OrderAgreement/1 of 9",
            "Sale/1 of OrderAgreement/1",
            "OrderAgreement/2 of 9",
            "Sale/2 of OrderAgreement/2",
            "Sale/3 of OrderAgreement/2",
            "Sale/4 of OrderAgreement/2",
        ]
    );
    let asked = stub.asked().await;
    let operations: Vec<&str> = asked
        .iter()
        .map(|(operation, _)| operation.as_str())
        .collect();
    assert_eq!(
        operations,
        [
            "OrdersById",
            "OrderLineItems",
            "OrderAgreements",
            "AgreementSales",
            "AgreementSales"
        ]
    );
    assert_eq!(
        asked[4].1,
        json!({ "id": "gid://shopify/Order/9", "agreementAfter": "a1", "first": 50, "after": "s3" })
    );
}

#[tokio::test]
async fn an_order_is_mapped_field_by_field() {
    let sales = page(vec![sale(1)], None);
    let first = edges(
        vec![("a1", with(agreement(1), &json!({ "sales": sales })))],
        None,
    );
    let stub =
        StubStore::answering([nodes(&[whole_order(AT, page(vec![line(1)], None), first)])]).await;
    let fetched = stub.store().fetch(Orders, &[9]).await.unwrap();
    insta::assert_debug_snapshot!(fetched.records, @r##"
[
    Order(
        OrderRecord {
            id: OrderId(
                9,
            ),
            name: "#1001",
            customer: None,
            created_at: 2026-01-02T03:04:05Z,
            processed_at: 2026-01-02T03:04:05Z,
            updated_at: 2026-01-05T00:00:00Z,
            cancelled_at: None,
            test: false,
            currency: Currency(
                "USD",
            ),
            financial_status: None,
            fulfillment_status: Some(
                "A_NEW_STATUS",
            ),
            source_name: Some(
                "web",
            ),
            discount_codes: [],
            tags: [
                "a",
            ],
            total_price: 20.5,
            net_payment: 15.5,
            refunds: [
                RefundRecord {
                    id: RefundId(
                        5,
                    ),
                    processed_at: 2026-01-05T00:00:00Z,
                    total_refunded: 5.0,
                },
            ],
        },
    ),
    LineItem(
        LineItemRecord {
            order: OrderId(
                9,
            ),
            id: LineItemId(
                1,
            ),
            title: "Tea",
            variant_title: None,
            sku: Some(
                "A-1",
            ),
            quantity: 2,
            current_quantity: 1,
            original_total: 20.5,
            discounted_total: 18.5,
            product: Some(
                ProductId(
                    6,
                ),
            ),
            variant: None,
        },
    ),
    Agreement(
        AgreementRecord {
            order: OrderId(
                9,
            ),
            gid: "gid://shopify/OrderAgreement/1",
            happened_at: 2026-01-02T03:04:05Z,
            reason: Order,
        },
    ),
    Sale(
        SaleRecord {
            agreement_gid: "gid://shopify/OrderAgreement/1",
            gid: "gid://shopify/Sale/1",
            action: Order,
            line_type: Product,
            quantity: Some(
                2,
            ),
            currency: Currency(
                "USD",
            ),
            total: 20.5,
            tax: 1.5,
            discount: 2.0,
            line_item: Some(
                LineItemId(
                    1,
                ),
            ),
        },
    ),
]
"##);
}

#[tokio::test]
async fn an_order_that_changes_between_its_pages_is_read_again() {
    let none = || edges(vec![], None);
    let first = whole_order(AT, page(vec![line(1)], Some("l1")), none());
    let torn = of_order(LATER, &json!({ "lineItems": page(vec![line(2)], None) }));
    let again = whole_order(LATER, page(vec![line(3)], None), none());
    let stub = StubStore::answering([nodes(&[first]), torn, nodes(&[again])]).await;
    let fetched = stub.store().fetch(Orders, &[9]).await.unwrap();
    assert_eq!(words(&fetched.records), ["order 9", "line 3 of 9"]);
}

#[tokio::test]
async fn an_order_that_never_rests_is_an_error_in_the_end() {
    let first = whole_order(AT, page(vec![line(1)], Some("l1")), edges(vec![], None));
    let torn = json!({ "lineItems": page(vec![line(2)], None) });
    let answers = (0..20).map(|turn| {
        if turn % 2 == 0 {
            nodes(std::slice::from_ref(&first))
        } else {
            of_order(LATER, &torn)
        }
    });
    let stub = StubStore::answering(answers).await;
    let error = stub.store().fetch(Orders, &[9]).await.unwrap_err();
    assert_eq!(error, ShopifyError::ChangedWhileRead);
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

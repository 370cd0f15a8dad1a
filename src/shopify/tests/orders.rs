//! Orders come whole: no line and no sale is lost past a page, and none is of two states.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::super::ShopifyError;
use super::super::jsonl::read_line;
use super::objects::{agreement, edges, line, nodes, order, page, sale, with, words};
use super::{StubStore, data};
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind::Orders;

const AT: &str = "2026-01-05T00:00:00Z";
const LATER: &str = "2026-01-06T00:00:00Z";

fn read_all_pages_of_order(updated_at: &str, lines: Value, agreements: Value) -> Value {
    with(
        order(9, updated_at),
        &Value::from_iter([("lineItems", lines), ("agreements", agreements)]),
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
    let first = read_all_pages_of_order(
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

/// An order of a line and a sale, as a bulk result has it.
fn from_lines() -> [Record; 4] {
    let child = |object, parent: &str| {
        with(
            object,
            &json!({ "__parentId": format!("gid://shopify/{parent}") }),
        )
    };
    let lines = [
        order(9, AT),
        child(line(1), "Order/9"),
        child(agreement(1), "Order/9"),
        child(sale(1), "OrderAgreement/1"),
    ];
    lines.map(|line| {
        read_line(line.to_string().as_bytes())
            .unwrap()
            .record
            .unwrap()
    })
}

#[tokio::test]
async fn an_order_gives_the_same_records_over_both_paths() {
    let sales = page(vec![sale(1)], None);
    let edge = with(agreement(1), &json!({ "sales": sales }));
    let whole = read_all_pages_of_order(
        AT,
        page(vec![line(1)], None),
        edges(vec![("a1", edge)], None),
    );
    let stub = StubStore::answering([nodes(&[whole])]).await;
    let fetched = stub.store().fetch(Orders, &[9]).await.unwrap();
    assert_eq!(fetched.records, from_lines());
}

#[test]
fn an_order_is_mapped_field_by_field() {
    insta::assert_debug_snapshot!(from_lines(), @r##"
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
    let first = read_all_pages_of_order(AT, page(vec![line(1)], Some("l1")), none());
    let torn = of_order(LATER, &json!({ "lineItems": page(vec![line(2)], None) }));
    let again = read_all_pages_of_order(LATER, page(vec![line(3)], None), none());
    let stub = StubStore::answering([nodes(&[first]), torn, nodes(&[again])]).await;
    let fetched = stub.store().fetch(Orders, &[9]).await.unwrap();
    assert_eq!(words(&fetched.records), ["order 9", "line 3 of 9"]);
}

#[tokio::test]
async fn an_order_that_never_rests_is_an_error_in_the_end() {
    let first = read_all_pages_of_order(AT, page(vec![line(1)], Some("l1")), edges(vec![], None));
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

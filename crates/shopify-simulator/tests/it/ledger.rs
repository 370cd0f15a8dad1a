//! The ledger that operations write, and orders given literally.

use serde_json::json;
use shopify_simulator::{
    Amount, EditLine, NewCustomer, NewLine, NewOrder, Order, Reason, RefundLine, RefundRequest,
    SaleAction, SaleKind, ShopSettings,
};

use crate::client::{ORDERS, World, settings};

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn two_with_discount() -> NewOrder {
    NewOrder {
        lines: vec![NewLine {
            title: Some("Lamp".to_owned()),
            price: Some(amount("500")),
            quantity: 2,
            ..NewLine::default()
        }],
        discount_percent: "10".parse().unwrap(),
        shipping: amount("50"),
        ..NewOrder::default()
    }
}

/// (kind, action, quantity, total, tax, discount) of every sale.
fn rows(order: &Order) -> Vec<(SaleKind, SaleAction, Option<i32>, String, String, String)> {
    let text = |amount: Amount| amount.to_string();
    order
        .sales()
        .map(|sale| {
            let (total, tax, discount) = (text(sale.total), text(sale.tax), text(sale.discount));
            (sale.kind, sale.action, sale.quantity, total, tax, discount)
        })
        .collect()
}

fn row(
    kind: SaleKind,
    action: SaleAction,
    quantity: Option<i32>,
    amounts: [&str; 3],
) -> (SaleKind, SaleAction, Option<i32>, String, String, String) {
    let [total, tax, discount] = amounts.map(str::to_owned);
    (kind, action, quantity, total, tax, discount)
}

#[tokio::test]
async fn the_worked_example_of_the_metrics_comes_out_number_by_number() {
    let world = World::start().await;
    let placed = world.shop.place_order(&two_with_discount()).unwrap();
    assert_eq!(
        rows(&placed),
        [
            row(
                SaleKind::Product,
                SaleAction::Order,
                Some(2),
                ["1062.0", "162.0", "100.0"]
            ),
            row(
                SaleKind::Shipping,
                SaleAction::Order,
                None,
                ["59.0", "9.0", "0.0"]
            ),
        ]
    );
    world.shop.advance(std::time::Duration::from_hours(97));
    let line = placed.line_items[0].id;
    let request = RefundRequest {
        lines: vec![RefundLine { line, quantity: 1 }],
        ..RefundRequest::default()
    };
    let refunded = world.shop.refund_order(placed.id, &request).unwrap();
    assert_eq!(
        rows(&refunded)[2],
        row(
            SaleKind::Product,
            SaleAction::Return,
            Some(-1),
            ["-531.0", "-81.0", "-50.0"]
        )
    );
    assert_eq!(refunded.agreements[1].reason, Reason::Refund);
    assert_eq!(
        refunded.agreements[1].happened_at.to_string(),
        "2026-03-05T20:00:00Z"
    );
    assert_eq!(refunded.updated_at, refunded.agreements[1].happened_at);

    let gid = format!("gid://shopify/Order/{}", placed.id);
    let variables = json!({ "ids": [gid], "lineItems": 50, "agreements": 10, "sales": 50 });
    let answer = world.ask_file(ORDERS, "OrdersById", variables).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let order = &answer["data"]["nodes"][0];
    assert_eq!(order["displayFinancialStatus"], "PARTIALLY_REFUNDED");
    assert_eq!(order["totalPriceSet"]["shopMoney"]["amount"], "1121.0");
    assert_eq!(order["netPaymentSet"]["shopMoney"]["amount"], "590.0");
    assert_eq!(
        order["refunds"][0]["totalRefundedSet"]["shopMoney"]["amount"],
        "531.0"
    );
    assert_eq!(order["lineItems"]["nodes"][0]["currentQuantity"], 1);
    let sale = &order["agreements"]["edges"][1]["node"]["sales"]["nodes"][0];
    assert_eq!(sale["__typename"], "ProductSale");
    assert_eq!(
        sale["totalDiscountAmountBeforeTaxes"]["shopMoney"]["amount"],
        "-50.0"
    );
    assert_eq!(
        sale["lineItem"]["id"],
        format!("gid://shopify/LineItem/{line}")
    );
}

#[tokio::test]
async fn taxes_in_the_price_leave_the_same_gross() {
    let included = ShopSettings {
        taxes_included: true,
        ..settings()
    };
    let world = World::with(included).await;
    let order = NewOrder {
        lines: vec![NewLine {
            title: Some("Lamp".to_owned()),
            price: Some(amount("118")),
            ..NewLine::default()
        }],
        discount_percent: "10".parse().unwrap(),
        ..NewOrder::default()
    };
    let placed = world.shop.place_order(&order).unwrap();
    assert_eq!(
        rows(&placed),
        [row(
            SaleKind::Product,
            SaleAction::Order,
            Some(1),
            ["106.2", "16.2", "10.0"]
        )]
    );
}

#[tokio::test]
async fn what_is_taken_back_entirely_sums_to_nothing() {
    let world = World::start().await;
    let mut order = two_with_discount();
    order.lines[0].quantity = 3;
    order.lines[0].price = Some(amount("33.33"));
    order.tip = amount("7");
    order.duty = amount("3");
    order.fee = amount("2");
    order.lines.push(NewLine {
        title: Some("Card".to_owned()),
        price: Some(amount("25")),
        gift_card: true,
        ..NewLine::default()
    });
    let placed = world.shop.place_order(&order).unwrap();
    let line = placed.line_items[0].id;
    world
        .shop
        .edit_order(placed.id, &[EditLine { line, by: 2 }])
        .unwrap();
    world
        .shop
        .edit_order(placed.id, &[EditLine { line, by: -1 }])
        .unwrap();
    let request = RefundRequest {
        lines: vec![RefundLine { line, quantity: 1 }],
        shipping: amount("20"),
        ..RefundRequest::default()
    };
    world.shop.refund_order(placed.id, &request).unwrap();
    let cancelled = world.shop.cancel_order(placed.id).unwrap();
    let sum =
        |pick: fn(&shopify_simulator::Sale) -> Amount| cancelled.sales().map(pick).sum::<Amount>();
    assert_eq!(sum(|sale| sale.total), Amount::ZERO);
    assert_eq!(sum(|sale| sale.tax), Amount::ZERO);
    assert_eq!(sum(|sale| sale.discount), Amount::ZERO);
    assert_eq!(
        cancelled
            .sales()
            .filter_map(|sale| sale.quantity)
            .sum::<i32>(),
        0
    );
    assert_eq!(cancelled.line_items[0].quantity, 5);
    assert!(
        cancelled
            .line_items
            .iter()
            .all(|line| line.current_quantity == 0)
    );
    assert_eq!(cancelled.original_total(), placed.original_total());
    assert!(world.shop.cancel_order(placed.id).is_err());
    let request = RefundRequest {
        adjustment: amount("1.5"),
        ..RefundRequest::default()
    };
    let adjusted = world.shop.refund_order(placed.id, &request).unwrap();
    let last = rows(&adjusted).pop().unwrap();
    assert_eq!(
        last,
        row(
            SaleKind::Adjustment,
            SaleAction::Return,
            None,
            ["-1.5", "0.0", "0.0"]
        )
    );
}

#[tokio::test]
async fn a_literal_order_is_served_as_given_and_can_take_anothers_place() {
    let world = World::start().await;
    let given = json!({
        "processedAt": "2026-02-01T00:00:00Z",
        "customer": 42,
        "lines": [{ "title": "Lamp", "quantity": 2, "unitPrice": "500" }],
        "agreements": [{
            "reason": "ORDER",
            "happenedAt": "2026-02-01T00:00:03Z",
            "sales": [
                { "kind": "PRODUCT", "action": "ORDER", "line": 0, "quantity": 2,
                  "total": "1062.00", "tax": "162.00", "discount": "100.00" },
                { "kind": "ADDITIONAL_FEE", "action": "ORDER", "total": "1.2345" },
            ],
        }],
    });
    let order = world
        .shop
        .put_order(&serde_json::from_value(given).unwrap())
        .unwrap();
    assert_eq!(order.original_total().to_string(), "1063.2345");
    assert_eq!(order.updated_at.to_string(), "2026-02-01T00:00:03Z");
    let url = format!(
        "{}/control/shops/kolkata/orders/literal",
        world.simulator.base_url()
    );
    let body = json!({ "id": order.id, "test": true, "agreements": [] });
    let put = world.http.post(&url).json(&body).send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(world.shop.orders().len(), 1);
    assert!(world.shop.order(order.id).unwrap().test);
    let body = json!({ "agreements": [{ "reason": "ORDER", "happenedAt": "2026-02-01T00:00:03Z",
        "sales": [{ "kind": "PRODUCT", "action": "ORDER", "total": "1" }] }] });
    let refused = world.http.post(&url).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 422);
}

#[tokio::test]
async fn deleting_an_order_takes_it_out_of_every_answer() {
    let world = World::start().await;
    let customer = world.shop.create_customer(&NewCustomer::default());
    let order = NewOrder {
        customer: Some(customer.id),
        ..two_with_discount()
    };
    let placed = world.shop.place_order(&order).unwrap();
    world.shop.delete_order(placed.id).unwrap();
    let gid = format!("gid://shopify/Order/{}", placed.id);
    let query = "query($id: ID!) { order(id: $id) { id } nodes(ids: [$id]) { id }
        orders(first: 5) { nodes { id } } ordersCount { count } }";
    let answer = world.ask(query, json!({ "id": gid })).await;
    assert_eq!(
        answer["data"],
        json!({ "order": null, "nodes": [null], "orders": { "nodes": [] },
                "ordersCount": { "count": 0 } })
    );
    assert!(world.shop.order(placed.id).unwrap().deleted);
}

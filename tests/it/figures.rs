//! The figures, number by number, through the front door: an order is in Shopify, the store is synced, and
//! the API is asked. The definitions are those of metrics: event-dated, in the shop's days and currency.

use serde_json::{Value, json};
use shopify_simulator::{EditLine, NewLine, NewOrder, RefundLine, RefundRequest, ShopSettings};
use sqlx::PgConnection;

use crate::support::{Connected, Simulated, put_orders};

const NOTHING: &str = "orders 0 units 0 | gross 0.00 discounts 0.00 returns 0.00 net 0.00 | shipping 0.00 taxes 0.00 duties 0.00 fees 0.00 \
     | total 0.00 | average 0.00 | customers 0 new 0 returning 0";

fn shop(label: &str, currency: &str, zone: &str) -> ShopSettings {
    ShopSettings {
        currency: currency.parse().unwrap(),
        zone: zone.parse().unwrap(),
        ..ShopSettings::new(label)
    }
}

/// An order of one article: `sale` is [total, tax, discount] of the product, `shipping` [total, tax].
fn order(processed_at: &str, quantity: i32, sale: [&str; 3], shipping: [&str; 2]) -> Value {
    json!({
        "processedAt": processed_at,
        "lines": [{ "quantity": quantity, "unitPrice": "1.00", "product": 7 }],
        "agreements": [{ "reason": "ORDER", "happenedAt": processed_at, "sales": [
            { "kind": "PRODUCT", "action": "ORDER", "line": 0, "quantity": quantity, "total": sale[0], "tax": sale[1], "discount": sale[2] },
            { "kind": "SHIPPING", "action": "ORDER", "total": shipping[0], "tax": shipping[1] },
        ]}],
    })
}

fn with_agreement(mut order: Value, reason: &str, happened_at: &str, sales: &Value) -> Value {
    let agreement = json!({ "reason": reason, "happenedAt": happened_at, "sales": sales });
    order["agreements"].as_array_mut().unwrap().push(agreement);
    order
}

#[tokio::test]
async fn the_worked_example_of_the_definitions_comes_out_number_by_number() {
    let world = Simulated::start().await;
    let placed = order(
        "2026-03-01T19:00:00Z",
        2,
        ["1062.00", "162.00", "100.00"],
        ["59.00", "9.00"],
    );
    let returned = with_agreement(
        placed,
        "RETURN",
        "2026-03-05T20:00:00Z",
        &json!([{ "kind": "PRODUCT", "action": "RETURN", "line": 0, "quantity": -1, "total": "-531.00", "tax": "-81.00", "discount": "-50.00" }]),
    );
    let store = world
        .store_with(shop("kolkata", "INR", "Asia/Kolkata"), json!([returned]))
        .await;

    assert_eq!(
        world.figures(&store, "2026-03-02", "2026-03-02").await,
        "orders 1 units 2 | gross 1000.00 discounts 100.00 returns 0.00 net 900.00 | shipping 50.00 taxes 171.00 duties 0.00 fees 0.00 \
         | total 1121.00 | average 900.00 | customers 0 new 0 returning 0"
    );
    assert_eq!(
        world.figures(&store, "2026-03-06", "2026-03-06").await,
        "orders 0 units 0 | gross 0.00 discounts 0.00 returns 450.00 net -450.00 | shipping 0.00 taxes -81.00 duties 0.00 fees 0.00 \
         | total -531.00 | average 0.00 | customers 0 new 0 returning 0"
    );
    for quiet in ["2026-03-01", "2026-03-05"] {
        assert_eq!(world.figures(&store, quiet, quiet).await, NOTHING);
    }
    assert_eq!(
        world.figures(&store, "2026-03-01", "2026-03-31").await,
        "orders 1 units 2 | gross 1000.00 discounts 100.00 returns 450.00 net 450.00 | shipping 50.00 taxes 90.00 duties 0.00 fees 0.00 \
         | total 590.00 | average 900.00 | customers 0 new 0 returning 0"
    );
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn taxes_that_prices_include_are_no_part_of_gross_sales() {
    let world = Simulated::start().await;
    let settings = ShopSettings {
        tax: "20".parse().unwrap(),
        taxes_included: true,
        ..shop("london", "GBP", "Europe/London")
    };
    let store = world.register(settings).await;
    let placed = store
        .shop
        .place_order(&NewOrder {
            lines: vec![NewLine {
                quantity: 2,
                price: Some("60.00".parse().unwrap()),
                title: Some("Article".to_owned()),
                ..NewLine::default()
            }],
            shipping: "12.00".parse().unwrap(),
            processed_at: Some("2026-05-04T10:00:00Z".parse().unwrap()),
            ..NewOrder::default()
        })
        .unwrap();
    let line = placed.line_items[0].id;
    let back = RefundRequest {
        lines: vec![RefundLine { line, quantity: 1 }],
        at: Some("2026-05-06T10:00:00Z".parse().unwrap()),
        ..RefundRequest::default()
    };
    store.shop.refund_order(placed.id, &back).unwrap();
    world.sync(&store).await;

    assert_eq!(
        world.figures(&store, "2026-05-04", "2026-05-04").await,
        "orders 1 units 2 | gross 100.00 discounts 0.00 returns 0.00 net 100.00 | shipping 10.00 taxes 22.00 duties 0.00 fees 0.00 \
         | total 132.00 | average 100.00 | customers 0 new 0 returning 0"
    );
    assert_eq!(
        world.figures(&store, "2026-05-06", "2026-05-06").await,
        "orders 0 units 0 | gross 0.00 discounts 0.00 returns 50.00 net -50.00 | shipping 0.00 taxes -10.00 duties 0.00 fees 0.00 \
         | total -60.00 | average 0.00 | customers 0 new 0 returning 0"
    );
}

#[tokio::test]
async fn days_are_the_shops_own_over_a_change_of_the_clocks() {
    let world = Simulated::start().await;
    let orders = json!([
        // 23:59 on the 28th, still winter time.
        order("2026-03-28T22:59:00Z", 1, ["1.00", "0", "0"], ["0", "0"]),
        // The first and the last minute of the 29th, which has 23 hours.
        order("2026-03-28T23:00:00Z", 1, ["10.00", "0", "0"], ["0", "0"]),
        order("2026-03-29T21:59:00Z", 1, ["100.00", "0", "0"], ["0", "0"]),
        // Midnight of the 30th, summer time.
        order("2026-03-29T22:00:00Z", 1, ["1000.00", "0", "0"], ["0", "0"]),
    ]);
    let store = world
        .store_with(shop("berlin", "EUR", "Europe/Berlin"), orders)
        .await;
    for (day, total) in [
        ("2026-03-28", "1.00"),
        ("2026-03-29", "110.00"),
        ("2026-03-30", "1000.00"),
    ] {
        let figures = world.figures(&store, day, day).await;
        assert!(
            figures.contains(&format!("| total {total} |")),
            "{day}: {figures}"
        );
    }
    let hours = world
        .app
        .field(
            r#"{ ordersByDate(range: { between: { from: "2026-03-29", to: "2026-03-29" } }, interval: HOUR) { start metrics { orders } } }"#,
            json!({}),
            Some(&store.token),
        )
        .await;
    let hours = hours.as_array().unwrap();
    assert_eq!(hours.len(), 23);
    assert_eq!(hours[0]["start"], "2026-03-28T23:00:00Z");
    assert_eq!(hours[22]["start"], "2026-03-29T21:00:00Z");
    let orders: Vec<_> = hours
        .iter()
        .map(|hour| hour["metrics"]["orders"].as_i64().unwrap())
        .collect();
    assert_eq!(
        (orders[0], orders[22], orders.iter().sum::<i64>()),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn an_edit_up_adds_on_its_own_day_and_an_edit_down_takes_back_on_its_own() {
    let world = Simulated::start().await;
    let store = world
        .register(shop("edits", "USD", "America/New_York"))
        .await;
    let line = |quantity, price: &str| NewLine {
        quantity,
        price: Some(price.parse().unwrap()),
        title: Some("Article".to_owned()),
        ..NewLine::default()
    };
    let placed = store
        .shop
        .place_order(&NewOrder {
            lines: vec![line(2, "10.00")],
            tax_percent: Some("10".parse().unwrap()),
            processed_at: Some("2026-06-01T15:00:00Z".parse().unwrap()),
            ..NewOrder::default()
        })
        .unwrap();
    let item = placed.line_items[0].id;
    store
        .shop
        .edit_order(placed.id, &[EditLine { line: item, by: 3 }])
        .unwrap();
    store
        .shop
        .edit_order(placed.id, &[EditLine { line: item, by: -1 }])
        .unwrap();
    world.sync(&store).await;

    assert_eq!(
        world.figures(&store, "2026-06-01", "2026-06-01").await,
        "orders 1 units 2 | gross 20.00 discounts 0.00 returns 0.00 net 20.00 | shipping 0.00 taxes 2.00 duties 0.00 fees 0.00 \
         | total 22.00 | average 20.00 | customers 0 new 0 returning 0"
    );
    // The edits happen when they are made: on a later day than the order.
    let all = world.figures(&store, "2026-06-01", "2099-01-01").await;
    assert_eq!(
        all,
        "orders 1 units 5 | gross 50.00 discounts 0.00 returns 10.00 net 40.00 | shipping 0.00 taxes 4.00 duties 0.00 fees 0.00 \
         | total 44.00 | average 20.00 | customers 0 new 0 returning 0"
    );
}

#[tokio::test]
async fn a_refund_of_shipping_alone_lowers_shipping_and_its_tax_and_nothing_else() {
    let world = Simulated::start().await;
    let placed = order(
        "2026-04-01T12:00:00Z",
        1,
        ["110.00", "10.00", "0"],
        ["11.00", "1.00"],
    );
    let refunded = with_agreement(
        placed,
        "REFUND",
        "2026-04-03T12:00:00Z",
        &json!([{ "kind": "SHIPPING", "action": "RETURN", "total": "-11.00", "tax": "-1.00" }]),
    );
    let store = world
        .store_with(shop("shipping", "EUR", "Europe/Paris"), json!([refunded]))
        .await;
    assert_eq!(
        world.figures(&store, "2026-04-03", "2026-04-03").await,
        "orders 0 units 0 | gross 0.00 discounts 0.00 returns 0.00 net 0.00 | shipping -10.00 taxes -1.00 duties 0.00 fees 0.00 \
         | total -11.00 | average 0.00 | customers 0 new 0 returning 0"
    );
}

#[tokio::test]
async fn a_cancellation_reverses_on_its_own_day_and_leaves_the_order_counted() {
    let world = Simulated::start().await;
    let store = world
        .register(shop("cancelled", "EUR", "Europe/Madrid"))
        .await;
    let placed = store
        .shop
        .place_order(&NewOrder {
            lines: vec![NewLine {
                quantity: 1,
                price: Some("80.00".parse().unwrap()),
                title: Some("Article".to_owned()),
                ..NewLine::default()
            }],
            shipping: "5.00".parse().unwrap(),
            processed_at: Some("2026-02-10T12:00:00Z".parse().unwrap()),
            ..NewOrder::default()
        })
        .unwrap();
    store.shop.cancel_order(placed.id).unwrap();
    world.sync(&store).await;
    assert_eq!(
        world.figures(&store, "2026-02-10", "2026-02-10").await,
        "orders 1 units 1 | gross 80.00 discounts 0.00 returns 0.00 net 80.00 | shipping 5.00 taxes 0.00 duties 0.00 fees 0.00 \
         | total 85.00 | average 80.00 | customers 0 new 0 returning 0"
    );
    assert_eq!(
        world.figures(&store, "2026-02-11", "2099-01-01").await,
        "orders 0 units 0 | gross 0.00 discounts 0.00 returns 80.00 net -80.00 | shipping -5.00 taxes 0.00 duties 0.00 fees 0.00 \
         | total -85.00 | average 0.00 | customers 0 new 0 returning 0"
    );
    let cancelled = world
        .app
        .field(
            "{ orders { nodes { cancelledAt } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert!(cancelled["nodes"][0]["cancelledAt"].is_string());
}

#[tokio::test]
async fn guests_are_no_customers_and_a_customer_is_new_only_once() {
    let world = Simulated::start().await;
    let by = |customer: Option<u64>, at: &str| {
        let mut order = order(at, 1, ["10.00", "0", "0"], ["0", "0"]);
        order["customer"] = json!(customer);
        order
    };
    let orders = json!([
        by(None, "2026-01-10T12:00:00Z"),
        by(Some(1), "2026-01-10T12:00:00Z"),
        by(Some(1), "2026-02-10T12:00:00Z"),
        by(Some(2), "2026-02-11T12:00:00Z"),
        by(Some(2), "2026-02-12T12:00:00Z"),
    ]);
    let store = world
        .store_with(shop("guests", "EUR", "Europe/Rome"), orders)
        .await;
    for (from, to, expected) in [
        ("2026-01-01", "2026-01-31", "customers 1 new 1 returning 0"),
        ("2026-02-01", "2026-02-28", "customers 2 new 1 returning 2"),
        ("2026-02-12", "2026-02-28", "customers 1 new 0 returning 1"),
        ("2026-01-01", "2026-12-31", "customers 2 new 2 returning 2"),
        ("2026-02-11", "2026-02-11", "customers 1 new 1 returning 0"),
        ("2026-02-11", "2026-02-12", "customers 1 new 1 returning 1"),
    ] {
        let figures = world.figures(&store, from, to).await;
        assert!(figures.ends_with(expected), "{from}: {figures}");
    }
}

#[tokio::test]
async fn orders_in_another_currency_are_left_out_and_counted_apart() {
    let world = Simulated::start().await;
    let mut old = order("2026-01-10T12:00:00Z", 1, ["10.00", "0", "0"], ["0", "0"]);
    old["customer"] = json!(1);
    let mut new = order("2026-01-11T12:00:00Z", 1, ["25.00", "0", "0"], ["0", "0"]);
    new["customer"] = json!(1);
    new["currency"] = json!("CHF");
    let store = world
        .store_with(shop("zurich", "EUR", "Europe/Zurich"), json!([old, new]))
        .await;
    let overview = "{ overview(range: { between: { from: \"2026-01-01\", to: \"2026-01-31\" } }) {
        ordersInOtherCurrencies metrics { orders totalSales { amount currencyCode } customers newCustomers } } }";
    let before = world
        .app
        .field(overview, json!({}), Some(&store.token))
        .await;
    assert_eq!(
        before,
        json!({ "ordersInOtherCurrencies": 1, "metrics": { "orders": 1,
            "totalSales": { "amount": "10.00", "currencyCode": "EUR" }, "customers": 1, "newCustomers": 1 } })
    );

    // The shop itself goes over to francs: the same ledger, seen from the other side.
    store.shop.set_currency("CHF".parse().unwrap());
    world.sync(&store).await;
    let after = world
        .app
        .field(overview, json!({}), Some(&store.token))
        .await;
    assert_eq!(
        after,
        json!({ "ordersInOtherCurrencies": 1, "metrics": { "orders": 1,
            "totalSales": { "amount": "25.00", "currencyCode": "CHF" }, "customers": 1, "newCustomers": 1 } })
    );
    // The first order ever may have been in the other currency: who placed it is not new.
    let later = world.figures(&store, "2026-01-11", "2026-01-31").await;
    assert!(later.ends_with("customers 1 new 0 returning 1"), "{later}");
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn a_change_of_the_shops_time_zone_moves_every_day() {
    let world = Simulated::start().await;
    let orders = json!([order(
        "2026-01-10T23:30:00Z",
        1,
        ["10.00", "0", "0"],
        ["0", "0"]
    )]);
    let store = world
        .store_with(shop("moving", "EUR", "Europe/London"), orders)
        .await;
    assert!(
        world
            .figures(&store, "2026-01-10", "2026-01-10")
            .await
            .starts_with("orders 1 ")
    );
    store.shop.set_zone("Asia/Tokyo".parse().unwrap());
    world.sync(&store).await;
    assert!(
        world
            .figures(&store, "2026-01-10", "2026-01-10")
            .await
            .starts_with("orders 0 ")
    );
    assert!(
        world
            .figures(&store, "2026-01-11", "2026-01-11")
            .await
            .starts_with("orders 1 ")
    );
    world.assert_verified(&store).await;
}

async fn data_version(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select data_version from shops")
        .fetch_one(database)
        .await
        .unwrap()
}

#[tokio::test]
async fn another_name_of_the_same_time_zone_changes_nothing() {
    let world = Simulated::start().await;
    let at = "2026-01-11T06:30:00Z";
    let orders = json!([order(at, 1, ["10.00", "0", "0"], ["0", "0"])]);
    let settings = shop("renamed", "USD", "America/Los_Angeles");
    let store = world.store_with(settings, orders).await;
    let mut database = world.app.database.connection().await;
    let version = data_version(&mut database).await;
    for name in ["US/Pacific", "US/Pacific-New"] {
        store.shop.set_zone_name(name);
        world.sync(&store).await;
        assert_eq!(data_version(&mut database).await, version, "{name}");
    }
    // A name that was known to the database before it was moved or updated.
    sqlx::query("update shops set time_zone = 'US/Pacific-New'")
        .execute(&mut database)
        .await
        .unwrap();
    world.sync(&store).await;
    let figures = world.figures(&store, "2026-01-10", "2026-01-10").await;
    assert!(figures.starts_with("orders 1 "), "{figures}");
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn test_orders_gift_cards_tips_and_deleted_orders_are_in_no_figure_and_fees_are() {
    let world = Simulated::start().await;
    let at = "2026-07-01T12:00:00Z";
    let mut test = order(at, 1, ["10.00", "0", "0"], ["0", "0"]);
    test["test"] = json!(true);
    let line = json!([{ "quantity": 1, "unitPrice": "50.00" }]);
    let gift_card = json!({ "processedAt": at, "lines": line, "agreements": [{ "reason": "ORDER", "happenedAt": at, "sales": [
        { "kind": "GIFT_CARD", "action": "ORDER", "line": 0, "quantity": 1, "total": "50.00" }]}]});
    let fees = json!({ "processedAt": at, "lines": line, "agreements": [{ "reason": "ORDER", "happenedAt": at, "sales": [
        { "kind": "PRODUCT", "action": "ORDER", "line": 0, "quantity": 1, "total": "60.00", "tax": "10.00" },
        { "kind": "TIP", "action": "ORDER", "line": 0, "total": "5.00" },
        { "kind": "DUTY", "action": "ORDER", "total": "7.00", "tax": "1.00" },
        { "kind": "FEE", "action": "ORDER", "total": "2.00" },
        { "kind": "ADDITIONAL_FEE", "action": "ORDER", "total": "1.00" }]}]});
    let deleted = order(at, 1, ["99.00", "0", "0"], ["0", "0"]);
    let store = world
        .store_with(
            shop("kinds", "EUR", "Europe/Lisbon"),
            json!([test, gift_card, fees, deleted]),
        )
        .await;
    let last = store.shop.orders().last().unwrap().id;
    store.shop.delete_order(last).unwrap();
    assert_eq!(
        world.app.sync_and_wait(&store.token, "FULL").await,
        "SUCCEEDED"
    );
    assert_eq!(
        world.figures(&store, "2026-07-01", "2026-07-01").await,
        "orders 1 units 1 | gross 50.00 discounts 0.00 returns 0.00 net 50.00 | shipping 0.00 taxes 11.00 duties 6.00 fees 3.00 \
         | total 70.00 | average 50.00 | customers 0 new 0 returning 0"
    );
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn two_stores_with_the_same_ids_never_see_each_others_figures() {
    let world = Simulated::start().await;
    let mut orders = json!([order(
        "2026-07-01T12:00:00Z",
        1,
        ["10.00", "0", "0"],
        ["0", "0"]
    )]);
    orders[0]["id"] = json!(4711);
    orders[0]["customer"] = json!(1);
    let ours = world
        .store_with(shop("ours", "EUR", "Europe/Lisbon"), orders.clone())
        .await;
    orders[0]["agreements"][0]["sales"][0]["total"] = json!("77.00");
    let theirs = world
        .store_with(shop("theirs", "EUR", "Europe/Lisbon"), orders)
        .await;
    for (store, total) in [(&ours, "10.00"), (&theirs, "77.00")] {
        let figures = world.figures(store, "2026-07-01", "2026-07-01").await;
        assert!(
            figures.starts_with("orders 1 ") && figures.contains(&format!("| total {total} |")),
            "{figures}"
        );
    }
    put_orders(&ours.shop, &json!([]));
    assert_eq!(order_count(&world, &ours).await, 1);
}

async fn order_count(world: &Simulated, store: &Connected) -> i64 {
    let orders = world
        .app
        .field("{ orders { totalCount } }", json!({}), Some(&store.token))
        .await;
    orders["totalCount"].as_i64().unwrap()
}

/// An order of one article, followed by one edit.
fn edited(sales: &Value) -> Value {
    let placed = order(
        "2026-05-01T12:00:00Z",
        2,
        ["110.00", "10.00", "0"],
        ["0", "0"],
    );
    with_agreement(placed, "ORDER_EDIT", "2026-05-03T12:00:00Z", sales)
}

async fn assert_edits(label: &str, sales: Value, expected: &str) {
    let world = Simulated::start().await;
    let store = world
        .store_with(shop(label, "EUR", "Europe/Paris"), json!([edited(&sales)]))
        .await;
    let figures = world.figures(&store, "2026-05-03", "2026-05-03").await;
    assert!(
        figures.starts_with(expected),
        "{label}: {figures}\nexpected: {expected}"
    );
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn a_discount_that_an_edit_gives_is_a_discount_of_its_day_and_no_return() {
    assert_edits(
        "discounted",
        json!([{ "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": 0, "total": "-10.00", "tax": "0", "discount": "10.00" }]),
        "orders 0 units 0 | gross 0.00 discounts 10.00 returns 0.00 net -10.00 | shipping 0.00 taxes 0.00",
    )
    .await;
}

#[tokio::test]
async fn a_discount_that_an_edit_takes_off_is_a_negative_discount() {
    assert_edits(
        "undiscounted",
        json!([{ "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": 0, "total": "10.00", "tax": "0", "discount": "-10.00" }]),
        "orders 0 units 0 | gross 0.00 discounts -10.00 returns 0.00 net 10.00 | shipping 0.00 taxes 0.00",
    )
    .await;
}

#[tokio::test]
async fn a_discount_and_its_reversal_cancel_in_every_figure() {
    assert_edits(
        "reversed",
        json!([
            { "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": 0, "total": "-11.00", "tax": "-1.00", "discount": "10.00" },
            { "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": 0, "total": "11.00", "tax": "1.00", "discount": "-10.00" },
        ]),
        NOTHING,
    )
    .await;
}

#[tokio::test]
async fn an_edit_of_the_tax_alone_changes_taxes_alone() {
    assert_edits(
        "taxed",
        json!([{ "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": 0, "total": "-1.00", "tax": "-1.00", "discount": "0" }]),
        "orders 0 units 0 | gross 0.00 discounts 0.00 returns 0.00 net 0.00 | shipping 0.00 taxes -1.00",
    )
    .await;
}

#[tokio::test]
async fn a_raised_price_is_gross_sales_without_a_unit_and_a_lowered_price_is_a_return() {
    assert_edits(
        "raised",
        json!([{ "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": 0, "total": "5.00", "tax": "0", "discount": "0" }]),
        "orders 0 units 0 | gross 5.00 discounts 0.00 returns 0.00 net 5.00 | shipping 0.00 taxes 0.00",
    )
    .await;
    assert_edits(
        "lowered",
        json!([{ "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": 0, "total": "-5.00", "tax": "0", "discount": "0" }]),
        "orders 0 units 0 | gross 0.00 discounts 0.00 returns 5.00 net -5.00 | shipping 0.00 taxes 0.00",
    )
    .await;
}

#[tokio::test]
async fn an_edit_that_leaves_the_quantity_of_a_line_sells_no_unit() {
    assert_edits(
        "repriced",
        json!([
            { "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": -2, "total": "-110.00", "tax": "-10.00", "discount": "0" },
            { "kind": "PRODUCT", "action": "UPDATE", "line": 0, "quantity": 2, "total": "132.00", "tax": "12.00", "discount": "0" },
        ]),
        "orders 0 units 0 | gross 120.00 discounts 0.00 returns 100.00 net 20.00 | shipping 0.00 taxes 2.00",
    )
    .await;
}

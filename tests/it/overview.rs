//! The headline figures, to the cent.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use xboard::domain::clock::Clock;
use xboard::domain::money::Currency;
use xboard::domain::sync::ObjectKind;

use crate::support::{Entry, TestApp, customer, instant};

const METRICS: &str = "orders unitsSold grossSales { amount currencyCode } discounts { amount } returns { amount }
    netSales { amount } shipping { amount } taxes { amount } duties { amount } fees { amount } totalSales { amount }
    averageOrderValue { amount } customers newCustomers returningCustomers returningCustomerRate";

fn overview(range: &str, more: &str) -> String {
    format!("{{ overview(range: {range}) {{ metrics {{ {METRICS} }} {more} }} }}")
}

fn day(day: &str) -> String {
    format!("{{ between: {{ from: \"{day}\", to: \"{day}\" }} }}")
}

/// The order of metrics.md: placed on 2 March in Kolkata, half of it returned on 6 March.
fn worked_example() -> Entry {
    Entry::placed(1001, "2026-03-01T19:00:00Z", Some(1))
        .line(1, 2, "1062.00", "162.00", "100.00")
        .shipping("59.00", "9.00")
        .returned("2026-03-05T20:00:00Z", 1, "531.00", "81.00", "50.00")
        .with(|order| order.currency = Currency::parse("INR").unwrap())
}

#[tokio::test]
async fn counts_beyond_32_bits_are_answered() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    let entry = |id| {
        Entry::placed(id, "2026-03-02T12:00:00Z", Some(1)).line(1, i32::MAX, "10.00", "0", "0")
    };
    app.database
        .write_books(shop.tenant, &[customer(1, "Ada")], &[entry(1), entry(2)])
        .await;
    let range = day("2026-03-02");
    let query = format!(
        "{{ overview(range: {range}) {{ metrics {{ orders unitsSold }} }}
            ordersByDate(range: {range}) {{ metrics {{ unitsSold }} }}
            byHour: ordersByDate(range: {range}, interval: HOUR) {{ metrics {{ unitsSold }} }} }}"
    );
    let answer = app.ask(&shop, &query).await;
    let units: i64 = 4_294_967_294;
    assert_eq!(
        answer["overview"]["metrics"],
        json!({ "orders": 2, "unitsSold": units })
    );
    assert_eq!(
        answer["ordersByDate"],
        json!([{ "metrics": { "unitsSold": units } }])
    );
    let hours = answer["byHour"].as_array().unwrap().iter();
    let hours = hours.map(|hour| hour["metrics"]["unitsSold"].as_i64().unwrap());
    assert_eq!(hours.sum::<i64>(), units);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn the_worked_example_comes_out_to_the_cent() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "INR", "Asia/Kolkata").await;
    app.database
        .write_books(shop.tenant, &[customer(1, "Ada")], &[worked_example()])
        .await;

    let placed = app.ask(&shop, &overview(&day("2026-03-02"), "")).await;
    assert_eq!(
        placed["overview"]["metrics"],
        json!({
            "orders": 1, "unitsSold": 2, "grossSales": { "amount": "1000.00", "currencyCode": "INR" },
            "discounts": { "amount": "100.00" }, "returns": { "amount": "0.00" },
            "netSales": { "amount": "900.00" }, "shipping": { "amount": "50.00" },
            "taxes": { "amount": "171.00" }, "duties": { "amount": "0.00" }, "fees": { "amount": "0.00" },
            "totalSales": { "amount": "1121.00" }, "averageOrderValue": { "amount": "900.00" },
            "customers": 1, "newCustomers": 1, "returningCustomers": 0, "returningCustomerRate": 0.0,
        })
    );
    let returned = app.ask(&shop, &overview(&day("2026-03-06"), "")).await;
    assert_eq!(
        returned["overview"]["metrics"],
        json!({
            "orders": 0, "unitsSold": 0, "grossSales": { "amount": "0.00", "currencyCode": "INR" },
            "discounts": { "amount": "0.00" }, "returns": { "amount": "450.00" },
            "netSales": { "amount": "-450.00" }, "shipping": { "amount": "0.00" },
            "taxes": { "amount": "-81.00" }, "duties": { "amount": "0.00" }, "fees": { "amount": "0.00" },
            "totalSales": { "amount": "-531.00" }, "averageOrderValue": { "amount": "0.00" },
            "customers": 0, "newCustomers": 0, "returningCustomers": 0, "returningCustomerRate": null,
        })
    );
    let before = app.ask(&shop, &overview(&day("2026-03-01"), "")).await;
    assert_eq!(before["overview"]["metrics"]["orders"], 0);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn customers_are_new_once_and_return_ever_after() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    let order =
        |number, at, customer| Entry::placed(number, at, customer).line(1, 1, "11.90", "1.90", "0");
    let entries = [
        order(1, "2026-03-01T10:00:00Z", Some(1)),
        order(2, "2026-03-02T10:00:00Z", Some(1)),
        order(3, "2026-03-02T11:00:00Z", Some(2)),
        order(4, "2026-03-02T12:00:00Z", None),
        order(5, "2026-03-03T12:00:00Z", Some(3)),
    ];
    let people = [
        customer(1, "Ada"),
        customer(2, "Mary"),
        customer(3, "Grace"),
    ];
    app.database
        .write_books(shop.tenant, &people, &entries)
        .await;
    let range = r#"{ between: { from: "2026-03-02", to: "2026-03-03" } }"#;
    let query = format!(
        "{{ overview(range: {range}, compareTo: PREVIOUS_PERIOD) {{ totalCustomers
            metrics {{ orders customers newCustomers returningCustomers returningCustomerRate }}
            previous {{ range {{ from to }} metrics {{ orders customers newCustomers }} }} }} }}"
    );
    assert_eq!(
        app.ask(&shop, &query).await["overview"],
        json!({
            "totalCustomers": 3,
            "metrics": { "orders": 4, "customers": 3, "newCustomers": 2, "returningCustomers": 1,
                         "returningCustomerRate": 1.0 / 3.0 },
            "previous": { "range": { "from": "2026-02-28", "to": "2026-03-01" },
                          "metrics": { "orders": 1, "customers": 1, "newCustomers": 1 } },
        })
    );
    // They are counted for whoever asks for one of them alone, under any name.
    for (field, value) in [
        ("customers", json!(3)),
        ("newCustomers", json!(2)),
        ("returningCustomers", json!(1)),
        ("returningCustomerRate", json!(1.0 / 3.0)),
    ] {
        let query = format!(
            "{{ overview(range: {range}) {{ metrics {{ orders }} again: metrics {{ ... on SalesMetrics {{ it: {field} }} }} }}
                ordersByDate(range: {range}, interval: MONTH) {{ metrics {{ orders }} again: metrics {{ ...F }} }} }}
             fragment F on SalesMetrics {{ it: {field} }}"
        );
        let answer = app.ask(&shop, &query).await;
        let again = json!({ "it": value });
        assert_eq!(answer["overview"]["again"], again, "{field}");
        assert_eq!(answer["ordersByDate"][0]["again"], again, "{field}");
    }
    app.database
        .delete(shop.tenant, ObjectKind::Customers, &[2])
        .await;
    assert_eq!(
        app.ask(&shop, &query).await["overview"]["totalCustomers"],
        2
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn orders_of_another_currency_are_left_out_and_said_to_be() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "INR", "Asia/Kolkata").await;
    let placed =
        |id| Entry::placed(id, "2026-03-01T19:00:00Z", Some(1)).line(id, 1, "10.00", "0", "0");
    let coin = placed(2).with(|order| order.currency = Currency::parse("USDC").unwrap());
    app.database
        .write_books(
            shop.tenant,
            &[customer(1, "Ada")],
            &[placed(1), coin, worked_example()],
        )
        .await;
    let answer = app
        .ask(
            &shop,
            &overview(&day("2026-03-02"), "ordersInOtherCurrencies"),
        )
        .await;
    assert_eq!(answer["overview"]["ordersInOtherCurrencies"], 2);
    assert_eq!(answer["overview"]["metrics"]["orders"], 1);
    assert_eq!(
        answer["overview"]["metrics"]["totalSales"]["amount"],
        "1121.00"
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn ranges_are_days_of_the_shop() {
    // It is already 2 March in Kolkata.
    let now = Clock::Fixed(instant("2026-03-01T19:00:00Z"));
    let app = TestApp::start_with(|config| config.clock = now).await;
    let shop = app.open_shop("engines", "INR", "Asia/Kolkata").await;
    app.database
        .write_books(shop.tenant, &[], &[worked_example()])
        .await;
    let range = |argument: &str| format!("{{ overview{argument} {{ range {{ from to }} }} }}");
    for (argument, from, to) in [
        ("", "2026-02-01", "2026-03-02"),
        ("(range: { preset: TODAY })", "2026-03-02", "2026-03-02"),
        (
            "(range: { preset: LAST_7_DAYS })",
            "2026-02-24",
            "2026-03-02",
        ),
        (
            "(range: { preset: LAST_MONTH })",
            "2026-02-01",
            "2026-02-28",
        ),
        ("(range: { preset: ALL_TIME })", "2026-03-02", "2026-03-02"),
    ] {
        let answer = app.ask(&shop, &range(argument)).await;
        assert_eq!(
            answer["overview"]["range"],
            json!({ "from": from, "to": to }),
            "{argument}"
        );
    }
    for (argument, message) in [
        (
            r#"(range: { between: { from: "2026-03-02", to: "2026-03-01" } })"#,
            "The range begins on 2026-03-02, after it ends on 2026-03-01: swap the two days.",
        ),
        (
            r#"(range: { between: { from: "1926-03-02", to: "2026-03-02" } })"#,
            "The range is longer than 100 years: use a shorter one, or ALL_TIME.",
        ),
    ] {
        let refusal = app.refusal(&shop, &range(argument)).await;
        assert_eq!(refusal, (message.to_owned(), "BAD_USER_INPUT".to_owned()));
    }
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn the_best_customers_come_first() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    let entries = [
        Entry::placed(1, "2026-03-01T10:00:00Z", Some(1)).line(1, 1, "100.00", "0", "0"),
        Entry::placed(2, "2026-03-02T10:00:00Z", Some(2)).line(1, 1, "60.00", "0", "0"),
        Entry::placed(3, "2026-03-02T11:00:00Z", Some(2)).line(1, 1, "60.00", "0", "0"),
        Entry::placed(4, "2026-03-02T11:00:00Z", Some(3))
            .line(1, 1, "500.00", "0", "0")
            .returned("2026-03-03T11:00:00Z", 1, "500.00", "0", "0"),
    ];
    // The third customer is known from an order alone.
    let people = [customer(1, "Ada"), customer(2, "Mary")];
    app.database
        .write_books(shop.tenant, &people, &entries)
        .await;
    let top = |argument: &str| {
        format!(
            "{{ topCustomers{argument} {{ rank orders totalSpent {{ amount }} customer {{ displayName email }} }} }}"
        )
    };
    let row = |rank: i32, orders: i32, spent: &str, name: &str, email: Option<&str>| {
        json!({ "rank": rank, "orders": orders, "totalSpent": { "amount": spent },
                "customer": { "displayName": name, "email": email } })
    };
    let (ada, mary) = (Some("ada@example.com"), Some("mary@example.com"));
    assert_eq!(
        app.ask(&shop, &top("")).await["topCustomers"],
        json!([
            row(1, 2, "120.00", "Mary", mary),
            row(2, 1, "100.00", "Ada", ada),
            row(3, 1, "0.00", "Customer", None),
        ])
    );
    let second = top(&format!("(first: 2, range: {})", day("2026-03-02")));
    assert_eq!(
        app.ask(&shop, &second).await["topCustomers"],
        json!([
            row(1, 1, "500.00", "Customer", None),
            row(2, 2, "120.00", "Mary", mary)
        ])
    );
    let refusal = app.refusal(&shop, &top("(first: 101)")).await;
    assert_eq!(refusal.0, "`first` must be between 1 and 100, not 101.");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn every_read_field_answers_with_the_tenants_own_rows_only() {
    let app = TestApp::start().await;
    let ours = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    let theirs = app.open_shop("looms", "EUR", "Europe/Berlin").await;
    let order = |number, total| {
        Entry::placed(number, "2026-03-02T10:00:00Z", Some(number))
            .line(number, 1, total, "0", "0")
            .returned("2026-03-03T10:00:00Z", 1, "1.00", "0", "0")
    };
    let products = |numbers: &[i64]| -> Vec<_> {
        numbers
            .iter()
            .flat_map(|n| [customer(*n, "Ada"), crate::support::product(*n, "Engine")])
            .collect()
    };
    // The same numbers in both stores: ids are unique only inside one.
    app.database
        .write_books(
            ours.tenant,
            &products(&[1, 2]),
            &[order(1, "10.00"), order(2, "20.00")],
        )
        .await;
    app.database
        .write_books(
            theirs.tenant,
            &products(&[1, 2, 3]),
            &[
                order(1, "1000.00"),
                order(2, "2000.00"),
                order(3, "3000.00"),
            ],
        )
        .await;
    let range = r#"range: { between: { from: "2026-03-02", to: "2026-03-03" } }"#;
    let query = format!(
        "{{ me {{ email memberships {{ tenant {{ shop {{ name }} }} }} }}
            overview({range}) {{ totalCustomers metrics {{ orders customers totalSales {{ amount }} }} }}
            ordersByDate({range}) {{ metrics {{ orders totalSales {{ amount }} }} }}
            topCustomers {{ totalSpent {{ amount }} orders }}
            ranged: topCustomers({range}) {{ totalSpent {{ amount }} orders }}
            recentOrders {{ totalCount nodes {{ name totalPrice {{ amount }}
                customer {{ totalSpent {{ amount }} ordersCount orders {{ totalCount nodes {{ name }} }} }}
                lineItems {{ totalCount nodes {{ discountedTotal {{ amount }} product {{ netSales {{ amount }} unitsSold }} }} }}
                refunds {{ totalRefunded {{ amount }} }} }} }}
            orders {{ totalCount nodes {{ name }} }} customers {{ totalCount nodes {{ shopifyId }} }}
            products {{ totalCount nodes {{ shopifyId }} }} syncRuns {{ totalCount nodes {{ status }} }} }}"
    );
    let node = |number: i32, total: &str, left: &str| {
        json!({ "name": format!("#{number}"), "totalPrice": { "amount": total },
            "customer": { "totalSpent": { "amount": left }, "ordersCount": 1,
                          "orders": { "totalCount": 1, "nodes": [{ "name": format!("#{number}") }] } },
            "lineItems": { "totalCount": 1, "nodes": [{ "discountedTotal": { "amount": total },
                           "product": { "netSales": { "amount": left }, "unitsSold": 1 } }] },
            "refunds": [{ "totalRefunded": { "amount": "1.00" } }] })
    };
    let spent = |amount: &str| json!({ "totalSpent": { "amount": amount }, "orders": 1 });
    let point = |orders: i32, amount: &str| json!({ "metrics": { "orders": orders, "totalSales": { "amount": amount } } });
    let expected: Value = json!({
        "me": { "email": "owner@engines.example",
                "memberships": [{ "tenant": { "shop": { "name": "engines" } } }] },
        "overview": { "totalCustomers": 2,
                      "metrics": { "orders": 2, "customers": 2, "totalSales": { "amount": "28.00" } } },
        "ordersByDate": [point(2, "30.00"), point(0, "-2.00")],
        "topCustomers": [spent("19.00"), spent("9.00")],
        "ranged": [spent("19.00"), spent("9.00")],
        "recentOrders": { "totalCount": 2, "nodes": [node(2, "20.00", "19.00"), node(1, "10.00", "9.00")] },
        "orders": { "totalCount": 2, "nodes": [{ "name": "#2" }, { "name": "#1" }] },
        "customers": { "totalCount": 2, "nodes": [{ "shopifyId": "2" }, { "shopifyId": "1" }] },
        "products": { "totalCount": 2, "nodes": [{ "shopifyId": "1" }, { "shopifyId": "2" }] },
        "syncRuns": { "totalCount": 1, "nodes": [{ "status": "QUEUED" }] },
    });
    assert_eq!(app.ask(&ours, &query).await, expected);
    let others = app
        .ask(
            &theirs,
            "{ orders { totalCount } overview { totalCustomers } }",
        )
        .await;
    assert_eq!(
        others,
        json!({ "orders": { "totalCount": 3 }, "overview": { "totalCustomers": 3 } })
    );
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn nothing_of_a_store_is_told_without_a_token() {
    let app = TestApp::start().await;
    for field in [
        "overview { totalCustomers }",
        "ordersByDate { date }",
        "topCustomers { rank }",
        "recentOrders { totalCount }",
        "orders { totalCount }",
        "customers { totalCount }",
        "products { totalCount }",
        "syncRuns { totalCount }",
        "node(id: \"x\") { id }",
        "nodes(ids: []) { id }",
    ] {
        let body = app
            .graphql(&format!("{{ {field} }}"), json!({}), None)
            .await;
        assert_eq!(
            body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
            "{field}: {body}"
        );
    }
    assert_eq!(
        app.field("{ me { id } }", json!({}), None).await,
        Value::Null
    );
}

#[tokio::test]
async fn an_operation_needs_one_connection_however_much_it_asks() {
    let app = TestApp::start_with(|config| config.connections = 1).await;
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    let answer = app
        .ask(
            &shop,
            "{ overview { totalCustomers } me { email tenant { shop { name } } memberships { role tenant { shop { name } } } }
               orders { nodes { id } } syncRuns { nodes { progress { done } } } }",
        )
        .await;
    assert_eq!(
        answer["me"]["memberships"][0]["tenant"]["shop"]["name"],
        "engines"
    );
    app.database.leaves_jobs(1);
}

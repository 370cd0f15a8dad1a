//! `ordersByDate`: the points cover the range without gaps, and add up to the overview.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Entry, Shop, TestApp, customer};

fn sum(points: &Value, figure: &str) -> i64 {
    let points = points.as_array().unwrap().iter();
    points
        .map(|point| match &point["metrics"][figure] {
            Value::Object(money) => money["amount"]
                .as_str()
                .unwrap()
                .replace('.', "")
                .parse()
                .unwrap(),
            count => count.as_i64().unwrap(),
        })
        .sum::<i64>()
}

/// Four orders around the weekend on which Berlin's clocks went forward, with a return on another day.
async fn store_with_a_clock_change(app: &TestApp) -> Shop {
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    let entries = [
        Entry::placed(1, "2026-03-27T22:59:59.999999Z", Some(1))
            .line(1, 1, "11.90", "1.90", "2.00"),
        // 29 March in Berlin, the 28th in UTC.
        Entry::placed(2, "2026-03-28T23:00:00Z", Some(1)).line(1, 2, "23.80", "3.80", "0"),
        Entry::placed(3, "2026-03-29T01:00:00Z", Some(2))
            .line(1, 1, "11.90", "1.90", "0")
            .shipping("5.95", "0.95"),
        Entry::placed(4, "2026-03-29T21:59:59Z", None)
            .line(1, 1, "11.90", "1.90", "0")
            .returned("2026-03-31T00:30:00Z", 1, "11.90", "1.90", "0"),
    ];
    let people = [customer(1, "Ada"), customer(2, "Mary")];
    app.database
        .write_books(shop.tenant, &people, &entries)
        .await;
    shop
}

#[tokio::test]
async fn every_interval_adds_up_to_the_overview() {
    let app = TestApp::start().await;
    let shop = store_with_a_clock_change(&app).await;
    let range = r#"range: { between: { from: "2026-03-26", to: "2026-04-01" } }"#;
    let metrics = "metrics { orders unitsSold newCustomers grossSales { amount } discounts { amount }
        returns { amount } netSales { amount } shipping { amount } taxes { amount } totalSales { amount } }";
    for (interval, points) in [
        ("HOUR", 7 * 24 - 1),
        ("DAY", 7),
        ("WEEK", 2),
        ("MONTH", 2),
        ("QUARTER", 2),
        ("YEAR", 1),
    ] {
        let query = format!(
            "{{ overview({range}) {{ {metrics} }} ordersByDate({range}, interval: {interval}) {{ {metrics} }} }}"
        );
        let answer = app.ask(&shop, &query).await;
        let series = &answer["ordersByDate"];
        assert_eq!(series.as_array().unwrap().len(), points, "{interval}");
        for figure in [
            "orders",
            "unitsSold",
            "newCustomers",
            "grossSales",
            "discounts",
            "returns",
            "netSales",
            "shipping",
            "taxes",
            "totalSales",
        ] {
            let whole = json!([{ "metrics": answer["overview"]["metrics"] }]);
            assert_eq!(
                sum(series, figure),
                sum(&whole, figure),
                "{interval} {figure}"
            );
        }
        assert_eq!(answer["overview"]["metrics"]["orders"], 4);
        assert_eq!(
            answer["overview"]["metrics"]["totalSales"]["amount"],
            "53.55"
        );
    }
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_day_with_a_clock_change_has_23_or_25_hours() {
    let app = TestApp::start().await;
    let shop = store_with_a_clock_change(&app).await;
    let hours = |day: &str| {
        format!(
            r#"{{ ordersByDate(interval: HOUR, range: {{ between: {{ from: "{day}", to: "{day}" }} }}) {{
                date start metrics {{ orders customers newCustomers returningCustomers }} }} }}"#
        )
    };
    let spring = app.ask(&shop, &hours("2026-03-29")).await;
    let spring = spring["ordersByDate"].as_array().unwrap();
    assert_eq!(spring.len(), 23);
    assert_eq!(
        spring[0],
        json!({ "date": "2026-03-29", "start": "2026-03-28T23:00:00Z",
                "metrics": { "orders": 1, "customers": 1, "newCustomers": 0, "returningCustomers": 1 } })
    );
    assert_eq!(
        spring[2],
        json!({ "date": "2026-03-29", "start": "2026-03-29T01:00:00Z",
                "metrics": { "orders": 1, "customers": 1, "newCustomers": 1, "returningCustomers": 0 } })
    );
    assert_eq!(spring[22]["start"], "2026-03-29T21:00:00Z");
    assert_eq!(spring[22]["metrics"]["orders"], 1);
    let autumn = app.ask(&shop, &hours("2026-10-25")).await;
    assert_eq!(autumn["ordersByDate"].as_array().unwrap().len(), 25);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn days_begin_at_midnight_of_the_shop() {
    let app = TestApp::start().await;
    let shop = store_with_a_clock_change(&app).await;
    let days = r#"{ ordersByDate(range: { between: { from: "2026-03-28", to: "2026-03-31" } }) { date start metrics { orders returns { amount } } } }"#;
    let point = |date: &str, start: &str, orders: i32, returns: &str| json!({ "date": date, "start": start, "metrics": { "orders": orders, "returns": { "amount": returns } } });
    assert_eq!(
        app.ask(&shop, days).await["ordersByDate"],
        json!([
            point("2026-03-28", "2026-03-27T23:00:00Z", 0, "0.00"),
            point("2026-03-29", "2026-03-28T23:00:00Z", 3, "0.00"),
            point("2026-03-30", "2026-03-29T22:00:00Z", 0, "0.00"),
            point("2026-03-31", "2026-03-30T22:00:00Z", 0, "10.00"),
        ])
    );
    // If midnight occurs twice, the day begins with the first one.
    let mut connection = app.database.connection().await;
    sqlx::query("update shops set time_zone = 'Atlantic/Azores'")
        .execute(&mut connection)
        .await
        .unwrap();
    let azores = r#"{ ordersByDate(interval: HOUR, range: { between: { from: "2026-10-25", to: "2026-10-25" } }) { start } }"#;
    let azores = app.ask(&shop, azores).await;
    assert_eq!(azores["ordersByDate"].as_array().unwrap().len(), 25);
    assert_eq!(azores["ordersByDate"][0]["start"], "2026-10-25T00:00:00Z");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn the_first_and_last_interval_contain_only_days_of_the_range() {
    let app = TestApp::start().await;
    let shop = store_with_a_clock_change(&app).await;
    let weeks = r#"{ ordersByDate(interval: WEEK, range: { between: { from: "2026-03-28", to: "2026-03-30" } }) {
        date metrics { orders customers newCustomers } } }"#;
    assert_eq!(
        app.ask(&shop, weeks).await["ordersByDate"],
        json!([
            { "date": "2026-03-23", "metrics": { "orders": 3, "customers": 2, "newCustomers": 1 } },
            { "date": "2026-03-30", "metrics": { "orders": 0, "customers": 0, "newCustomers": 0 } },
        ])
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_series_that_is_too_long_is_refused_with_a_suggestion() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    let query = |from: &str, interval: &str| {
        format!(
            r#"{{ ordersByDate(interval: {interval}, range: {{ between: {{ from: "{from}", to: "2026-09-26" }} }}) {{ date }} }}"#
        )
    };
    let longest = app.ask(&shop, &query("2024-01-01", "DAY")).await;
    assert_eq!(longest["ordersByDate"].as_array().unwrap().len(), 1_000);
    for (from, interval, message) in [
        (
            "2023-12-31",
            "DAY",
            "A series holds at most 1000 points: ask for `interval: WEEK`, or for a shorter range.",
        ),
        (
            "2026-09-12",
            "HOUR",
            "Hours are for ranges of at most 14 days: ask for `interval: DAY`, or for a shorter range.",
        ),
    ] {
        let refusal = app.refusal(&shop, &query(from, interval)).await;
        assert_eq!(refusal, (message.to_owned(), "BAD_USER_INPUT".to_owned()));
    }
    let hours = app.ask(&shop, &query("2026-09-13", "HOUR")).await;
    assert_eq!(hours["ordersByDate"].as_array().unwrap().len(), 14 * 24);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn each_point_carries_the_point_at_its_position_in_the_compared_range() {
    let app = TestApp::start().await;
    let shop = store_with_a_clock_change(&app).await;
    let series = |arguments: &str, fields: &str| {
        let range = r#"range: { between: { from: "2026-03-29", to: "2026-03-31" } }"#;
        format!("{{ ordersByDate({range} {arguments}) {{ {fields} }} }}")
    };
    let fields = "date start metrics { orders customers netSales { amount } }";
    let compared = series(
        "compareTo: PREVIOUS_PERIOD",
        &format!("{fields} previous {{ {fields} previous {{ date }} }}"),
    );
    let compared = app.ask(&shop, &compared).await;
    let plain = app.ask(&shop, &series("", fields)).await;
    let before = format!(
        r#"{{ ordersByDate(range: {{ between: {{ from: "2026-03-26", to: "2026-03-28" }} }}) {{ {fields} }} }}"#
    );
    let before = app.ask(&shop, &before).await;
    let points = compared["ordersByDate"].as_array().unwrap();
    assert_eq!(points.len(), 3);
    for (position, point) in points.iter().enumerate() {
        let mut point = point.clone();
        let mut previous = point.as_object_mut().unwrap().remove("previous").unwrap();
        assert_eq!(point, plain["ordersByDate"][position]);
        assert_eq!(
            previous.as_object_mut().unwrap().remove("previous"),
            Some(Value::Null)
        );
        assert_eq!(previous, before["ordersByDate"][position]);
    }
    assert_eq!(points[1]["previous"]["date"], "2026-03-27");
    assert_eq!(points[1]["previous"]["metrics"]["orders"], 1);

    let without = app.ask(&shop, &series("", "previous { date }")).await;
    let nothing = json!({ "previous": null });
    assert_eq!(without["ordersByDate"], json!([nothing, nothing, nothing]));

    // 29 February to 1 March: the year before has one day less.
    let leap = r#"{ ordersByDate(range: { between: { from: "2028-02-28", to: "2028-03-01" } }, compareTo: PREVIOUS_YEAR) {
        date previous { date } } }"#;
    let point = |date: &str, previous: Option<&str>| json!({ "date": date, "previous": previous.map(|date| json!({ "date": date })) });
    assert_eq!(
        app.ask(&shop, leap).await["ordersByDate"],
        json!([
            point("2028-02-28", Some("2027-02-28")),
            point("2028-02-29", Some("2027-03-01")),
            point("2028-03-01", None),
        ])
    );

    // Fourteen days by the hour are allowed, also where the year before had fifteen.
    let hours = r#"{ ordersByDate(range: { between: { from: "2025-02-20", to: "2025-03-05" } }, interval: HOUR, compareTo: PREVIOUS_YEAR) {
        start previous { start } } }"#;
    let hours = app.ask(&shop, hours).await;
    let hours = hours["ordersByDate"].as_array().unwrap();
    assert_eq!(hours.len(), 14 * 24);
    assert_eq!(hours[0]["previous"]["start"], "2024-02-19T23:00:00Z");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn fragments_and_plain_fields_give_the_same_response() {
    let app = TestApp::start().await;
    let shop = store_with_a_clock_change(&app).await;
    let money = "{ c: currencyCode amount __typename }";
    let metrics = format!(
        "orders unitsSold grossSales {money} discounts {money} returns {money} netSales {money} shipping {money}
         taxes {money} duties {money} fees {money} totalSales {money} average: averageOrderValue {money} customers
         newCustomers returningCustomers returningCustomerRate __typename"
    );
    let range = r#"range: { between: { from: "2026-03-26", to: "2026-04-01" } }"#;
    let question = |point: &str, metrics: &str| {
        format!(
            "{{ overview({range}, compareTo: PREVIOUS_PERIOD) {{ metrics {{ {metrics} }} previous {{ metrics {{ {metrics} }} }} }}
                ordersByDate({range}) {{ {point} metrics {{ {metrics} }} }} }}"
        )
    };
    let point = "day: date start __typename";
    let written = app.ask(&shop, &question(point, &metrics)).await.to_string();
    let fragment = |on: &str, fields: &str| format!("... on {on} {{ {fields} }}");
    for (point, metrics) in [
        (fragment("OrdersByDatePoint", point), metrics.clone()),
        (point.to_owned(), fragment("SalesMetrics", &metrics)),
        (
            format!("day: date {point}"),
            metrics
                .replace("{ c:", "{ ... @include(if: true) { c:")
                .replace("__typename }", "__typename } }"),
        ),
    ] {
        let resolved = app
            .ask(&shop, &question(&point, &metrics))
            .await
            .to_string();
        // Texts are compared, because the order of the fields matters.
        assert_eq!(written, resolved, "{point} {metrics}");
    }
    assert!(written.contains(r#""day":"2026-03-29","start":"2026-03-28T23:00:00Z""#));
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn selections_of_one_field_in_several_places_are_merged() {
    let app = TestApp::start().await;
    let shop = store_with_a_clock_change(&app).await;
    let range = r#"range: { between: { from: "2026-03-26", to: "2026-04-01" } }"#;
    let series = |fields: &str| format!("ordersByDate({range}) {{ {fields} }}");
    let whole =
        series("date start metrics { orders grossSales { currencyCode amount } taxes { amount } }");
    let whole = app.ask(&shop, &format!("{{ {whole} }}")).await;
    let (orders, sales) = (
        "date metrics { orders grossSales { currencyCode } }",
        "start metrics { grossSales { amount } taxes { amount } }",
    );
    for query in [
        format!("{{ {} {} }}", series(orders), series(sales)),
        format!(
            "{{ ...Orders ...Sales }} fragment Orders on Query {{ {} }} fragment Sales on Query {{ {} }}",
            series(orders),
            series(sales)
        ),
        format!("{{ {} ... {{ {} }} }}", series(orders), series(sales)),
        format!("{{ {} }}", series(&format!("{orders} {sales}"))),
    ] {
        // Objects are compared, because other tests check the order of the fields.
        assert_eq!(app.ask(&shop, &query).await, whole, "{query}");
    }
    app.database.leaves_jobs(1);
}

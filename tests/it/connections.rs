//! Lists: every item once, in both directions, whatever the order; and cursors that only fit their own list.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Entry, Shop, TestApp, customer, product};

/// Seven orders, some at the same instant and for the same amount; a customer and a product without any.
async fn open(app: &TestApp, label: &str) -> Shop {
    let shop = app.open_shop(label, "EUR", "Europe/Berlin").await;
    let order = |number, at, customer, product, total| {
        Entry::placed(number, at, customer).line(product, 1, total, "0", "0")
    };
    let entries = [
        order(1, "2026-03-01T10:00:00Z", Some(1), 1, "10.00"),
        order(2, "2026-03-02T10:00:00Z", Some(2), 1, "30.00"),
        order(3, "2026-03-02T10:00:00Z", Some(1), 2, "30.00"),
        order(4, "2026-03-02T10:00:00Z", None, 2, "20.00")
            .with(|order| "100%_off".clone_into(&mut order.name)),
        order(5, "2026-03-03T10:00:00Z", Some(1), 2, "30.00").with(|order| order.test = true),
        order(6, "2026-03-04T10:00:00Z", Some(2), 1, "5.00").with(|order| {
            order.cancelled_at = Some(order.processed_at);
            order.financial_status = Some("VOIDED".to_owned());
        }),
        order(7, "2026-03-05T10:00:00Z", Some(1), 1, "1.00"),
    ];
    let others = [
        customer(1, "Ada"),
        customer(2, "Mary"),
        customer(3, "Grace"),
        product(1, "Loom"),
        product(2, "Engine"),
        product(3, "Engine"),
    ];
    app.database
        .write_books(shop.tenant, &others, &entries)
        .await;
    shop
}

const PAGE_INFO: &str = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";

/// All items of a list, page by page; checks what each page says of its surroundings.
async fn walk(
    app: &TestApp,
    shop: &Shop,
    field: &str,
    key: &str,
    size: usize,
    forward: bool,
) -> Vec<Value> {
    let mut pages: Vec<Vec<Value>> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let place = cursor.as_ref().map_or_else(String::new, |cursor| {
            format!(
                r#", {}: "{cursor}""#,
                if forward { "after" } else { "before" }
            )
        });
        let count = if forward { "first" } else { "last" };
        let (name, more) = field.split_once('(').map_or((field, ""), |(name, rest)| {
            (name, rest.trim_end_matches(')'))
        });
        let query = format!(
            "{{ {name}({count}: {size}{place} {more}) {{ nodes {{ {key} }} edges {{ cursor node {{ {key} }} }} totalCount {PAGE_INFO} }} }}"
        );
        let page = app.ask(shop, &query).await[name].take();
        let info = &page["pageInfo"];
        let nodes: Vec<Value> = page["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node[key].clone())
            .collect();
        let edges = page["edges"].as_array().unwrap();
        assert_eq!(
            edges
                .iter()
                .map(|edge| edge["node"][key].clone())
                .collect::<Vec<_>>(),
            nodes
        );
        assert_eq!(
            info["startCursor"],
            edges
                .first()
                .map_or(Value::Null, |edge| edge["cursor"].clone())
        );
        assert_eq!(
            info["endCursor"],
            edges
                .last()
                .map_or(Value::Null, |edge| edge["cursor"].clone())
        );
        let (ahead, behind) = if forward {
            ("hasNextPage", "hasPreviousPage")
        } else {
            ("hasPreviousPage", "hasNextPage")
        };
        assert_eq!(info[behind], json!(cursor.is_some()), "{query}");
        pages.push(nodes);
        let end = if forward { "endCursor" } else { "startCursor" };
        cursor = info[end].as_str().map(str::to_owned);
        if info[ahead] == json!(false) {
            let total: usize = pages.iter().map(Vec::len).sum();
            assert_eq!(page["totalCount"], json!(total), "{query}");
            break;
        }
    }
    if !forward {
        pages.reverse();
    }
    pages.concat()
}

#[tokio::test]
async fn every_list_holds_every_item_once_in_both_directions() {
    let app = TestApp::start().await;
    let shop = open(&app, "engines").await;
    for (field, key, expected) in [
        (
            "orders",
            "shopifyId",
            vec!["7", "6", "5", "4", "3", "2", "1"],
        ),
        (
            "orders(sort: PROCESSED_AT_ASC)",
            "shopifyId",
            vec!["1", "2", "3", "4", "5", "6", "7"],
        ),
        (
            "orders(sort: TOTAL_DESC)",
            "shopifyId",
            vec!["5", "3", "2", "4", "1", "6", "7"],
        ),
        ("customers", "shopifyId", vec!["1", "2", "3"]),
        (
            "customers(sort: ORDERS_DESC)",
            "shopifyId",
            vec!["1", "2", "3"],
        ),
        (
            "customers(sort: LAST_ORDER_DESC)",
            "shopifyId",
            vec!["1", "2", "3"],
        ),
        ("products", "shopifyId", vec!["2", "3", "1"]),
        (
            "products(sort: NET_SALES_DESC)",
            "shopifyId",
            vec!["2", "1", "3"],
        ),
        (
            "products(sort: UNITS_DESC)",
            "shopifyId",
            vec!["1", "2", "3"],
        ),
    ] {
        for size in [1, 2, 3, 7, 8] {
            for forward in [true, false] {
                let found = walk(&app, &shop, field, key, size, forward).await;
                assert_eq!(found, expected, "{field} {size} {forward}");
            }
        }
    }
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn filters_narrow_a_list_and_its_count_alike() {
    let app = TestApp::start().await;
    let shop = open(&app, "engines").await;
    let ids = app
        .ask(
            &shop,
            "{ customers { nodes { id } } products { nodes { id } } }",
        )
        .await;
    let (ada, engine) = (
        &ids["customers"]["nodes"][0]["id"],
        &ids["products"]["nodes"][0]["id"],
    );
    for (field, expected) in [
        (
            r#"orders(filter: { range: { between: { from: "2026-03-02", to: "2026-03-03" } } })"#
                .to_owned(),
            vec!["5", "4", "3", "2"],
        ),
        (
            r#"orders(filter: { financialStatus: ["VOIDED", "REFUNDED"] })"#.to_owned(),
            vec!["6"],
        ),
        ("orders(filter: { financialStatus: [] })".to_owned(), vec![]),
        (
            format!("orders(filter: {{ customerId: {ada} }})"),
            vec!["7", "5", "3", "1"],
        ),
        (
            format!("orders(filter: {{ productId: {engine} }})"),
            vec!["5", "4", "3"],
        ),
        (
            format!(
                "orders(filter: {{ productId: {engine}, customerId: {ada} }}, sort: TOTAL_DESC)"
            ),
            vec!["5", "3"],
        ),
        ("orders(filter: { cancelled: true })".to_owned(), vec!["6"]),
        (
            "orders(filter: { cancelled: false })".to_owned(),
            vec!["7", "5", "4", "3", "2", "1"],
        ),
        (
            r##"orders(filter: { search: "#3" })"##.to_owned(),
            vec!["3"],
        ),
        (
            r#"orders(filter: { search: "0%_O" })"#.to_owned(),
            vec!["4"],
        ),
        (r#"orders(filter: { search: "%" })"#.to_owned(), vec!["4"]),
        (
            r#"orders(filter: { search: " MARY@ " })"#.to_owned(),
            vec!["6", "2"],
        ),
        (
            r#"customers(filter: { search: "GRACE" })"#.to_owned(),
            vec!["3"],
        ),
        ("customers(filter: { minOrders: 3 })".to_owned(), vec!["1"]),
        (
            r#"customers(filter: { lastOrderBefore: "2026-03-05" })"#.to_owned(),
            vec!["2"],
        ),
        (
            r#"products(filter: { search: "engine" })"#.to_owned(),
            vec!["2", "3"],
        ),
        (
            r#"products(filter: { status: "DRAFT" })"#.to_owned(),
            vec![],
        ),
        (
            r#"products(filter: { vendor: "Babbage", search: "loom" })"#.to_owned(),
            vec!["1"],
        ),
        (
            r#"products(filter: { productType: "Toy" })"#.to_owned(),
            vec![],
        ),
    ] {
        let query = format!("{{ {field} {{ totalCount nodes {{ shopifyId }} }} }}");
        let mut answer = app.ask(&shop, &query).await;
        let list = answer
            .as_object_mut()
            .unwrap()
            .values_mut()
            .next()
            .unwrap()
            .take();
        let found: Vec<_> = list["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["shopifyId"].clone())
            .collect();
        assert_eq!(found, expected, "{field}");
        assert_eq!(list["totalCount"], json!(expected.len()), "{field}");
    }
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_cursor_fits_only_the_list_the_order_and_the_store_it_came_from() {
    let app = TestApp::start().await;
    let (ours, theirs) = (open(&app, "engines").await, open(&app, "looms").await);
    let cursor = |answer: &Value| {
        answer["orders"]["pageInfo"]["startCursor"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let query = format!("{{ orders {{ {PAGE_INFO} }} }}");
    let own = cursor(&app.ask(&ours, &query).await);
    let foreign = cursor(&app.ask(&theirs, &query).await);
    let after = |field: &str, cursor: &str, more: &str| {
        format!(r#"{{ {field}(after: "{cursor}" {more}) {{ totalCount }} }}"#)
    };
    assert_eq!(
        app.ask(&ours, &after("orders", &own, "")).await["orders"]["totalCount"],
        7
    );
    for query in [
        after("orders", &foreign, ""),
        after("orders", &own, "sort: TOTAL_DESC"),
        after("recentOrders", &own, ""),
        after("customers", &own, ""),
        after("syncRuns", &own, ""),
        after("orders", "bm9uc2Vuc2U", ""),
        after("orders", "", ""),
    ] {
        let refusal = app.refusal(&ours, &query).await;
        assert_eq!(
            refusal,
            (
                "`after` is not a cursor of this list in this sort order.".to_owned(),
                "BAD_USER_INPUT".to_owned()
            ),
            "{query}"
        );
    }
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn page_sizes_have_limits_and_one_direction() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    for (arguments, message) in [
        ("first: 0", "`first` must be between 1 and 100, not 0."),
        ("first: 101", "`first` must be between 1 and 100, not 101."),
        ("last: -1", "`last` must be between 1 and 100, not -1."),
        (
            "first: 1, last: 1",
            "Use either `first` or `last`, not both.",
        ),
    ] {
        let query = format!("{{ orders({arguments}) {{ totalCount }} }}");
        assert_eq!(
            app.refusal(&shop, &query).await,
            (message.to_owned(), "BAD_USER_INPUT".to_owned())
        );
    }
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn lists_below_an_object_go_on_from_their_own_cursors() {
    let app = TestApp::start().await;
    let shop = open(&app, "engines").await;
    let first = format!(
        "{{ customers {{ nodes {{ id orders(first: 2) {{ totalCount nodes {{ shopifyId }} {PAGE_INFO} }} }} }} }}"
    );
    let answer = app.ask(&shop, &first).await;
    let ada = &answer["customers"]["nodes"][0];
    assert_eq!(
        ada["orders"]["nodes"],
        json!([{ "shopifyId": "7" }, { "shopifyId": "5" }])
    );
    assert_eq!(ada["orders"]["totalCount"], 4);
    assert_eq!(ada["orders"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(ada["orders"]["pageInfo"]["hasPreviousPage"], false);
    assert_eq!(answer["customers"]["nodes"][2]["orders"]["totalCount"], 0);
    let page = |customer: &Value| {
        format!(
            "{{ node(id: {}) {{ ... on Customer {{ orders(first: 2, after: {}) {{ totalCount nodes {{ shopifyId }} {PAGE_INFO} }} }} }} }}",
            customer["id"], ada["orders"]["pageInfo"]["endCursor"]
        )
    };
    let second = app.ask(&shop, &page(ada)).await["node"]["orders"].take();
    assert_eq!(
        second["nodes"],
        json!([{ "shopifyId": "3" }, { "shopifyId": "1" }])
    );
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    assert_eq!(second["pageInfo"]["hasPreviousPage"], true);
    let mary = &answer["customers"]["nodes"][1];
    assert_eq!(app.refusal(&shop, &page(mary)).await.1, "BAD_USER_INPUT");
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_text_that_no_database_knows_is_the_clients_fault() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    for field in [
        r#"orders(filter: { search: "a\u0000" })"#,
        r#"orders(filter: { financialStatus: ["\u0000"] })"#,
        r#"customers(filter: { search: "\u0000" })"#,
        r#"products(filter: { status: "\u0000" })"#,
        r#"products(filter: { vendor: "\u0000" })"#,
        r#"products(filter: { productType: "\u0000" })"#,
    ] {
        let refusal = app
            .refusal(&shop, &format!("{{ {field} {{ totalCount }} }}"))
            .await;
        assert_eq!(refusal.1, "BAD_USER_INPUT", "{field}");
    }
    app.database.leaves_jobs(1);
}

//! Pages, cursors, single objects and refused documents.

use serde_json::{Value, json};
use shopify_simulator::{NewCustomer, NewLine, NewOrder, NewProduct, NewVariant};

use crate::client::{COUNTS, CUSTOMERS, NOW, ORDERS, PRODUCTS, SHOP, World};

/// An order of so many lines.
pub(crate) fn order_of(lines: usize) -> NewOrder {
    let line = |number: usize| NewLine {
        title: Some(format!("Lamp {number}")),
        price: Some("5".parse().unwrap()),
        ..NewLine::default()
    };
    NewOrder {
        lines: (0..lines).map(line).collect(),
        ..NewOrder::default()
    }
}

/// The ids of all pages of a list.
async fn all_pages(
    world: &World,
    file: &str,
    operation: &str,
    root: &str,
    first: u32,
) -> Vec<Value> {
    let mut after = Value::Null;
    let mut ids = Vec::new();
    loop {
        let variables = json!({ "first": first, "after": after });
        let answer = world.ask_file(file, operation, variables).await;
        let page = &answer["data"][root];
        ids.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["id"].clone()),
        );
        if page["pageInfo"]["hasNextPage"] == false {
            return ids;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn pages_hold_every_row_once_although_many_changed_at_the_same_instant() {
    let world = World::start().await;
    for _ in 0..7 {
        world.shop.place_order(&order_of(1)).unwrap();
        world.shop.create_customer(&NewCustomer::default());
        world.shop.create_product(&NewProduct::default());
    }
    for (file, operation, root) in [
        (ORDERS, "OrderIds", "orders"),
        (CUSTOMERS, "CustomerIds", "customers"),
        (PRODUCTS, "ProductIds", "products"),
    ] {
        let mut ids = all_pages(&world, file, operation, root, 3).await;
        assert_eq!(ids.len(), 7);
        ids.dedup();
        assert_eq!(ids.len(), 7);
    }
}

#[tokio::test]
async fn the_shop_says_who_it_is_and_what_it_holds() {
    let world = World::start().await;
    let answer = world.ask_file(SHOP, "ShopRecord", json!({})).await;
    let shop = &answer["data"]["shop"];
    assert_eq!(shop["myshopifyDomain"], "kolkata.myshopify.com");
    assert_eq!(shop["ianaTimezone"], "Asia/Kolkata");
    assert_eq!(shop["currencyCode"], "INR");
    let scopes = &answer["data"]["currentAppInstallation"]["accessScopes"];
    assert_eq!(scopes[0]["handle"], "read_all_orders");
    world.shop.place_order(&order_of(1)).unwrap();
    let counts = world.ask_file(COUNTS, "StoreCounts", json!({})).await;
    assert_eq!(
        counts["data"]["ordersCount"],
        json!({ "count": 1, "precision": "EXACT" })
    );
    assert_eq!(counts["extensions"]["cost"]["actualQueryCost"], 30);
}

#[tokio::test]
async fn cursors_reverse_and_last_walk_the_list_both_ways() {
    let world = World::start().await;
    for _ in 0..3 {
        world.shop.place_order(&order_of(1)).unwrap();
    }
    let query =
        "query($first: Int, $last: Int, $after: String, $before: String, $reverse: Boolean) {
        orders(first: $first, last: $last, after: $after, before: $before, reverse: $reverse,
               sortKey: ID) {
            edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage }
        }
    }";
    let names = |answer: &Value| -> Vec<String> {
        let edges = answer["data"]["orders"]["edges"].as_array().unwrap().iter();
        edges
            .map(|edge| edge["node"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let forward = world.ask(query, json!({ "first": 2 })).await;
    assert_eq!(names(&forward), ["#1001", "#1002"]);
    assert_eq!(
        forward["data"]["orders"]["pageInfo"],
        json!({ "hasNextPage": true, "hasPreviousPage": false })
    );
    let cursor = &forward["data"]["orders"]["edges"][0]["cursor"];
    let rest = world
        .ask(query, json!({ "first": 5, "after": cursor }))
        .await;
    assert_eq!(names(&rest), ["#1002", "#1003"]);
    let back = world
        .ask(query, json!({ "first": 2, "reverse": true }))
        .await;
    assert_eq!(names(&back), ["#1003", "#1002"]);
    let last = world.ask(query, json!({ "last": 2 })).await;
    assert_eq!(names(&last), ["#1002", "#1003"]);
    let foreign = world
        .ask(query, json!({ "first": 2, "after": "bm9uc2Vuc2U=" }))
        .await;
    assert_eq!(
        foreign["errors"][0]["message"],
        "Invalid cursor for current pagination sort."
    );
}

#[tokio::test]
async fn long_orders_are_read_in_pages_of_their_own() {
    let world = World::start().await;
    let placed = world.shop.place_order(&order_of(70)).unwrap();
    let gid = format!("gid://shopify/Order/{}", placed.id);
    let variables = json!({ "id": gid, "first": 50 });
    let first = world.ask_file(ORDERS, "OrderLineItems", variables).await;
    let page = &first["data"]["order"]["lineItems"];
    assert_eq!(page["nodes"].as_array().unwrap().len(), 50);
    assert_eq!(page["pageInfo"]["hasNextPage"], true);
    let after = &page["pageInfo"]["endCursor"];
    let variables = json!({ "id": gid, "first": 50, "after": after });
    let second = world.ask_file(ORDERS, "OrderLineItems", variables).await;
    assert_eq!(
        second["data"]["order"]["lineItems"]["nodes"]
            .as_array()
            .unwrap()
            .len(),
        20
    );
    let variables = json!({ "id": gid, "agreementAfter": null, "first": 250 });
    let sales = world.ask_file(ORDERS, "AgreementSales", variables).await;
    let nodes = &sales["data"]["order"]["agreements"]["nodes"][0]["sales"]["nodes"];
    assert_eq!(nodes.as_array().unwrap().len(), 70);
}

#[tokio::test]
async fn products_come_with_their_variants() {
    let world = World::start().await;
    let product = world.shop.create_product(&NewProduct {
        title: "Quote \" and \\ and\nline".to_owned(),
        variants: vec![
            NewVariant {
                price: "10".parse().unwrap(),
                ..NewVariant::default()
            },
            NewVariant {
                sku: Some("B".to_owned()),
                ..NewVariant::default()
            },
        ],
        ..NewProduct::default()
    });
    let ids = [format!("gid://shopify/Product/{}", product.id)];
    let variables = json!({ "ids": ids, "variants": 1 });
    let answer = world.ask_file(PRODUCTS, "ProductsById", variables).await;
    let node = &answer["data"]["nodes"][0];
    assert_eq!(node["title"], "Quote \" and \\ and\nline");
    assert_eq!(node["variants"]["nodes"][0]["price"], "10.00");
    assert_eq!(node["variants"]["nodes"][0]["position"], 1);
    assert_eq!(node["variants"]["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn missing_nodes_are_null_and_keep_their_place() {
    let world = World::start().await;
    let placed = world.shop.place_order(&order_of(1)).unwrap();
    let found = format!("gid://shopify/Order/{}", placed.id);
    let ids = json!({ "ids": ["gid://shopify/Order/1", found, "gid://shopify/Metafield/3"] });
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let answer = world.ask(query, ids).await;
    let order = json!({ "__typename": "Order", "id": found });
    assert_eq!(answer["data"], json!({ "nodes": [null, order, null] }));
    let many: Vec<_> = (0..251)
        .map(|id| format!("gid://shopify/Order/{id}"))
        .collect();
    let answer = world.ask(query, json!({ "ids": many })).await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        "MAX_INPUT_SIZE_EXCEEDED"
    );
    let answer = world.ask(query, json!({ "ids": ["order 5"] })).await;
    let error = &answer["errors"][0];
    assert_eq!(
        error["message"],
        "Variable $ids of type [ID!]! was provided invalid value"
    );
    assert_eq!(error["extensions"]["code"], "INVALID_VARIABLE");
    assert_eq!(answer.get("data"), None);
}

#[tokio::test]
async fn documents_that_do_not_fit_are_refused_as_shopify_refuses_them() {
    let world = World::start().await;
    let code = |answer: &Value| answer["errors"][0]["extensions"]["code"].clone();
    let answer = world
        .ask("query Wrong { shop { colour } }", json!({}))
        .await;
    assert_eq!(code(&answer), "undefinedField");
    assert_eq!(
        answer["errors"][0]["message"],
        "Field 'colour' doesn't exist on type 'Shop'"
    );
    assert_eq!(
        answer["errors"][0]["path"],
        json!(["query Wrong", "colour"])
    );
    assert_eq!(answer.get("data"), None);
    let answer = world.ask("query Bare { order { id } }", json!({})).await;
    assert_eq!(code(&answer), "missingRequiredArguments");
    let message = "Field 'order' is missing required arguments: id";
    assert_eq!(answer["errors"][0]["message"], message);
    let answer = world.ask("{ orders { nodes { id } } }", json!({})).await;
    assert_eq!(code(&answer), "BAD_REQUEST");
    assert_eq!(
        answer["errors"][0]["message"],
        "you must provide one of first or last"
    );
    assert_eq!(answer["data"], Value::Null);
    assert_eq!(answer["extensions"]["cost"]["requestedQueryCost"], 2);
    for query in [
        "{ orders(first: 251) { nodes { id } } }",
        "{ orders(first: 1, last: 1) { nodes { id } } }",
    ] {
        assert_eq!(
            code(&world.ask(query, json!({})).await),
            "BAD_REQUEST",
            "{query}"
        );
    }
    let answer = world.ask("{ orders(first: 1) {", json!({})).await;
    assert!(answer["errors"][0]["message"].is_string());
}

#[tokio::test]
async fn aliases_fragments_and_conditions_are_followed() {
    let world = World::start().await;
    let query = "query($no: Boolean!) {
        a: shop { ...F @include(if: true) currencyCode @skip(if: true) }
        b: shop { ... on Shop @include(if: $no) { name } __typename } }
        fragment F on Shop { called: name ... on Node { id } }";
    let answer = world.ask(query, json!({ "no": false })).await;
    let id = answer["data"]["a"]["id"].clone();
    assert_eq!(
        answer["data"],
        json!({ "a": { "called": "kolkata", "id": id }, "b": { "__typename": "Shop" } })
    );
    assert!(NOW.ends_with('Z'));
}

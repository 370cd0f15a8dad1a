//! Tokens, scopes, protected data, and what an app does not see.

use std::time::Duration;

use serde_json::{Value, json};
use shopify_simulator::{AccessChange, LiteralOrder, NewCustomer, NewOrder};

use crate::client::{CUSTOMERS, World};
use crate::paging::order_of;

async fn token(world: &World, secret: &str) -> (u16, Value) {
    let base = world.simulator.base_url();
    let url = format!("{base}/shops/kolkata/admin/oauth/access_token");
    let body = json!({ "client_id": "client-kolkata", "client_secret": secret,
        "grant_type": "client_credentials" });
    let response = world.http.post(url).json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn client_credentials_give_a_token_for_a_day() {
    let mut world = World::start().await;
    assert_eq!(token(&world, "wrong").await.0, 400);
    let (status, grant) = token(&world, "shpss_kolkata").await;
    assert_eq!(status, 200);
    assert_eq!(grant["expires_in"], 86_399);
    assert_eq!(
        grant["scope"],
        "read_all_orders,read_customer_merge,read_customers,read_orders,read_products"
    );
    grant["access_token"]
        .as_str()
        .unwrap()
        .clone_into(&mut world.token);
    assert_eq!(world.send("{ shop { id } }", json!({})).await.status(), 200);
    world.shop.advance(Duration::from_hours(24));
    let refused = world.send("{ shop { id } }", json!({})).await;
    assert_eq!(refused.status(), 401);
    let body: Value = refused.json().await.unwrap();
    assert!(
        body["errors"]
            .as_str()
            .unwrap()
            .starts_with("[API] Invalid API key")
    );
    let form =
        "grant_type=client_credentials&client_id=client-kolkata&client_secret=shpss%5Fkolkata";
    let url = format!(
        "{}/shops/kolkata/admin/oauth/access_token",
        world.simulator.base_url()
    );
    let request = world
        .http
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(request.body(form).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn tokens_can_be_revoked_and_scopeless() {
    let world = World::start().await;
    let change = AccessChange {
        empty_scopes: Some(true),
        ..AccessChange::default()
    };
    world.shop.change_access(change);
    assert_eq!(token(&world, "shpss_kolkata").await.1["scope"], "");
    let change = AccessChange {
        revoke_tokens: true,
        ..AccessChange::default()
    };
    world.shop.change_access(change);
    assert_eq!(world.send("{ shop { id } }", json!({})).await.status(), 401);
    assert_eq!(world.shop.statistics().unauthorized, 1);
}

#[tokio::test]
async fn a_missing_scope_denies_its_fields_and_no_others() {
    let world = World::start().await;
    let customer = world.shop.create_customer(&NewCustomer::default()).id;
    let order = NewOrder {
        customer: Some(customer),
        ..order_of(1)
    };
    world.shop.place_order(&order).unwrap();
    world.shop.set_scopes(&["read_orders"]);
    let query = "{ shop { name } customersCount { count }
        orders(first: 1) { nodes { name customer { id } } } }";
    let answer = world.ask(query, json!({})).await;
    assert_eq!(
        answer["data"],
        json!({
            "shop": { "name": "kolkata" },
            "customersCount": null,
            "orders": { "nodes": [{ "name": "#1001", "customer": null }] },
        })
    );
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0]["extensions"]["code"], "ACCESS_DENIED");
    assert_eq!(
        errors[0]["message"],
        "Access denied for customersCount field. Required access: `read_customers` access scope."
    );
    assert_eq!(errors[1]["path"], json!(["orders", "nodes", 0, "customer"]));
}

#[tokio::test]
async fn protected_data_is_refused_field_by_field() {
    let world = World::start().await;
    let customer = world.shop.create_customer(&NewCustomer {
        email: Some("a@example.com".to_owned()),
        ..NewCustomer::default()
    });
    let ids = [format!("gid://shopify/Customer/{}", customer.id)];
    let refused = AccessChange {
        personal_data_refused: Some(true),
        ..AccessChange::default()
    };
    world.shop.change_access(refused);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id
        defaultEmailAddress { emailAddress } } } }";
    let answer = world.ask(query, json!({ "ids": ids })).await;
    let node = json!({ "id": ids[0], "defaultEmailAddress": null });
    assert_eq!(answer["data"]["nodes"], json!([node]));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
    // A name may not be null: the customer is.
    let answer = world
        .ask_file(CUSTOMERS, "CustomersById", json!({ "ids": ids }))
        .await;
    assert_eq!(answer["data"]["nodes"], json!([null]));
    // No rows, no refusal.
    let answer = world
        .ask_file(CUSTOMERS, "CustomersById", json!({ "ids": [] }))
        .await;
    assert_eq!(answer.get("errors"), None);
}

#[tokio::test]
async fn without_read_all_orders_old_orders_are_silently_missing() {
    let world = World::start().await;
    for at in ["2025-12-30T00:00:00Z", "2026-02-01T00:00:00Z"] {
        let order = LiteralOrder {
            processed_at: Some(at.parse().unwrap()),
            ..Default::default()
        };
        world.shop.put_order(&order).unwrap();
    }
    let query = "{ orders(first: 9) { nodes { name } } ordersCount { count } }";
    world.shop.set_scopes(&["read_orders"]);
    let answer = world.ask(query, json!({})).await;
    assert_eq!(
        answer["data"],
        json!({ "orders": { "nodes": [{ "name": "#1002" }] }, "ordersCount": { "count": 1 } })
    );
    assert_eq!(answer.get("errors"), None);
    world.shop.set_scopes(&["read_orders", "read_all_orders"]);
    assert_eq!(
        world.ask(query, json!({})).await["data"]["ordersCount"]["count"],
        2
    );
}

#[tokio::test]
async fn unknown_shops_old_versions_and_closed_shops_answer_as_shopify_does() {
    let world = World::start().await;
    let base = world.simulator.base_url();
    let send = async |path: &str| {
        let request = world.http.post(format!("{base}{path}"));
        let request = request.header("X-Shopify-Access-Token", &world.token);
        request
            .json(&json!({ "query": "{ shop { id } }" }))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(
        send("/shops/nobody/admin/api/2026-10/graphql.json")
            .await
            .status(),
        404
    );
    let old = send("/shops/kolkata/admin/api/2024-01/graphql.json").await;
    assert_eq!(old.status(), 200);
    assert_eq!(old.headers()["x-shopify-api-version"], "2026-01");
    let new = send("/shops/kolkata/admin/api/2026-10/graphql.json").await;
    assert_eq!(new.headers()["x-shopify-api-version"], "2026-10");
    for status in [402, 403, 423, 430] {
        world.shop.set_closed(Some(status));
        let answer = send("/shops/kolkata/admin/api/2026-10/graphql.json").await;
        assert_eq!(answer.status().as_u16(), status);
        assert!(answer.json::<Value>().await.unwrap()["errors"].is_string());
    }
    world.shop.set_closed(None);
    assert_eq!(
        send("/shops/kolkata/admin/api/2026-10/graphql.json")
            .await
            .status(),
        200
    );
}

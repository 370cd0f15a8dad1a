//! Things by their id: one's own, and nothing else.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use xboard::domain::sync::ObjectKind;

use crate::support::{Entry, Shop, TestApp, customer, product};

const IDS: &str = "{ me { id tenant { id } } syncRuns { nodes { id } } orders { nodes { id } }
    customers { nodes { id } } products { nodes { id } } }";

async fn open(app: &TestApp, label: &str) -> Shop {
    let shop = app.open_shop(label, "EUR", "Europe/Berlin").await;
    let entry = Entry::placed(1, "2026-03-02T10:00:00Z", Some(1)).line(1, 1, "10.00", "0", "0");
    let others = [customer(1, "Ada"), product(1, "Engine")];
    app.database
        .write_books(shop.tenant, &others, &[entry])
        .await;
    shop
}

async fn ids(app: &TestApp, shop: &Shop) -> Vec<String> {
    let answer = app.ask(shop, IDS).await;
    [
        "/me/id",
        "/me/tenant/id",
        "/syncRuns/nodes/0/id",
        "/orders/nodes/0/id",
        "/customers/nodes/0/id",
        "/products/nodes/0/id",
    ]
    .map(|path| answer.pointer(path).unwrap().as_str().unwrap().to_owned())
    .to_vec()
}

async fn nodes(app: &TestApp, shop: &Shop, ids: &[String]) -> Value {
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    app.field(query, json!({ "ids": ids }), Some(&shop.token))
        .await
}

#[tokio::test]
async fn every_node_is_found_by_its_own_id() {
    let app = TestApp::start().await;
    let shop = open(&app, "engines").await;
    let ids = ids(&app, &shop).await;
    let kinds = ["User", "Tenant", "SyncRun", "Order", "Customer", "Product"];
    let expected: Vec<_> = kinds
        .iter()
        .zip(&ids)
        .map(|(kind, id)| json!({ "__typename": kind, "id": id }))
        .collect();
    assert_eq!(nodes(&app, &shop, &ids).await, json!(expected));
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_foreign_a_missing_and_a_malformed_id_give_the_same_answer() {
    let app = TestApp::start().await;
    let (ours, theirs) = (open(&app, "engines").await, open(&app, "looms").await);
    let mut strange = ids(&app, &theirs).await;
    let order = strange[3].clone();
    strange.extend(["", "ord_", "ord_AAAA", "x", "gid://shopify/Order/1"].map(str::to_owned));
    strange.push(order.replace("ord_", "cus_"));
    let nothing = vec![Value::Null; strange.len()];
    assert_eq!(nodes(&app, &ours, &strange).await, json!(nothing));
    let query = "query ($id: ID!) { node(id: $id) { id } }";
    for id in &strange {
        let body = app
            .graphql(query, json!({ "id": id }), Some(&ours.token))
            .await;
        assert_eq!(body, json!({ "data": { "node": null } }), "{id}");
    }
    let filtered =
        "query ($id: ID!) { orders(filter: { customerId: $id }) { totalCount nodes { id } } }";
    for id in &strange {
        let found = app
            .field(filtered, json!({ "id": id }), Some(&ours.token))
            .await;
        assert_eq!(found, json!({ "totalCount": 0, "nodes": [] }), "{id}");
    }
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn a_deleted_order_is_gone_and_a_deleted_customer_stays_with_their_orders() {
    let app = TestApp::start().await;
    let shop = open(&app, "engines").await;
    let before = ids(&app, &shop).await;
    app.database
        .delete(shop.tenant, ObjectKind::Customers, &[1])
        .await;
    let query = "{ customers { totalCount } orders { nodes { customer { displayName } } } }";
    assert_eq!(
        app.ask(&shop, query).await,
        json!({ "customers": { "totalCount": 0 }, "orders": { "nodes": [{ "customer": { "displayName": "Ada" } }] } })
    );
    app.database
        .delete(shop.tenant, ObjectKind::Orders, &[1])
        .await;
    assert_eq!(nodes(&app, &shop, &before[3..4]).await, json!([null]));
    assert_eq!(
        app.ask(&shop, "{ orders { totalCount } }").await,
        json!({ "orders": { "totalCount": 0 } })
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn at_most_a_hundred_ids_are_asked_for_at_once() {
    let app = TestApp::start().await;
    let shop = app.open_shop("engines", "EUR", "Europe/Berlin").await;
    let ids = r#""x","#.repeat(101);
    let refusal = app
        .refusal(&shop, &format!("{{ nodes(ids: [{ids}]) {{ id }} }}"))
        .await;
    assert_eq!(refusal.0, "`ids` may have at most 100 ids.");
    app.database.leaves_jobs(1);
}

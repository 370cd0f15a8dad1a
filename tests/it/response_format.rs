//! The response format of the GraphQL specification: the order of fields, and the propagation of nulls.

use serde_json::{Value, json};
use shopify_simulator::ShopSettings;

use crate::support::{Simulated, TestApp};

async fn text(app: &TestApp, query: &str, token: Option<&str>) -> String {
    let mut request = app.post().json(&json!({ "query": query }));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let text = request.send().await.unwrap().text().await.unwrap();
    // Other tests check the cost at the end.
    match text.split_once(",\"extensions\":{\"cost\"") {
        Some((data, _)) => format!("{data}}}"),
        None => text,
    }
}

#[tokio::test]
async fn fields_are_in_the_order_of_the_selection_set() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("order")).await;
    world.sync(&store).await;
    let query = "query { \
        products { totalCount nodes { title id } pageInfo { hasPreviousPage hasNextPage } } \
        __typename \
        late: orders { pageInfo { endCursor } ...Rest } \
        me { tenant { shop { timeZone name } } email } \
        early: overview { totalCustomers metrics { orders customers unitsSold } } } \
        fragment Rest on OrderConnection { nodes { name } totalCount pageInfo { startCursor } }";
    for _ in 0..5 {
        assert_eq!(
            text(&world.app, query, Some(&store.token)).await,
            "{\"data\":{\
             \"products\":{\"totalCount\":0,\"nodes\":[],\"pageInfo\":{\"hasPreviousPage\":false,\"hasNextPage\":false}},\
             \"__typename\":\"Query\",\
             \"late\":{\"pageInfo\":{\"endCursor\":null,\"startCursor\":null},\"nodes\":[],\"totalCount\":0},\
             \"me\":{\"tenant\":{\"shop\":{\"timeZone\":\"Europe/London\",\"name\":\"order\"}},\"email\":\"owner@order.example\"},\
             \"early\":{\"totalCustomers\":0,\"metrics\":{\"orders\":0,\"customers\":0,\"unitsSold\":0}}}}"
        );
    }
}

#[tokio::test]
async fn a_failed_non_null_field_makes_the_data_null() {
    let app = TestApp::start().await;
    let body = app
        .graphql(
            "{ me { email } overview { totalCustomers } }",
            json!({}),
            None,
        )
        .await;
    assert_eq!(body["data"], Value::Null);
    assert_eq!(body["errors"][0]["path"], json!(["overview"]));
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_failed_nullable_field_is_null_beside_the_others() {
    let app = TestApp::start().await;
    let body = app
        .graphql(
            "{ me { email } node(id: \"x\") { id } __typename }",
            json!({}),
            None,
        )
        .await;
    assert_eq!(
        body["data"],
        json!({ "me": null, "node": null, "__typename": "Query" })
    );
    assert_eq!(body["errors"][0]["path"], json!(["node"]));
}

#[tokio::test]
async fn values_of_interfaces_have_no_hidden_typename() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("interface")).await;
    world.sync(&store).await;
    let me = world
        .app
        .field("{ me { tenant { id } } }", json!({}), Some(&store.token))
        .await;
    let id = me["tenant"]["id"].as_str().unwrap();
    let query = format!(
        "{{ node(id: \"{id}\") {{ ... on Order {{ name }} ... on Tenant {{ shop {{ name domain }} }} id }} nodes(ids: [\"{id}\", \"x\"]) {{ id }} }}"
    );
    assert_eq!(
        text(&world.app, &query, Some(&store.token)).await,
        format!(
            "{{\"data\":{{\"node\":{{\"shop\":{{\"name\":\"interface\",\"domain\":\"interface.myshopify.com\"}},\"id\":\"{id}\"}},\
             \"nodes\":[{{\"id\":\"{id}\"}},null]}}}}"
        )
    );
}

#[tokio::test]
async fn introspection_fields_are_in_the_order_of_the_selection_set() {
    let app = TestApp::start().await;
    let answer = text(
        &app,
        "{ __type(name: \"Money\") { kind name fields { type { kind } name } } }",
        None,
    )
    .await;
    assert_eq!(
        answer,
        "{\"data\":{\"__type\":{\"kind\":\"OBJECT\",\"name\":\"Money\",\"fields\":[\
         {\"type\":{\"kind\":\"NON_NULL\"},\"name\":\"amount\"},{\"type\":{\"kind\":\"NON_NULL\"},\"name\":\"currencyCode\"}]}}}"
    );
}

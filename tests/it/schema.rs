//! The schema as clients see it: written down, described throughout, and limited.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use xboard::graphql;

use crate::support::TestApp;

#[test]
fn the_schema_file_is_what_is_served() {
    let written = include_str!("../../schema.graphql");
    assert!(
        written == graphql::sdl(),
        "schema.graphql is out of date: run `cargo run -- schema > schema.graphql`"
    );
}

const INTROSPECTION: &str = "{ __schema { types { name kind description
    fields(includeDeprecated: true) { name description args { name description } }
    inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";

fn undescribed(path: &str, items: &Value, missing: &mut Vec<String>) {
    for item in items.as_array().into_iter().flatten() {
        let path = format!("{path}.{}", item["name"].as_str().unwrap());
        if item["description"].as_str().unwrap_or_default().is_empty() {
            missing.push(path.clone());
        }
        undescribed(&path, &item["args"], missing);
    }
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let app = TestApp::start().await;
    let schema = app.field(INTROSPECTION, json!({}), None).await;
    let mut missing = Vec::new();
    for of_type in schema["types"].as_array().unwrap() {
        let name = of_type["name"].as_str().unwrap();
        if name.starts_with("__") || name == "ID" {
            continue;
        }
        if of_type["description"]
            .as_str()
            .unwrap_or_default()
            .is_empty()
        {
            missing.push(name.to_owned());
        }
        for part in ["fields", "inputFields", "enumValues"] {
            undescribed(name, &of_type[part], &mut missing);
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test]
async fn an_operation_that_asks_for_too_much_is_refused() {
    let app = TestApp::start().await;
    for query in [
        "{ orders(first: 100) { nodes { lineItems(first: 100) { nodes { id title } } } } }"
            .to_owned(),
        format!(
            "{{ {} }}",
            (0..120).fold(String::new(), |text, n| text
                + &format!("a{n}: ordersByDate {{ date }} "))
        ),
        format!(
            "{{ orders {{ nodes {} id {} }} }}",
            "{ customer { orders { nodes ".repeat(5),
            "} } }".repeat(5)
        ),
    ] {
        let (_, body) = app.try_graphql(&query, json!({}), None).await;
        assert_eq!(
            body.get("data").unwrap_or(&Value::Null),
            &Value::Null,
            "{query}"
        );
        assert_eq!(
            body["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED",
            "{body}"
        );
    }
}

//! Lines of a bulk result give the same records as the queries do.

use serde_json::{Value, json};

use super::super::jsonl::{Line, read_line};
use super::objects::{agreement, customer, line, order, product, sale, variant, with};
use crate::domain::record::Record;

fn read(object: &Value) -> Line {
    read_line(object.to_string().as_bytes()).unwrap()
}

fn child(object: Value, parent: &str) -> Value {
    with(
        object,
        &json!({ "__parentId": format!("gid://shopify/{parent}") }),
    )
}

fn without_typename(mut object: Value) -> Value {
    object.as_object_mut().unwrap().remove("__typename");
    object
}

fn objects() -> Vec<Value> {
    vec![
        customer(1),
        product(1),
        child(variant(1), "Product/1"),
        order(9, "2026-01-05T00:00:00Z"),
        child(line(1), "Order/9"),
        child(agreement(1), "Order/9"),
        child(sale(1), "OrderAgreement/1"),
    ]
}

#[test]
fn every_kind_is_read_with_its_typename_and_without() {
    for object in objects() {
        let told = read(&object);
        let root = object.get("__parentId").is_none();
        assert_eq!(told.root, root, "{object}");
        assert!(told.record.is_some(), "{object}");
        assert_eq!(read(&without_typename(object.clone())), told, "{object}");
        // The same with the typename in front, as the queries ask for it.
        let rest = without_typename(object.clone()).to_string();
        let front = format!(r#"{{"__typename":{},{}"#, object["__typename"], &rest[1..]);
        assert_eq!(read_line(front.as_bytes()).unwrap(), told, "{object}");
    }
}

#[test]
fn a_sale_and_its_agreement_keep_their_gids_and_parents() {
    let Some(Record::Sale(sale)) = read(&objects()[6]).record else {
        panic!()
    };
    assert_eq!(sale.agreement_gid, "gid://shopify/OrderAgreement/1");
    assert_eq!(sale.gid, "gid://shopify/Sale/1");
    assert_eq!(
        (
            sale.total.to_string(),
            sale.tax.to_string(),
            sale.discount.to_string()
        ),
        ("20.5".to_owned(), "1.5".to_owned(), "2.0".to_owned())
    );
    assert_eq!(sale.currency.code(), "USD");
}

#[test]
fn text_with_escapes_is_read_and_a_hidden_name_is_empty() {
    let escaped = with(
        customer(1),
        &json!({ "displayName": "Zoë \"Z\" \u{1f375}", "defaultEmailAddress": null }),
    );
    let Some(Record::Customer(zoe)) = read(&escaped).record else {
        panic!()
    };
    assert_eq!(zoe.display_name, "Zoë \"Z\" \u{1f375}");
    let hidden = with(customer(1), &json!({ "displayName": null }));
    let Some(Record::Customer(hidden)) = read(&hidden).record else {
        panic!()
    };
    assert_eq!(hidden.display_name, "");
}

#[test]
fn an_unknown_kind_is_no_record_and_still_counts() {
    let unknown = json!({ "__typename": "Fulfillment", "id": "gid://shopify/Fulfillment/1" });
    assert_eq!(
        read(&unknown),
        Line {
            root: true,
            record: None
        }
    );
    let nested =
        json!({ "id": "gid://shopify/Fulfillment/1", "__parentId": "gid://shopify/Order/9" });
    assert_eq!(
        read(&nested),
        Line {
            root: false,
            record: None
        }
    );
}

#[test]
fn what_is_wrong_is_said_without_what_the_line_holds() {
    let orphan = line(1);
    let half = with(child(line(1), "Order/9"), &json!({ "quantity": "private" }));
    let elsewhere = child(line(1), "Customer/9");
    for wrong in [
        orphan.to_string(),
        half.to_string(),
        elsewhere.to_string(),
        "{\"id\":\"private".to_owned(),
        "[]".to_owned(),
    ] {
        let reason = read_line(wrong.as_bytes()).unwrap_err();
        assert!(
            !reason.contains("private") && !reason.contains("Customer"),
            "{reason}"
        );
    }
}

//! The control API's business operations: what merchants and customers do.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{answer, export};
use crate::business::{
    BusinessError, CustomerChange, EditLine, LiteralOrder, NewCustomer, NewOrder, NewProduct,
    OrderChange, ProductChange, RefundRequest,
};
use crate::shop::Shop;
use crate::simulator::Shops;

type World = State<Arc<Shops>>;
type OfShop = Path<String>;
type OfThing = Path<(String, u64)>;

pub(crate) fn router() -> Router<Arc<Shops>> {
    Router::new()
        .route("/control/shops/{shop}/orders", post(place))
        .route("/control/shops/{shop}/orders/literal", post(literal))
        .route("/control/shops/{shop}/orders/{id}", get(order).post(change))
        .route("/control/shops/{shop}/orders/{id}/edit", post(edit))
        .route("/control/shops/{shop}/orders/{id}/refund", post(refund))
        .route("/control/shops/{shop}/orders/{id}/cancel", post(cancel))
        .route("/control/shops/{shop}/orders/{id}/delete", post(delete))
        .route("/control/shops/{shop}/customers", post(create_customer))
        .route(
            "/control/shops/{shop}/customers/{id}",
            post(update_customer),
        )
        .route(
            "/control/shops/{shop}/customers/{id}/delete",
            post(delete_customer),
        )
        .route("/control/shops/{shop}/products", post(create_product))
        .route("/control/shops/{shop}/products/{id}", post(update_product))
        .route(
            "/control/shops/{shop}/products/{id}/delete",
            post(delete_product),
        )
}

/// Does something with a shop and shows what came of it.
pub(crate) fn with_shop(
    shops: &Shops,
    label: &str,
    run: impl FnOnce(&Shop) -> Result<Value, BusinessError>,
) -> Response {
    let Some(shop) = shops.get(label) else {
        return answer(
            StatusCode::NOT_FOUND,
            &json!({ "error": "there is no such shop" }),
        );
    };
    match run(&shop) {
        Ok(value) => answer(StatusCode::OK, &value),
        Err(error) => answer(
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!({ "error": error.to_string() }),
        ),
    }
}

async fn place(State(shops): World, Path(label): OfShop, Json(new): Json<NewOrder>) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.place_order(&new).map(|order| export::order(&order))
    })
}

async fn literal(
    State(shops): World,
    Path(label): OfShop,
    Json(given): Json<LiteralOrder>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.put_order(&given).map(|order| export::order(&order))
    })
}

async fn order(State(shops): World, Path((label, id)): OfThing) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.order(id)
            .map(|order| export::order(&order))
            .ok_or(BusinessError::NoSuchOrder(id))
    })
}

async fn change(
    State(shops): World,
    Path((label, id)): OfThing,
    Json(change): Json<OrderChange>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.change_order(id, &change)
            .map(|order| export::order(&order))
    })
}

async fn edit(
    State(shops): World,
    Path((label, id)): OfThing,
    Json(lines): Json<Vec<EditLine>>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.edit_order(id, &lines)
            .map(|order| export::order(&order))
    })
}

async fn refund(
    State(shops): World,
    Path((label, id)): OfThing,
    Json(request): Json<RefundRequest>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.refund_order(id, &request)
            .map(|order| export::order(&order))
    })
}

async fn cancel(State(shops): World, Path((label, id)): OfThing) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.cancel_order(id).map(|order| export::order(&order))
    })
}

async fn delete(State(shops): World, Path((label, id)): OfThing) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.delete_order(id).map(|()| json!({ "id": id }))
    })
}

async fn create_customer(
    State(shops): World,
    Path(label): OfShop,
    Json(new): Json<NewCustomer>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        Ok(export::customer(&shop.create_customer(&new)))
    })
}

async fn update_customer(
    State(shops): World,
    Path((label, id)): OfThing,
    Json(change): Json<CustomerChange>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.update_customer(id, &change)
            .map(|customer| export::customer(&customer))
    })
}

async fn delete_customer(State(shops): World, Path((label, id)): OfThing) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.delete_customer(id).map(|()| json!({ "id": id }))
    })
}

async fn create_product(
    State(shops): World,
    Path(label): OfShop,
    Json(new): Json<NewProduct>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        Ok(export::product(&shop.create_product(&new)))
    })
}

async fn update_product(
    State(shops): World,
    Path((label, id)): OfThing,
    Json(change): Json<ProductChange>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.update_product(id, &change)
            .map(|product| export::product(&product))
    })
}

async fn delete_product(State(shops): World, Path((label, id)): OfThing) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.delete_product(id).map(|()| json!({ "id": id }))
    })
}

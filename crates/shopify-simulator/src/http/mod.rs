//! The server: Shopify's addresses, the bulk files, and the simulator's own control API.

mod admin;
mod caller;
mod control;
mod export;
mod files;
mod oauth;
mod orders;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::simulator::Shops;
use wire::{Cut, CuttingListener};

/// Serves until the shutdown signal.
pub(crate) async fn serve(listener: TcpListener, shops: Arc<Shops>, stop: CancellationToken) {
    let service = router(shops).into_make_service_with_connect_info::<Cut>();
    let served = axum::serve(CuttingListener(listener), service)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the server ended");
    }
}

fn router(shops: Arc<Shops>) -> Router {
    Router::new()
        .route(
            "/shops/{shop}/admin/api/{version}/graphql.json",
            post(admin::graphql),
        )
        .route(
            "/shops/{shop}/admin/oauth/access_token",
            post(oauth::access_token),
        )
        .route("/shops/{shop}/admin/oauth/authorize", get(oauth::authorize))
        .route("/bulk/{shop}/{id}", get(files::download))
        .merge(control::router())
        .merge(orders::router())
        .route("/control/shops/{shop}/export", get(export::export))
        .fallback(|| async { answer(StatusCode::NOT_FOUND, &json!({ "errors": "Not Found" })) })
        .with_state(shops)
}

/// A JSON answer.
pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    with_type(status, body.to_string(), "application/json; charset=utf-8")
}

/// An answer of a content type.
pub(crate) fn with_type(
    status: StatusCode,
    body: impl Into<Body>,
    content_type: &'static str,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

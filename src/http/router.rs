//! The routes.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::{
    HttpState, dashboard, graphiql, graphql, health, middleware, oauth, webhooks, websocket,
};

/// All routes. Serve them with the addresses of clients: see [`serve`](super::serve).
pub fn router(state: HttpState) -> Router {
    let mut routes = Router::new()
        .route("/assets/{file}", get(dashboard::asset))
        .route("/graphql", get(graphql::get).post(graphql::post))
        .route("/graphql/ws", get(websocket::upgrade))
        .route(
            "/webhooks",
            post(webhooks::post).layer(DefaultBodyLimit::max(webhooks::MAX_DELIVERY_BYTES)),
        )
        .route("/oauth/install", get(oauth::install))
        .route("/oauth/callback", get(oauth::callback))
        .route("/health", get(health::health))
        .route("/dbtest", get(health::dbtest));
    for path in dashboard::PATHS {
        routes = routes.route(path, get(dashboard::page));
    }
    if state.options.graphiql {
        routes = routes
            .route("/graphiql", get(graphiql::page))
            .route("/graphiql/{file}", get(graphiql::asset));
    }
    let options = state.options.clone();
    middleware::apply(routes.with_state(state), &options)
}

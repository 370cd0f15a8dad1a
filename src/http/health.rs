//! Health checks of the program and of its database.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::json;

use super::HttpState;

/// `GET /health`: the liveness check. It does not use the database, so a slow database does not restart the program.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// `GET /dbtest`: the readiness check of the database.
pub(super) async fn dbtest(State(state): State<HttpState>) -> impl IntoResponse {
    let start = Instant::now();
    match state.database.ping().await {
        Ok(()) => {
            let latency = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            (
                StatusCode::OK,
                Json(json!({ "status": "ok", "latencyMicroseconds": latency })),
            )
        }
        Err(error) => {
            tracing::warn!(error.cause = %error, "database does not respond");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "status": "unavailable" })),
            )
        }
    }
}

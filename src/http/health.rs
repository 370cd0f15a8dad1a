//! Whether the program is alive, and whether its database is.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::json;

use super::HttpState;

/// `GET /health`: alive. Touches nothing, so that a slow database never gets the program restarted.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// `GET /dbtest`: the database answers.
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
            tracing::warn!(error.cause = %error, "the database does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "status": "unavailable" })),
            )
        }
    }
}

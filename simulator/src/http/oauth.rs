//! Client credentials for a token of 24 hours.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use crate::simulator::Shops;

pub(crate) async fn access_token(
    State(shops): State<Arc<Shops>>,
    Path(label): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(shop) = shops.get(&label) else {
        return answer(StatusCode::NOT_FOUND, &json!({ "errors": "Not Found" }));
    };
    let meeting = shop.meet("access_token");
    tokio::time::sleep(meeting.latency).await;
    if let Some(response) = super::admin::simple_fault(meeting.fault.as_ref()) {
        return response;
    }
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let fields = if is_form {
        form(&body)
    } else {
        serde_json::from_slice::<Map<String, Value>>(&body).unwrap_or_default()
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("grant_type") != "client_credentials" {
        return refused("unsupported_grant_type", "The grant type is not supported.");
    }
    match shop.grant(text("client_id"), text("client_secret")) {
        Ok(grant) => answer(
            StatusCode::OK,
            &json!({
                "access_token": grant.token,
                "scope": grant.scope,
                "expires_in": grant.expires_in,
            }),
        ),
        Err(reason) => refused(reason, "The client could not be authenticated."),
    }
}

fn refused(error: &str, description: &str) -> Response {
    answer(
        StatusCode::BAD_REQUEST,
        &json!({ "error": error, "error_description": description }),
    )
}

fn form(body: &[u8]) -> Map<String, Value> {
    let text = String::from_utf8_lossy(body);
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), Value::from(decode(value))))
        .collect()
}

/// Undoes the percent encoding of a form.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

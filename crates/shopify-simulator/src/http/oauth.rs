//! Tokens: for client credentials, one of 24 hours; for a merchant's code or a refresh token, a pair. And the
//! address at which a merchant agrees to install an app: here every merchant does.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::answer;
use super::wire::Cut;
use crate::shop::{Fault, GivenPair};
use crate::simulator::Shops;

pub(crate) async fn access_token(
    State(shops): State<Arc<Shops>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Path(label): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(shop) = shops.get(&label) else {
        return answer(StatusCode::NOT_FOUND, &json!({ "errors": "Not Found" }));
    };
    let meeting = shop.meet("access_token");
    tokio::time::sleep(meeting.latency).await;
    if let Some(Fault::Slow { millis }) = &meeting.fault {
        tokio::time::sleep(Duration::from_millis(*millis)).await;
    }
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
    let (client_id, secret) = (text("client_id"), text("client_secret"));
    match text("grant_type") {
        "client_credentials" => {}
        "refresh_token" => {
            let traded = shop.trade(client_id, secret, |app, now| {
                app.refresh(text("refresh_token"), now)
            });
            return pair(traded, meeting.fault.as_ref(), &cut);
        }
        "" if fields.contains_key("code") && text("expiring") == "1" => {
            let traded = shop.trade(client_id, secret, |app, now| {
                app.exchange(text("code"), now)
            });
            return pair(traded, meeting.fault.as_ref(), &cut);
        }
        _ => return refused("unsupported_grant_type", "The grant type is not supported."),
    }
    match shop.grant(client_id, secret) {
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

/// The answer of a trade. Where it is to be lost, the trade was made all the same.
fn pair(traded: Result<GivenPair, &'static str>, fault: Option<&Fault>, cut: &Cut) -> Response {
    if fault == Some(&Fault::LoseAnswer) {
        cut.cut();
    }
    match traded {
        Ok(pair) => answer(
            StatusCode::OK,
            &json!({
                "access_token": pair.access,
                "scope": pair.scope,
                "expires_in": pair.expires_in,
                "refresh_token": pair.refresh,
                "refresh_token_expires_in": pair.refresh_expires_in,
            }),
        ),
        Err(reason) => refused(
            reason,
            "The code or the refresh token is not good (any more).",
        ),
    }
}

/// `GET /admin/oauth/authorize`: the merchant agrees, and is sent back with a code and a signature.
pub(crate) async fn authorize(
    State(shops): State<Arc<Shops>>,
    Path(label): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(shop) = shops.get(&label) else {
        return answer(StatusCode::NOT_FOUND, &json!({ "errors": "Not Found" }));
    };
    let asked = form(query.unwrap_or_default().as_bytes());
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let redirect = text("redirect_uri");
    let Some((code, secret)) = shop.authorize(text("client_id"), redirect) else {
        let message = "Oauth error invalid_request: the app or the redirect_uri is not known";
        return answer(StatusCode::BAD_REQUEST, &json!({ "errors": message }));
    };
    let host = URL_SAFE_NO_PAD.encode(format!("admin.shopify.com/store/{label}"));
    let now = shop.now().to_utc().timestamp().to_string();
    let domain = format!("{label}.myshopify.com");
    // In the order of their names, as they are signed.
    let fields = [
        ("code", code.as_str()),
        ("host", &host),
        ("shop", &domain),
        ("state", text("state")),
        ("timestamp", &now),
    ];
    let line = fields
        .map(|(name, value)| format!("{name}={value}"))
        .join("&");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut signature = String::new();
    for byte in hmac::sign(&key, line.as_bytes()).as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(signature, "{byte:02x}");
    }
    let mut response = answer(StatusCode::FOUND, &json!({}));
    // None of the values needs to be encoded: letters, digits, `-`, `_` and `.`.
    let location = format!("{redirect}?{line}&hmac={signature}");
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
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

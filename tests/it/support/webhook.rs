//! Deliveries as Shopify sends them.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{RequestBuilder, StatusCode};

use super::{Beside, TestApp};

/// The signature of a body.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, body).as_ref())
}

/// Sends a delivery to the program; an empty header is left out.
pub(crate) async fn deliver(
    app: &TestApp,
    label: &str,
    topic: &str,
    id: &str,
    signature: &str,
    body: Vec<u8>,
) -> StatusCode {
    let request = app.post_to("/webhooks").body(body);
    send(request, label, topic, id, signature).await
}

/// The same, to another process.
pub(crate) async fn deliver_to(
    beside: &Beside,
    label: &str,
    topic: &str,
    id: &str,
    signature: &str,
    body: Vec<u8>,
) -> StatusCode {
    let url = format!("{}/webhooks", beside.address());
    let request = reqwest::Client::new().post(url).body(body);
    send(request, label, topic, id, signature).await
}

async fn send(
    mut request: RequestBuilder,
    label: &str,
    topic: &str,
    id: &str,
    signature: &str,
) -> StatusCode {
    for (name, value) in [
        ("X-Shopify-Shop-Domain", format!("{label}.myshopify.com")),
        ("X-Shopify-Topic", topic.to_owned()),
        ("X-Shopify-Webhook-Id", id.to_owned()),
        ("X-Shopify-Hmac-Sha256", signature.to_owned()),
    ] {
        if !value.is_empty() {
            request = request.header(name, value.as_bytes());
        }
    }
    request.send().await.unwrap().status()
}

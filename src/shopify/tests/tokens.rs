//! Tokens are renewed once, and traded for an app's id and secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::super::{ShopifyError, TokenProvider, TokenRequest};
use super::{StubStore, config, domain, shop, shopify, token};

/// Gives `old`, then `renewed`; counts the renewals.
fn provider(renewed: &'static str) -> (TokenProvider, Arc<AtomicUsize>) {
    let renewals = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&renewals);
    let provider = TokenProvider::new(move |request| {
        let given = match request {
            TokenRequest::Current => "old",
            TokenRequest::Renewed { rejected } => {
                assert_eq!(rejected.expose_secret(), "old");
                counted.fetch_add(1, Ordering::SeqCst);
                renewed
            }
        };
        Box::pin(std::future::ready(Ok(token(given))))
    });
    (provider, renewals)
}

#[rstest]
#[case::a_new_token_helps("new", vec![401, 200], true, 2)]
#[case::a_new_token_is_refused_too("new", vec![401, 401], false, 2)]
#[case::the_same_token_again("old", vec![401], false, 1)]
#[tokio::test]
async fn a_refused_token_is_renewed_once(
    #[case] renewed: &'static str,
    #[case] statuses: Vec<u16>,
    #[case] works: bool,
    #[case] requests: usize,
) {
    let answer = |status| match status {
        200 => shop(),
        status => ResponseTemplate::new(status).set_body_json(json!({ "errors": "[API] Invalid" })),
    };
    let stub = StubStore::answering(statuses.into_iter().map(answer)).await;
    let (provider, renewals) = provider(renewed);
    let client = shopify(config(&format!("{}/shops/{{shop}}", stub.server.uri())));
    let result = client.shop(domain(), provider).shop_record().await;
    assert_eq!(result.is_ok(), works);
    if let Err(error) = result {
        assert_eq!(error, ShopifyError::Unauthorized);
    }
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
    let sent = stub.server.received_requests().await.unwrap();
    assert_eq!(sent.len(), requests);
    if let Some(second) = sent.get(1) {
        assert_eq!(second.headers["x-shopify-access-token"], "new");
    }
}

async fn request_token(
    answers: Vec<ResponseTemplate>,
) -> Result<super::super::IssuedToken, ShopifyError> {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/admin/oauth/access_token"))
        .respond_with(super::Script(std::sync::Mutex::new(answers.into())))
        .mount(&server)
        .await;
    let issued = shopify(config(&server.uri()))
        .client_credentials_token(&domain(), "id", &token("secret"))
        .await;
    let sent: Value = server.received_requests().await.unwrap()[0]
        .body_json()
        .unwrap();
    assert_eq!(
        sent,
        json!({ "client_id": "id", "client_secret": "secret", "grant_type": "client_credentials" })
    );
    issued
}

#[tokio::test]
async fn an_id_and_a_secret_become_a_token_that_ends() {
    let body = json!({
        "access_token": "shpat_1", "scope": "read_orders,read_products", "expires_in": 86399
    });
    let failing = ResponseTemplate::new(503);
    let issued = request_token(vec![failing, super::ok(body)]).await.unwrap();
    assert_eq!(issued.token.expose_secret(), "shpat_1");
    assert_eq!(issued.scopes, ["read_orders", "read_products"]);
    assert_eq!(issued.expires_at.to_rfc3339(), "2026-03-02T11:59:59+00:00");
    assert!(!format!("{issued:?}").contains("shpat_1"));
}

#[tokio::test]
async fn an_empty_scope_is_given_back_as_it_is() {
    let body = json!({ "access_token": "shpat_1", "scope": "", "expires_in": 86399 });
    assert_eq!(
        request_token(vec![super::ok(body)]).await.unwrap().scopes,
        Vec::<String>::new()
    );
}

#[rstest]
#[case(400, r#"{"error":"application_cannot_be_found"}"#, ShopifyError::CredentialsRefused { code: "application_cannot_be_found".to_owned() })]
#[case(401, "<html>", ShopifyError::CredentialsRefused { code: "HTTP 401".to_owned() })]
#[case(404, "", ShopifyError::NotFound)]
#[case(402, "", ShopifyError::Frozen)]
#[tokio::test]
async fn a_refused_trade_says_why(
    #[case] status: u16,
    #[case] body: &str,
    #[case] expected: ShopifyError,
) {
    let answer = ResponseTemplate::new(status).set_body_string(body);
    assert_eq!(request_token(vec![answer]).await.unwrap_err(), expected);
}

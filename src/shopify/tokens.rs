//! Access tokens: where a request gets its token, and the exchange of an app's id and secret for
//! one.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Shopify, read_bounded};
use super::error::{ShopifyError, sanitized};
use super::response::{RequestFailure, check_status};
use crate::domain::shop::ShopDomain;

/// The requested token.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// The current token.
    Current,
    /// A new token, because Shopify rejected the current one.
    Renewed {
        /// The rejected token.
        rejected: SecretString,
    },
}

impl TokenRequest {
    /// Whether Shopify rejected this token.
    pub(crate) fn refuses(&self, token: &SecretString) -> bool {
        match self {
            Self::Current => false,
            Self::Renewed { rejected } => rejected.expose_secret() == token.expose_secret(),
        }
    }
}

type Provide =
    dyn Fn(TokenRequest) -> BoxFuture<'static, Result<SecretString, ShopifyError>> + Send + Sync;

/// Provides a shop's access token. The owner of the credentials implements it.
#[derive(Clone)]
pub struct TokenProvider(Arc<Provide>);

impl TokenProvider {
    /// A provider that calls this function for each request.
    pub fn new(
        provide: impl Fn(TokenRequest) -> BoxFuture<'static, Result<SecretString, ShopifyError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Arc::new(provide))
    }

    /// The static token of a custom app. It cannot be renewed.
    #[must_use]
    pub fn fixed(token: SecretString) -> Self {
        Self::new(move |request| {
            let answer = match request {
                TokenRequest::Current => Ok(token.clone()),
                TokenRequest::Renewed { .. } => Err(ShopifyError::Unauthorized),
            };
            Box::pin(std::future::ready(answer))
        })
    }

    pub(super) async fn current(&self) -> Result<SecretString, ShopifyError> {
        (self.0)(TokenRequest::Current).await
    }

    /// A token that differs from the rejected one.
    pub(super) async fn renewed(
        &self,
        rejected: SecretString,
    ) -> Result<SecretString, ShopifyError> {
        let request = TokenRequest::Renewed {
            rejected: rejected.clone(),
        };
        let renewed = (self.0)(request).await?;
        if renewed.expose_secret() == rejected.expose_secret() {
            return Err(ShopifyError::Unauthorized);
        }
        Ok(renewed)
    }
}

impl fmt::Debug for TokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenProvider")
    }
}

/// A token from the client-credentials grant.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token.
    pub token: SecretString,
    /// The granted access scopes. Empty if the app was released without scopes.
    pub scopes: Vec<String>,
    /// The expiry, calculated from the time before the request.
    pub expires_at: DateTime<Utc>,
}

/// The response to a token request.
#[derive(Deserialize)]
pub(super) struct TokenResponse {
    pub(super) access_token: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: String,
}

/// The assumed lifetime if the response does not contain one.
const DEFAULT_LIFETIME_SECONDS: i64 = 3600;

impl TokenResponse {
    /// The expiry of a token that was requested at this time.
    pub(super) fn expires_at(&self, requested_at: DateTime<Utc>) -> DateTime<Utc> {
        let life = self.expires_in.unwrap_or(DEFAULT_LIFETIME_SECONDS);
        let life = TimeDelta::try_seconds(life).unwrap_or_default();
        requested_at
            .checked_add_signed(life)
            .unwrap_or(requested_at)
    }
}

impl Shopify {
    /// Exchanges an app's client id and secret for a token (client-credentials grant). Repeating
    /// the exchange is safe, so transient failures are retried.
    pub async fn client_credentials_token(
        &self,
        domain: &ShopDomain,
        client_id: &str,
        client_secret: &SecretString,
    ) -> Result<IssuedToken, ShopifyError> {
        let trade = json!({
            "client_id": client_id,
            "client_secret": client_secret.expose_secret(),
            "grant_type": "client_credentials",
        });
        let requested_at = self.clock().now();
        let granted = self.request_token_with_retries(domain, &trade).await?;
        Ok(IssuedToken {
            expires_at: granted.expires_at(requested_at),
            scopes: scopes(&granted.scope),
            token: granted.access_token.into(),
        })
    }

    /// Sends a token request, and retries transient failures.
    pub(super) async fn request_token_with_retries(
        &self,
        domain: &ShopDomain,
        trade: &Value,
    ) -> Result<TokenResponse, ShopifyError> {
        let mut delays = self.config().retry.delays();
        loop {
            let error = match self.request_token(domain, trade).await {
                Ok(traded) => return Ok(traded),
                Err(error) => error,
            };
            let delay = delays.next().filter(|_| error.is_transient());
            let Some(delay) = delay.map(|delay| error.retry_after().unwrap_or(delay)) else {
                return Err(error);
            };
            if delay > self.config().retry.max_delay {
                return Err(error);
            }
            tokio::time::sleep(delay).await;
        }
    }

    /// Sends one token request.
    pub(super) async fn request_token(
        &self,
        domain: &ShopDomain,
        trade: &Value,
    ) -> Result<TokenResponse, ShopifyError> {
        let response = self
            .http()
            .post(format!("{}/admin/oauth/access_token", self.origin(domain)))
            .timeout(self.config().request_timeout)
            .json(trade)
            .send()
            .await
            .map_err(|error| ShopifyError::from_transport(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read_bounded(response).await?;
        if matches!(status, 400 | 401 | 403) {
            let code = serde_json::from_slice::<ErrorResponse>(&body).map_or_else(
                |_| format!("HTTP {status}"),
                |refusal| sanitized(&refusal.error, 64),
            );
            return Err(ShopifyError::CredentialsRefused { code });
        }
        match check_status(status, &headers) {
            None => {}
            Some(RequestFailure::Failed(error)) => return Err(error),
            Some(RequestFailure::Unauthorized | RequestFailure::Throttled(_)) => {
                return Err(ShopifyError::Unauthorized);
            }
        }
        serde_json::from_slice(&body).map_err(|error| ShopifyError::from_json(&error))
    }
}

fn scopes(list: &str) -> Vec<String> {
    list.split([',', ' '])
        .map(str::trim)
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect()
}

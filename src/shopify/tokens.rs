//! Where a request's access token comes from, and how an app's id and secret are traded for one.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::answer::{Verdict, judge_status};
use super::client::{Shopify, read_bounded};
use super::error::{ShopifyError, shown};
use crate::domain::shop::ShopDomain;

/// Which token is asked for.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// The one in use.
    Current,
    /// Another one: the store refused this.
    Renewed {
        /// What the store refused.
        rejected: SecretString,
    },
}

type Provide =
    dyn Fn(TokenRequest) -> BoxFuture<'static, Result<SecretString, ShopifyError>> + Send + Sync;

/// Gives a store's access token. Whoever keeps the credentials makes one of these.
#[derive(Clone)]
pub struct TokenProvider(Arc<Provide>);

impl TokenProvider {
    /// A provider that asks this function each time.
    pub fn new(
        provide: impl Fn(TokenRequest) -> BoxFuture<'static, Result<SecretString, ShopifyError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Arc::new(provide))
    }

    /// The one token of a custom app, which cannot be renewed.
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

    /// A token other than the refused one.
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

/// A token that was traded for an app's id and secret.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token.
    pub token: SecretString,
    /// What it may do. Empty where the app was released without scopes: the caller checks.
    pub scopes: Vec<String>,
    /// When it ends, counted from before it was asked for.
    pub expires_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct TradeIn<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// What is assumed of an answer that does not say how long the token lives.
const SHORTEST_LIFE_SECONDS: i64 = 3600;

impl Shopify {
    /// Trades an app's client id and secret for a token (client-credentials grant). Asking twice does no harm,
    /// so failures that pass by are tried again.
    pub async fn client_credentials_token(
        &self,
        domain: &ShopDomain,
        client_id: &str,
        client_secret: &SecretString,
    ) -> Result<IssuedToken, ShopifyError> {
        let mut pauses = self.config().retry.pauses();
        loop {
            let error = match self.ask_for_token(domain, client_id, client_secret).await {
                Ok(issued) => return Ok(issued),
                Err(error) => error,
            };
            let pause = pauses.next().filter(|_| error.passes_by());
            let Some(pause) = pause.map(|pause| error.retry_after().unwrap_or(pause)) else {
                return Err(error);
            };
            if pause > self.config().retry.longest_pause {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn ask_for_token(
        &self,
        domain: &ShopDomain,
        client_id: &str,
        client_secret: &SecretString,
    ) -> Result<IssuedToken, ShopifyError> {
        let asked_at = self.clock().now();
        let response = self
            .http()
            .post(format!("{}/admin/oauth/access_token", self.origin(domain)))
            .timeout(self.config().request_timeout)
            .json(&TradeIn {
                client_id,
                client_secret: client_secret.expose_secret(),
                grant_type: "client_credentials",
            })
            .send()
            .await
            .map_err(|error| ShopifyError::of_transport(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read_bounded(response).await?;
        if matches!(status, 400 | 401 | 403) {
            let code = serde_json::from_slice::<Refusal>(&body).map_or_else(
                |_| format!("HTTP {status}"),
                |refusal| shown(&refusal.error, 64),
            );
            return Err(ShopifyError::CredentialsRefused { code });
        }
        match judge_status(status, &headers) {
            None => {}
            Some(Verdict::Failed(error)) => return Err(error),
            Some(Verdict::Unauthorized | Verdict::Throttled(_)) => {
                return Err(ShopifyError::Unauthorized);
            }
        }
        let granted: Granted =
            serde_json::from_slice(&body).map_err(|error| ShopifyError::of_json(&error))?;
        let life = granted.expires_in.unwrap_or(SHORTEST_LIFE_SECONDS);
        let life = TimeDelta::try_seconds(life).unwrap_or_default();
        Ok(IssuedToken {
            token: granted.access_token.into(),
            scopes: scopes(&granted.scope),
            expires_at: asked_at.checked_add_signed(life).unwrap_or(asked_at),
        })
    }
}

fn scopes(list: &str) -> Vec<String> {
    list.split([',', ' '])
        .map(str::trim)
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect()
}

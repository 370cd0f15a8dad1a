//! Where a request's access token comes from, and how an app's id and secret are traded for one.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

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

impl TokenRequest {
    /// Whether this token is the one that the store refused.
    pub(crate) fn refuses(&self, token: &SecretString) -> bool {
        match self {
            Self::Current => false,
            Self::Renewed { rejected } => rejected.expose_secret() == token.expose_secret(),
        }
    }
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

/// What was traded for.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// What is assumed of an answer that does not say how long the token lives.
const SHORTEST_LIFE_SECONDS: i64 = 3600;

impl Granted {
    /// When the access token ends, which was asked for at this instant.
    pub(super) fn expires_at(&self, asked_at: DateTime<Utc>) -> DateTime<Utc> {
        let life = self.expires_in.unwrap_or(SHORTEST_LIFE_SECONDS);
        let life = TimeDelta::try_seconds(life).unwrap_or_default();
        asked_at.checked_add_signed(life).unwrap_or(asked_at)
    }
}

impl Shopify {
    /// Trades an app's client id and secret for a token (client-credentials grant). Asking twice does no harm,
    /// so failures that pass by are tried again.
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
        let asked_at = self.clock().now();
        let granted = self.patiently_trade(domain, &trade).await?;
        Ok(IssuedToken {
            expires_at: granted.expires_at(asked_at),
            scopes: scopes(&granted.scope),
            token: granted.access_token.into(),
        })
    }

    /// Repeats a trade that may be made twice, while what stands in its way passes by.
    pub(super) async fn patiently_trade(
        &self,
        domain: &ShopDomain,
        trade: &Value,
    ) -> Result<Granted, ShopifyError> {
        let mut pauses = self.config().retry.pauses();
        loop {
            let error = match self.trade(domain, trade).await {
                Ok(traded) => return Ok(traded),
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

    /// Asks a store's OAuth address once.
    pub(super) async fn trade(
        &self,
        domain: &ShopDomain,
        trade: &Value,
    ) -> Result<Granted, ShopifyError> {
        let response = self
            .http()
            .post(format!("{}/admin/oauth/access_token", self.origin(domain)))
            .timeout(self.config().request_timeout)
            .json(trade)
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
        serde_json::from_slice(&body).map_err(|error| ShopifyError::of_json(&error))
    }
}

fn scopes(list: &str) -> Vec<String> {
    list.split([',', ' '])
        .map(str::trim)
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect()
}

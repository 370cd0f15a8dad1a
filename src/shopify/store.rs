//! The way a query goes to a store: budget, token, request, verdict, and again where that is safe. Knows
//! nothing of what is asked.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use graphql_client::GraphQLQuery;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::answer::{Denied, Reply, Verdict, judge_body, judge_status};
use super::client::{ShopState, Shopify, read_bounded};
use super::error::ShopifyError;
use super::tokens::TokenProvider;
use crate::domain::shop::ShopDomain;

const VERSION_HEADER: &str = "x-shopify-api-version";

/// One store, with the right to ask it.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) shopify: Shopify,
    pub(super) domain: ShopDomain,
    pub(super) tokens: TokenProvider,
    pub(super) state: Arc<ShopState>,
}

/// Whether a request may be sent again when it is not known what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Asking again changes nothing.
    Always,
    /// Only when it surely was not carried out.
    UnlessCarriedOut,
}

/// The typed data of an answer.
pub(super) struct Answer<Data> {
    pub(super) data: Data,
    pub(super) denied: Denied,
}

struct Request {
    operation: &'static str,
    body: Bytes,
    repeat: Repeat,
}

impl Store {
    /// The store's domain.
    #[must_use]
    pub fn domain(&self) -> &ShopDomain {
        &self.domain
    }

    /// The API version that served the last answer: another than was asked for when that one has ended.
    #[must_use]
    pub fn served_version(&self) -> Option<String> {
        let version = self.state.served_version.lock();
        version.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks a query that changes nothing.
    pub(super) async fn ask<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
    ) -> Result<Answer<Q::ResponseData>, ShopifyError> {
        self.send::<Q>(variables, Repeat::Always).await
    }

    /// Sends an operation and reads its data.
    pub(super) async fn send<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
        repeat: Repeat,
    ) -> Result<Answer<Q::ResponseData>, ShopifyError> {
        #[derive(Deserialize)]
        struct Typed<Data> {
            data: Data,
        }
        let query = Q::build_query(variables);
        let body = serde_json::to_vec(&query)
            .map_err(|_| ShopifyError::Setup("a query cannot be written".to_owned()))?;
        let request = Request {
            operation: query.operation_name,
            body: body.into(),
            repeat,
        };
        let reply = Box::pin(self.exchange(request)).await?;
        // It is JSON, and it holds data: if the types do not fit, they will not fit the next time either.
        let typed: Typed<Q::ResponseData> =
            serde_json::from_slice(&reply.body).map_err(|error| {
                tracing::warn!(
                    shop.domain = %self.domain, shopify.operation = query.operation_name,
                    column = error.column(), "an answer does not fit the schema"
                );
                reply
                    .denied
                    .error()
                    .unwrap_or(ShopifyError::Unconvertible("field"))
            })?;
        Ok(Answer {
            data: typed.data,
            denied: reply.denied,
        })
    }

    async fn exchange(&self, request: Request) -> Result<Reply, ShopifyError> {
        let policy = self.shopify.config().retry;
        let mut pauses = policy.pauses();
        let mut left_to_wait = policy.throttle_limit;
        let mut token = self.tokens.current().await?;
        let mut renewed = false;
        loop {
            while let Err(wait) = self.state.throttle.claim(request.operation, Instant::now()) {
                left_to_wait = self.wait_for_budget(&request, wait, left_to_wait).await?;
            }
            let verdict = match self.attempt(&request, &token).await {
                Ok(reply) => return Ok(reply),
                Err(verdict) => verdict,
            };
            let error = match verdict {
                Verdict::Unauthorized if renewed => return Err(ShopifyError::Unauthorized),
                Verdict::Unauthorized => {
                    token = self.tokens.renewed(token).await?;
                    renewed = true;
                    continue;
                }
                Verdict::Throttled(wait) => {
                    let wait = wait.max(policy.throttle_floor);
                    left_to_wait = self.wait_for_budget(&request, wait, left_to_wait).await?;
                    continue;
                }
                Verdict::Failed(error) => error,
            };
            let safe = request.repeat == Repeat::Always || !error.may_have_been_carried_out();
            let Some(pause) = pauses.next().filter(|_| safe && error.passes_by()) else {
                return Err(error);
            };
            let pause = error.retry_after().unwrap_or(pause);
            if pause > policy.longest_pause {
                return Err(error);
            }
            tracing::debug!(
                shop.domain = %self.domain, shopify.operation = request.operation,
                %error, pause_ms = pause.as_millis(), "asking the store again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits, where so long a wait is still allowed; gives what may be waited after it.
    async fn wait_for_budget(
        &self,
        request: &Request,
        wait: Duration,
        left: Duration,
    ) -> Result<Duration, ShopifyError> {
        // A zero wait that came again and again would never end.
        let wait = wait.max(Duration::from_millis(1));
        let left = left.checked_sub(wait).ok_or(ShopifyError::Throttled)?;
        tracing::debug!(
            shop.domain = %self.domain, shopify.operation = request.operation,
            wait_ms = wait.as_millis(), "waiting for the store's query budget"
        );
        tokio::time::sleep(wait).await;
        Ok(left)
    }

    async fn attempt(&self, request: &Request, token: &SecretString) -> Result<Reply, Verdict> {
        let failed = |error: &reqwest::Error| Verdict::Failed(ShopifyError::of_transport(error));
        let config = self.shopify.config();
        // What no header can hold is no token.
        let mut header = HeaderValue::from_str(token.expose_secret())
            .map_err(|_| Verdict::Failed(ShopifyError::Unauthorized))?;
        header.set_sensitive(true);
        let url = format!(
            "{}/admin/api/{}/graphql.json",
            self.shopify.origin(&self.domain),
            config.api_version
        );
        let response = self
            .shopify
            .http()
            .post(url)
            .timeout(config.request_timeout)
            .header("x-shopify-access-token", header)
            .header(CONTENT_TYPE, "application/json")
            .body(request.body.clone())
            .send()
            .await
            .map_err(|error| failed(&error))?;
        if let Some(verdict) = judge_status(response.status().as_u16(), response.headers()) {
            return Err(verdict);
        }
        if let Some(version) = response.headers().get(VERSION_HEADER) {
            self.note_version(version);
        }
        let body = read_bounded(response).await.map_err(Verdict::Failed)?;
        let (judged, cost) = judge_body(body);
        if let Some(cost) = cost {
            self.state
                .throttle
                .observe(request.operation, &cost, Instant::now());
        }
        judged
    }

    /// Shopify answers in the oldest version it still has when the one asked for has ended.
    fn note_version(&self, version: &HeaderValue) {
        let Ok(version) = version.to_str() else {
            return;
        };
        let asked = &self.shopify.config().api_version;
        let mut served = self
            .state
            .served_version
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if served.as_deref() != Some(version) {
            *served = Some(version.to_owned());
        }
        if version != asked && !self.state.version_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                shop.domain = %self.domain, shopify.version.asked = %asked,
                shopify.version.served = version, "the store answers in another API version"
            );
        }
    }
}

//! Sends operations to a shop: query budget, access token, request, classification of the response,
//! and retries where they are safe.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use graphql_client::GraphQLQuery;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{ShopState, Shopify, read_bounded};
use super::error::ShopifyError;
use super::response::{DeniedPaths, RequestFailure, ResponseBody, check_status, parse_body};
use super::tokens::TokenProvider;
use crate::domain::shop::ShopDomain;

const VERSION_HEADER: &str = "x-shopify-api-version";

/// A client for one shop.
#[derive(Clone, Debug)]
pub struct ShopClient {
    pub(super) shopify: Shopify,
    pub(super) domain: ShopDomain,
    pub(super) tokens: TokenProvider,
    pub(super) state: Arc<ShopState>,
}

/// Whether a request may be repeated if its outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idempotency {
    /// Repeating the request is safe.
    Idempotent,
    /// The request may be repeated only if it was certainly not executed.
    NotIdempotent,
}

/// The typed data of a response.
pub(super) struct Response<Data> {
    pub(super) data: Data,
    pub(super) denied: DeniedPaths,
}

struct Request {
    operation: &'static str,
    body: Bytes,
    idempotency: Idempotency,
}

impl ShopClient {
    /// The shop's domain.
    #[must_use]
    pub fn domain(&self) -> &ShopDomain {
        &self.domain
    }

    /// The API version of the last response. It differs from the requested version if that has been
    /// retired.
    #[must_use]
    pub fn served_version(&self) -> Option<String> {
        let version = self.state.served_version.lock();
        version.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a query and parses its data into the generated type.
    pub(super) async fn query<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
    ) -> Result<Response<Q::ResponseData>, ShopifyError> {
        self.query_as::<Q, Q::ResponseData>(variables).await
    }

    /// Runs a query and parses its data into a type that several queries share.
    pub(super) async fn query_as<Q: GraphQLQuery, Data: DeserializeOwned>(
        &self,
        variables: Q::Variables,
    ) -> Result<Response<Data>, ShopifyError> {
        self.execute::<Q, Data>(variables, Idempotency::Idempotent)
            .await
    }

    /// Runs a mutation.
    pub(super) async fn mutate<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
    ) -> Result<Response<Q::ResponseData>, ShopifyError> {
        self.execute::<Q, Q::ResponseData>(variables, Idempotency::NotIdempotent)
            .await
    }

    async fn execute<Q: GraphQLQuery, Data: DeserializeOwned>(
        &self,
        variables: Q::Variables,
        idempotency: Idempotency,
    ) -> Result<Response<Data>, ShopifyError> {
        #[derive(Deserialize)]
        struct Typed<Data> {
            data: Data,
        }
        let query = Q::build_query(variables);
        let body = serde_json::to_vec(&query)
            .map_err(|_| ShopifyError::Setup("a query cannot be serialised".to_owned()))?;
        let request = Request {
            operation: query.operation_name,
            body: body.into(),
            idempotency,
        };
        let response = Box::pin(self.send_with_retries(request)).await?;
        // The body is JSON with data. If the types do not fit, a retry does not help.
        let typed: Typed<Data> = serde_json::from_slice(&response.body).map_err(|error| {
            tracing::warn!(
                shop.domain = %self.domain, shopify.operation = query.operation_name,
                column = error.column(), "a response does not fit the schema"
            );
            response
                .denied
                .error()
                .unwrap_or(ShopifyError::Unconvertible("field"))
        })?;
        Ok(Response {
            data: typed.data,
            denied: response.denied,
        })
    }

    async fn send_with_retries(&self, request: Request) -> Result<ResponseBody, ShopifyError> {
        let policy = self.shopify.config().retry;
        let mut delays = policy.delays();
        let mut left_to_wait = policy.max_throttle_wait;
        let mut token = self.tokens.current().await?;
        let mut renewed = false;
        loop {
            while let Err(wait) = self
                .state
                .throttle
                .try_reserve(request.operation, Instant::now())
            {
                left_to_wait = self.wait_for_budget(&request, wait, left_to_wait).await?;
            }
            let verdict = match self.send_once(&request, &token).await {
                Ok(reply) => return Ok(reply),
                Err(verdict) => verdict,
            };
            let error = match verdict {
                RequestFailure::Unauthorized if renewed => return Err(ShopifyError::Unauthorized),
                RequestFailure::Unauthorized => {
                    token = self.tokens.renewed(token).await?;
                    renewed = true;
                    continue;
                }
                RequestFailure::Throttled(wait) => {
                    let wait = wait.max(policy.min_throttle_delay);
                    left_to_wait = self.wait_for_budget(&request, wait, left_to_wait).await?;
                    continue;
                }
                RequestFailure::Failed(error) => error,
            };
            let safe =
                request.idempotency == Idempotency::Idempotent || !error.may_have_been_executed();
            let Some(delay) = delays.next().filter(|_| safe && error.is_transient()) else {
                return Err(error);
            };
            let delay = error.retry_after().unwrap_or(delay);
            if delay > policy.max_delay {
                return Err(error);
            }
            tracing::debug!(
                shop.domain = %self.domain, shopify.operation = request.operation,
                %error, pause_ms = delay.as_millis(), "retrying a request to a shop"
            );
            tokio::time::sleep(delay).await;
        }
    }

    /// Waits, if the remaining time allows it. Returns the time that remains afterwards.
    async fn wait_for_budget(
        &self,
        request: &Request,
        wait: Duration,
        left: Duration,
    ) -> Result<Duration, ShopifyError> {
        // Repeated waits of zero would never use up the remaining time.
        let wait = wait.max(Duration::from_millis(1));
        let left = left.checked_sub(wait).ok_or(ShopifyError::Throttled)?;
        tracing::debug!(
            shop.domain = %self.domain, shopify.operation = request.operation,
            wait_ms = wait.as_millis(), "waiting for the query budget of a shop"
        );
        tokio::time::sleep(wait).await;
        Ok(left)
    }

    async fn send_once(
        &self,
        request: &Request,
        token: &SecretString,
    ) -> Result<ResponseBody, RequestFailure> {
        let failed =
            |error: &reqwest::Error| RequestFailure::Failed(ShopifyError::from_transport(error));
        let config = self.shopify.config();
        // A token that is not a valid header value cannot be valid.
        let mut header = HeaderValue::from_str(token.expose_secret())
            .map_err(|_| RequestFailure::Failed(ShopifyError::Unauthorized))?;
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
        if let Some(verdict) = check_status(response.status().as_u16(), response.headers()) {
            return Err(verdict);
        }
        if let Some(version) = response.headers().get(VERSION_HEADER) {
            self.note_version(version);
        }
        let body = read_bounded(response)
            .await
            .map_err(RequestFailure::Failed)?;
        let (judged, cost) = parse_body(body);
        if let Some(cost) = cost {
            self.state
                .throttle
                .observe(request.operation, &cost, Instant::now());
        }
        judged
    }

    /// Shopify responds with its oldest supported version if the requested version has been
    /// retired.
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
                shopify.version.served = version, "Shopify responds in another API version than requested"
            );
        }
    }
}

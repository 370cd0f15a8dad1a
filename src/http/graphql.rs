//! `/graphql`: GraphQL over HTTP, one operation per request. async-graphql's axum handler is not used, because
//! it executes mutations sent with GET and does not follow the specification's status codes and media types
//! (docs/decisions/0008).

use std::sync::Arc;
use std::time::Instant;

use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use bytes::BytesMut;
use futures_util::StreamExt as _;

use super::client_address::client_address;
use super::content_negotiation::{MediaType, require_json};
use super::middleware::RequestId;
use super::request_parameters::RequestParameters;
use super::response::HttpError;
use super::response_stream::response_stream;
use super::{
    HttpState, bearer, cached_response, etag, rate_limit, request_parameters, response,
    session_cookie, sse,
};
use crate::cache::{CachedResponse, QueryKey};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::{BAD_USER_INPUT, LIMIT_EXCEEDED};
use crate::graphql::refresh_tokens::RefreshTokens;
use crate::graphql::{ParsedDocument, RateLimitKey};

/// How much of a too large body is read before the connection is closed.
const MAX_DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// `POST /graphql`.
pub(super) async fn post(State(state): State<HttpState>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(media) = MediaType::negotiate(&parts.headers, MediaType::ALL) else {
        return not_acceptable(&parts);
    };
    if media == MediaType::EventStream {
        return stream(&state, &parts, body)
            .await
            .unwrap_or_else(|error| error.into_response(MediaType::Json, &request_id(&parts)));
    }
    let tokens = match session_cookie::refresh_tokens(&parts, state.options.behind_proxy) {
        Ok(tokens) => Arc::new(tokens),
        Err(error) => return error.into_response(MediaType::Json, &request_id(&parts)),
    };
    let mut response = execute_post(&state, &parts, body, media, Arc::clone(&tokens))
        .await
        .unwrap_or_else(|error| error.into_response(media, &request_id(&parts)));
    if let RefreshTokens::InCookie(jar) = tokens.as_ref()
        && let Some(change) = jar.change()
    {
        session_cookie::write(&change, &parts, &mut response);
    }
    response
}

async fn execute_post(
    state: &HttpState,
    parts: &Parts,
    body: Body,
    media: MediaType,
    tokens: Arc<RefreshTokens>,
) -> Result<Response<Body>, HttpError> {
    let principal = bearer::principal(state, &parts.headers).await?;
    require_json(&parts.headers)?;
    let body = read_body(state, body).await?;
    let parameters = request_parameters::from_body(&body)?;
    let document = state
        .persisted_queries
        .find(parameters.query.as_deref(), parameters.document_id.as_ref())?;
    let key = query_key(principal, &document, &parameters);
    if let Some(cached) = charge_cached(state, key.as_ref()) {
        let response = cached_response::in_media(&cached, media, &parts.headers);
        return Ok(with_rate_limit(state, parts, principal, response));
    }
    let context = request_context(state, parts, principal).with_refresh_tokens(tokens);
    let request = parameters.into_request(document);
    let response = execute(state, request, context, key).await?;
    let response = response::from_graphql(media, &response);
    Ok(with_rate_limit(state, parts, principal, response))
}

/// An operation whose responses are sent as server-sent events.
async fn stream(state: &HttpState, parts: &Parts, body: Body) -> Result<Response<Body>, HttpError> {
    let caller = bearer::caller(state, &parts.headers).await?;
    require_json(&parts.headers)?;
    let tokens =
        session_cookie::refresh_tokens_of_stream(&parts.headers, state.options.behind_proxy);
    let context = request_context(state, parts, caller.map(|caller| caller.principal))
        .with_refresh_tokens(Arc::new(tokens));
    let body = read_body(state, body).await?;
    let responses = response_stream(state, request_parameters::from_body(&body)?, context)?;
    Ok(sse::response(state.clone(), responses, caller))
}

/// `GET /graphql`: queries only.
pub(super) async fn get(State(state): State<HttpState>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let Some(media) = MediaType::negotiate(&parts.headers, MediaType::SINGLE) else {
        return not_acceptable(&parts);
    };
    execute_get(&state, &parts, media)
        .await
        .unwrap_or_else(|error| error.into_response(media, &request_id(&parts)))
}

async fn execute_get(
    state: &HttpState,
    parts: &Parts,
    media: MediaType,
) -> Result<Response<Body>, HttpError> {
    let principal = bearer::principal(state, &parts.headers).await?;
    let Query(pairs) = Query::try_from_uri(&parts.uri)
        .map_err(|_| HttpError::bad_request("The query string is not valid."))?;
    let parameters = request_parameters::from_query(pairs)?;
    let document = state
        .persisted_queries
        .find(parameters.query.as_deref(), parameters.document_id.as_ref())?;
    let key = query_key(principal, &document, &parameters);
    if let Some(cached) = charge_cached(state, key.as_ref()) {
        let response = cached_response::with_etag(&cached, media, &parts.headers);
        return Ok(with_rate_limit(state, parts, principal, response));
    }
    let operation_type = document.operation_type(parameters.operation_name.as_deref());
    // The schema reports an operation that does not exist.
    if operation_type.is_some_and(|operation_type| operation_type != OperationType::Query) {
        return Err(HttpError::post_required());
    }
    let context = request_context(state, parts, principal);
    let request = parameters.into_request(document);
    let response = execute(state, request, context, key).await?;
    let response = etag::in_media(media, &response, &parts.headers);
    Ok(with_rate_limit(state, parts, principal, response))
}

fn not_acceptable(parts: &Parts) -> Response<Body> {
    let message = "Accept application/graphql-response+json or application/json.";
    HttpError::new(StatusCode::NOT_ACCEPTABLE, BAD_USER_INPUT, message)
        .into_response(MediaType::Json, &request_id(parts))
}

/// The key of an operation in the response cache. Responses without a principal are not cached.
fn query_key(
    principal: Option<Principal>,
    document: &ParsedDocument,
    parameters: &RequestParameters,
) -> Option<QueryKey> {
    let variables = serde_json::to_string(&parameters.variables).ok()?;
    let name = parameters.operation_name.clone();
    let hash = document.hash().to_owned();
    Some(QueryKey::new(principal?, hash, name, variables))
}

/// The cached response of a request, after its cost is charged. If the budget is too small, the operation goes
/// to the schema, which refuses it.
fn charge_cached(state: &HttpState, key: Option<&QueryKey>) -> Option<Arc<CachedResponse>> {
    let key = key?;
    let caches = state.invalidation.caches();
    let response = caches.response(key, state.clock.now())?;
    let limit = RateLimitKey::Tenant(key.tenant());
    state
        .buckets
        .charge_cached(limit, response.cost(), Instant::now())
        .then_some(response)
}

/// Executes an operation within the timeout, and caches the response if it is cacheable.
async fn execute(
    state: &HttpState,
    request: async_graphql::Request,
    context: RequestContext,
    key: Option<QueryKey>,
) -> Result<async_graphql::Response, HttpError> {
    let outcome = context.outcome();
    let work = state.schema.execute(request.data(context));
    let response = tokio::time::timeout(state.options.operation_timeout, work)
        .await
        .map_err(|_| {
            tracing::warn!("operation timed out");
            HttpError::timeout()
        })?;
    if let Some(key) = key
        && let Some(shop_state) = outcome.cacheable_at()
        && let Some(cacheable) = cached_response::cacheable(&response)
    {
        let caches = state.invalidation.caches();
        caches.store_response(&key, shop_state, cacheable);
    }
    Ok(response)
}

fn with_rate_limit(
    state: &HttpState,
    parts: &Parts,
    principal: Option<Principal>,
    mut response: Response<Body>,
) -> Response<Body> {
    let address = client_address(parts, state.options.behind_proxy);
    let key = RateLimitKey::new(principal, address);
    if let Some(status) = state.buckets.status(key, Instant::now()) {
        rate_limit::add_headers(status, &mut response);
    }
    response
}

fn request_context(
    state: &HttpState,
    parts: &Parts,
    principal: Option<Principal>,
) -> RequestContext {
    let address = client_address(parts, state.options.behind_proxy);
    let agent = parts.headers.get(USER_AGENT);
    RequestContext::new(
        state.database.clone(),
        state.clock,
        principal,
        request_id(parts),
        address,
        state.invalidation.caches(),
    )
    .with_user_agent(agent.and_then(|agent| agent.to_str().ok()))
}

fn request_id(parts: &Parts) -> String {
    parts
        .extensions
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default()
}

/// Reads the body up to its size limit.
async fn read_body(state: &HttpState, body: Body) -> Result<Bytes, HttpError> {
    let limit = state.options.max_body_bytes;
    let mut chunks = body.into_data_stream();
    let (mut content, mut length) = (BytesMut::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| HttpError::bad_request("The body could not be read."))?;
        length = length.saturating_add(chunk.len());
        if length <= limit && content.is_empty() {
            // Most bodies are one chunk, which is not copied.
            content = chunk.into();
        } else if length <= limit {
            content.extend_from_slice(&chunk);
        } else if length <= limit.saturating_add(MAX_DRAINED_BYTES) {
            // Drain the body: most clients read the response only after they sent the whole request.
            content = BytesMut::new();
        } else {
            break;
        }
    }
    if length > limit {
        let kib = limit / 1024;
        return Err(HttpError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            LIMIT_EXCEEDED,
            format!("The operation is too large: at most {kib} KiB."),
        ));
    }
    Ok(content.freeze())
}

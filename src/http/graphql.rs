//! `/graphql`: one operation a request. async-graphql's own axum handler is not used: it carries out
//! mutations sent with GET, and its status codes and media types are not those of the specification.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode};
use bytes::BytesMut;

use futures_util::StreamExt as _;

use super::answer::{self, Refusal};
use super::answers::{Answer, Question};
use super::layers::RequestId;
use super::media::Media;
use super::operation::Parameters;
use super::{HttpState, bearer, etag, live, media, operation, rate_limit, session_cookie};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::LIMIT_EXCEEDED;
use crate::graphql::refresh_tokens::RefreshTokens;
use crate::graphql::{RateLimitKey, read_document};

/// How much of a body that is too large is read before the client is cut off.
const MAX_DRAINED: usize = 16 * 1024 * 1024;

/// `POST /graphql`.
pub(super) async fn post(State(state): State<HttpState>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if live::wants_events(&parts.headers) {
        return match follow(&state, &parts, body).await {
            Ok(events) => events,
            Err(refusal) => refusal.in_media(Media::Json, &request_id(&parts)),
        };
    }
    let tokens = match session_cookie::refresh_tokens(&parts, state.options.behind_proxy) {
        Ok(tokens) => Arc::new(tokens),
        Err(refusal) => return refusal.in_media(Media::Json, &request_id(&parts)),
    };
    let mut response = respond(&parts, async |media| {
        let principal = bearer::principal(&state, &parts.headers).await?;
        media::require_json(&parts.headers)?;
        let body = read(&state, body).await?;
        let question = principal.map(|principal| Question::posted(principal, body.clone()));
        if let Some(answer) = kept(&state, question.as_ref()) {
            let response = answer.in_media(media, &parts.headers);
            return Ok(with_rate_limit(&state, &parts, principal, response));
        }
        let mut parameters = operation::from_body(&body)?;
        let text = find(&state, &mut parameters)?;
        let context =
            || context_of(&state, &parts, principal).with_refresh_tokens(Arc::clone(&tokens));
        let operation = || parameters.with_text(&text);
        let answer = execute(&state, operation, context, question).await?;
        Ok(with_rate_limit(
            &state,
            &parts,
            principal,
            answer::in_media(media, &answer),
        ))
    })
    .await;
    if let RefreshTokens::Cookie(jar) = tokens.as_ref()
        && let Some(change) = jar.change()
    {
        session_cookie::write(&change, &parts, &mut response);
    }
    response
}

/// The answer to a question that was answered before, if it is still right. Without enough points for it the
/// operation goes to the schema, which refuses it.
fn kept(state: &HttpState, question: Option<&Question>) -> Option<Arc<Answer>> {
    let question = question?;
    let answer = state
        .answers
        .find(question, state.live.memory(), state.clock.now())?;
    let key = RateLimitKey::Tenant(question.tenant());
    state
        .buckets
        .charge_cached(key, answer.cost(), Instant::now())
        .then_some(answer)
}

/// An operation whose answers are sent as they come.
async fn follow(state: &HttpState, parts: &Parts, body: Body) -> Result<Response<Body>, Refusal> {
    let caller = bearer::caller(state, &parts.headers).await?;
    media::require_json(&parts.headers)?;
    let tokens = session_cookie::of_stream(&parts.headers, state.options.behind_proxy);
    let context = context_of(state, parts, caller.map(|caller| caller.principal))
        .with_refresh_tokens(Arc::new(tokens));
    let body = read(state, body).await?;
    let answers = live::answers(state, operation::from_body(&body)?, context)?;
    Ok(live::events(state.clone(), answers, caller))
}

/// `GET /graphql`: queries only.
pub(super) async fn get(State(state): State<HttpState>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    respond(&parts, async |media| {
        let principal = bearer::principal(&state, &parts.headers).await?;
        let question = principal.map(|principal| Question::in_query(principal, parts.uri.query()));
        if let Some(answer) = kept(&state, question.as_ref()) {
            let response = answer.tagged(media, &parts.headers);
            return Ok(with_rate_limit(&state, &parts, principal, response));
        }
        let Query(pairs) = Query::try_from_uri(&parts.uri)
            .map_err(|_| Refusal::malformed("The query string cannot be read."))?;
        let mut parameters = operation::from_query(pairs)?;
        let text = find(&state, &mut parameters)?;
        // What cannot be read changes nothing either: the schema will say what is wrong with it.
        let name = parameters.operation_name.as_deref();
        if read_document(&text, &state.limits)
            .is_some_and(|document| !operation::is_safe(&document, name))
        {
            return Err(Refusal::only_by_post());
        }
        let context = || context_of(&state, &parts, principal);
        let operation = || parameters.with_text(&text);
        let answer = execute(&state, operation, context, question).await?;
        let response = etag::in_media(media, &answer, &parts.headers);
        Ok(with_rate_limit(&state, &parts, principal, response))
    })
    .await
}

fn find(state: &HttpState, parameters: &mut Parameters) -> Result<Arc<str>, Refusal> {
    let text = parameters.query.take();
    state
        .documents
        .find(text, parameters.id.as_ref(), &state.limits)
}

/// Answers in the form that the client reads.
async fn respond(
    parts: &Parts,
    work: impl AsyncFnOnce(Media) -> Result<Response<Body>, Refusal>,
) -> Response<Body> {
    let id = request_id(parts);
    let Some(media) = Media::accepted(&parts.headers) else {
        let message = "Accept application/graphql-response+json or application/json.";
        return Refusal::new(StatusCode::NOT_ACCEPTABLE, "BAD_USER_INPUT", message)
            .in_media(Media::Json, &id);
    };
    work(media)
        .await
        .unwrap_or_else(|refusal| refusal.in_media(media, &id))
}

fn request_id(parts: &Parts) -> String {
    parts
        .extensions
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default()
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

/// Reads the body, as much as is allowed.
async fn read(state: &HttpState, body: Body) -> Result<Bytes, Refusal> {
    let largest = state.options.largest_body;
    let mut chunks = body.into_data_stream();
    let (mut kept, mut seen) = (BytesMut::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::malformed("The body could not be read."))?;
        seen = seen.saturating_add(chunk.len());
        if seen <= largest && kept.is_empty() {
            // As a rule there is one, and it is taken as it is.
            kept = chunk.into();
        } else if seen <= largest {
            kept.extend_from_slice(&chunk);
        } else if seen <= largest.saturating_add(MAX_DRAINED) {
            // Read on and forget: a client that is cut off while it sends does not see why.
            kept = BytesMut::new();
        } else {
            break;
        }
    }
    if seen > largest {
        let kib = largest / 1024;
        let message = format!("The operation is too large: at most {kib} KiB.");
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            LIMIT_EXCEEDED,
            message,
        ));
    }
    Ok(kept.freeze())
}

async fn execute(
    state: &HttpState,
    operation: impl FnOnce() -> async_graphql::Request,
    context: impl FnOnce() -> RequestContext,
    question: Option<Question>,
) -> Result<async_graphql::Response, Refusal> {
    let context = context();
    let outcome = context.outcome();
    let work = state.schema.execute(operation().data(context));
    let answer = tokio::time::timeout(state.options.operation_timeout, work)
        .await
        .map_err(|_| {
            tracing::warn!("operation timed out");
            Refusal::timeout()
        })?;
    if let Some(question) = question
        && let Some(lasting) = Answer::lasting(&answer, &outcome)
    {
        state.answers.keep(question, lasting);
    }
    Ok(answer)
}

fn context_of(state: &HttpState, parts: &Parts, principal: Option<Principal>) -> RequestContext {
    let address = client_address(parts, state.options.behind_proxy);
    let agent = parts.headers.get(USER_AGENT);
    RequestContext::new(
        state.database.clone(),
        state.clock,
        principal,
        request_id(parts),
        address,
        state.live.memory(),
    )
    .with_user_agent(agent.and_then(|agent| agent.to_str().ok()))
}

pub(super) fn client_address(parts: &Parts, behind_proxy: bool) -> Option<IpAddr> {
    let peer = || {
        parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip())
    };
    if behind_proxy {
        forwarded_for(&parts.headers).or_else(peer)
    } else {
        peer()
    }
}

/// The last address of the list: the one that our own proxy wrote. Those before it are the client's word.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let list = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()?
        .to_str()
        .ok()?;
    list.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_proxys_own_entry_of_the_list_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("10.0.0.1"));
        headers.append(
            "x-forwarded-for",
            HeaderValue::from_static("10.0.0.2, 192.0.2.7"),
        );
        assert_eq!(forwarded_for(&headers), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(forwarded_for(&HeaderMap::new()), None);
    }
}

//! `/graphql`: one operation a request. async-graphql's own axum handler is not used: it carries out
//! mutations sent with GET, and its status codes and media types are not those of the specification.

use std::net::{IpAddr, SocketAddr};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequest as _, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode};

use super::answer::{self, Refusal};
use super::layers::RequestId;
use super::media::Media;
use super::{HttpState, bearer, live, media, operation};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;

/// `POST /graphql`.
pub(super) async fn post(State(state): State<HttpState>, request: Request) -> Response<Body> {
    if live::wants_events(request.headers()) {
        return match follow(&state, request).await {
            Ok(events) => events,
            Err(refusal) => refusal.in_media(Media::Json),
        };
    }
    let (parts, body) = request.into_parts();
    respond(&parts, async || {
        let context = context(&state, &parts).await?;
        media::require_json(&parts.headers)?;
        let body = read(&state, Request::from_parts(parts.clone(), body)).await?;
        execute(&state, operation::from_body(&body)?, context).await
    })
    .await
}

/// An operation whose answers are sent as they come.
async fn follow(state: &HttpState, request: Request) -> Result<Response<Body>, Refusal> {
    let (parts, body) = request.into_parts();
    let caller = bearer::caller(state, &parts.headers).await?;
    media::require_json(&parts.headers)?;
    let context = context_of(state, &parts, caller.map(|caller| caller.principal));
    let body = read(state, Request::from_parts(parts, body)).await?;
    let operation = operation::from_body(&body)?;
    Ok(live::events(state.clone(), operation, context, caller))
}

/// `GET /graphql`: queries only.
pub(super) async fn get(State(state): State<HttpState>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    respond(&parts, async || {
        let context = context(&state, &parts).await?;
        let Query(pairs) = Query::try_from_uri(&parts.uri)
            .map_err(|_| Refusal::malformed("The query string cannot be read."))?;
        let mut operation = operation::from_query(pairs)?;
        if !operation::is_safe(&mut operation) {
            return Err(Refusal::only_by_post());
        }
        execute(&state, operation, context).await
    })
    .await
}

/// Answers in the form that the client reads.
async fn respond(
    parts: &Parts,
    work: impl AsyncFnOnce() -> Result<async_graphql::Response, Refusal>,
) -> Response<Body> {
    let Some(media) = Media::accepted(&parts.headers) else {
        let message = "Accept application/graphql-response+json or application/json.";
        return Refusal::new(StatusCode::NOT_ACCEPTABLE, "BAD_USER_INPUT", message)
            .in_media(Media::Json);
    };
    match work().await {
        Ok(response) => answer::in_media(media, &response),
        Err(refusal) => refusal.in_media(media),
    }
}

async fn read(state: &HttpState, request: Request) -> Result<Bytes, Refusal> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "BAD_USER_INPUT",
                "The operation is too large: at most 256 KiB.",
            ),
            _ => Refusal::malformed("The body could not be read."),
        })
}

async fn execute(
    state: &HttpState,
    operation: async_graphql::Request,
    context: RequestContext,
) -> Result<async_graphql::Response, Refusal> {
    let work = state.schema.execute(operation.data(context));
    tokio::time::timeout(state.options.operation_timeout, work)
        .await
        .map_err(|_| {
            tracing::warn!("the operation took too long");
            Refusal::timeout()
        })
}

async fn context(state: &HttpState, parts: &Parts) -> Result<RequestContext, Refusal> {
    let principal = bearer::principal(state, &parts.headers).await?;
    Ok(context_of(state, parts, principal))
}

fn context_of(state: &HttpState, parts: &Parts, principal: Option<Principal>) -> RequestContext {
    let request_id = parts
        .extensions
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    let address = client_address(parts, state.options.behind_proxy);
    RequestContext::new(
        state.database.clone(),
        state.clock,
        principal,
        request_id,
        address,
    )
}

fn client_address(parts: &Parts, behind_proxy: bool) -> Option<IpAddr> {
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

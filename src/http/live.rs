//! Operations that are answered more than once: over a socket ([`super::socket`]), and as server-sent events
//! where the client asks for them. Who subscribes is proven when the connection opens; it ends with the token.

use std::convert::Infallible;

use async_graphql::Response;
use async_stream::stream;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response as HttpResponse};
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};

use super::answer::Refusal;
use super::operation::{self, Parameters};
use super::{HttpState, bearer};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::give_codes;
use crate::graphql::read_document;

/// Whose connection it is, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    pub(super) expires_at: DateTime<Utc>,
}

/// What an operation answers: once, within the time an operation has, unless it is a subscription.
pub(super) fn answers(
    state: &HttpState,
    mut parameters: Parameters,
    context: RequestContext,
) -> Result<BoxStream<'static, Response>, Refusal> {
    let text = parameters.query.take();
    let text = state
        .documents
        .find(text, parameters.id.as_ref(), &state.limits)?;
    let name = parameters.operation_name.as_deref();
    let goes_on = read_document(&text, &state.limits)
        .is_some_and(|document| operation::is_subscription(&document, name));
    let request = parameters.with_text(&text).data(context);
    let schema = state.schema.clone();
    if goes_on {
        let answers = schema.execute_stream(request).map(|mut answer| {
            give_codes(&mut answer);
            answer
        });
        return Ok(answers.boxed());
    }
    let patience = state.options.operation_timeout;
    let answer = async move {
        let answer = tokio::time::timeout(patience, schema.execute(request)).await;
        answer.unwrap_or_else(|_| {
            tracing::warn!("the operation took too long");
            Response::from_errors(vec![Refusal::timeout().as_error()])
        })
    };
    Ok(futures_util::stream::once(answer).boxed())
}

/// Returns when the caller's token or session has ended: at once where the end is heard of, and soon where not.
pub(super) async fn until_over(state: &HttpState, caller: Caller) {
    let mut changes = state.live.access_changes().await.ok();
    loop {
        if bearer::is_over(state, caller).await {
            return;
        }
        let left = (caller.expires_at - state.clock.now()).to_std();
        let Ok(left) = left else {
            return;
        };
        let heard = async {
            match &mut changes {
                Some(changes) => changes.concerning(caller.principal).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(left.min(state.options.session_check)) => {}
            () = heard => {}
        }
    }
}

/// Whether the client asks for server-sent events.
pub(super) fn wants_events(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|wish| wish.split(';').next())
        .any(|media| media.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// An operation's answers as server-sent events, by the "distinct connections" of graphql-sse: `next` with
/// each, `complete` at the end.
pub(super) fn events(
    state: HttpState,
    answers: BoxStream<'static, Response>,
    caller: Option<Caller>,
) -> HttpResponse {
    let keep_alive = KeepAlive::new().interval(state.options.keep_alive);
    Sse::new(told(state, answers, caller))
        .keep_alive(keep_alive)
        .into_response()
}

fn told(
    state: HttpState,
    mut answers: BoxStream<'static, Response>,
    caller: Option<Caller>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream! {
        let stopped = state.live.stopped();
        let mut over = Box::pin(async {
            match caller {
                Some(caller) => until_over(&state, caller).await,
                None => std::future::pending().await,
            }
        });
        let mut ended = false;
        while !ended {
            let answer = tokio::select! {
                answer = answers.next() => answer,
                // Without `complete`: the client sees a lost connection, and opens another.
                () = stopped.cancelled() => return,
                () = &mut over => {
                    ended = true;
                    let error = Refusal::unauthenticated("The token has ended.").as_error();
                    Some(Response::from_errors(vec![error]))
                }
            };
            let Some(answer) = answer else {
                break;
            };
            if let Ok(event) = Event::default().event("next").json_data(answer) {
                yield Ok(event);
            }
        }
        yield Ok(Event::default().event("complete").data(""));
    }
}

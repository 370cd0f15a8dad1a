//! Server-sent events: the "distinct connections" mode of the graphql-sse protocol. Each response is a `next`
//! event; `complete` ends the operation.

use std::convert::Infallible;

use async_graphql::Response;
use async_stream::stream;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response as HttpResponse};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};

use super::HttpState;
use super::response::HttpError;
use super::response_stream::{Caller, session_ended};

/// The responses of an operation as server-sent events.
pub(super) fn response(
    state: HttpState,
    responses: BoxStream<'static, Response>,
    caller: Option<Caller>,
) -> HttpResponse {
    let keep_alive = KeepAlive::new().interval(state.options.keep_alive_interval);
    Sse::new(events(state, responses, caller))
        .keep_alive(keep_alive)
        .into_response()
}

fn events(
    state: HttpState,
    mut responses: BoxStream<'static, Response>,
    caller: Option<Caller>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream! {
        let shutdown = state.invalidation.stopped();
        let mut session_ended = Box::pin(async {
            match caller {
                Some(caller) => session_ended(&state, caller).await,
                None => std::future::pending().await,
            }
        });
        let mut is_ended = false;
        while !is_ended {
            let response = tokio::select! {
                response = responses.next() => response,
                // Without `complete`, so that the client reconnects.
                () = shutdown.cancelled() => return,
                () = &mut session_ended => {
                    is_ended = true;
                    let error = HttpError::unauthenticated("The token has ended.").into_error();
                    Some(Response::from_errors(vec![error]))
                }
            };
            let Some(response) = response else {
                break;
            };
            if let Ok(event) = Event::default().event("next").json_data(response) {
                yield Ok(event);
            }
        }
        yield Ok(Event::default().event("complete").data(""));
    }
}

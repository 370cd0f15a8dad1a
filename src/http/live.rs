//! Subscriptions: `graphql-transport-ws` at `/graphql/ws`, and server-sent events where the client asks for
//! them. Who subscribes is proven when the connection opens; the connection ends with the token.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::http::{WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor, Request, Response};
use async_stream::stream;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response as HttpResponse};
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{SinkExt as _, Stream, StreamExt as _};
use tokio::sync::watch;

use super::{HttpState, bearer};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;

/// The subprotocol of graphql-ws; the older one of the same routes is not spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to say who it is, and to take a message.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes that a client may send at once.
const LARGEST_MESSAGE: usize = 256 * 1024;
/// The codes of graphql-ws for a connection that may not go on.
const FORBIDDEN: u16 = 4403;
const REFUSED: &str = "Forbidden";
/// What the library closes a connection with on which somebody subscribes before saying who it is.
const UNPREPARED: u16 = 1011;
const UNAUTHORIZED: u16 = 4401;
const INIT_TIMEOUT: u16 = 4408;
const GOING_AWAY: u16 = 1001;

/// Whose connection it is, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    pub(super) expires_at: DateTime<Utc>,
}

/// Carries out what comes over one connection, each operation with a context of its own.
#[derive(Clone)]
struct Session {
    state: HttpState,
    request_id: String,
}

impl Session {
    /// The operation with its context; refused where only known documents may be carried out and this is none.
    fn prepared(
        &self,
        mut request: Request,
        caller: Option<Caller>,
    ) -> Result<Request, Box<Response>> {
        let text = Some(std::mem::take(&mut request.query));
        match self.state.documents.find(text, None, &self.state.limits) {
            Ok(text) => text.as_ref().clone_into(&mut request.query),
            Err(refusal) => {
                return Err(Box::new(Response::from_errors(vec![refusal.as_error()])));
            }
        }
        let context = RequestContext::new(
            self.state.database.clone(),
            self.state.clock,
            caller.map(|caller| caller.principal),
            self.request_id.clone(),
            None,
        );
        Ok(request.data(context))
    }
}

impl Executor for Session {
    async fn execute(&self, request: Request) -> Response {
        match self.prepared(request, None) {
            Ok(request) => self.state.schema.execute(request).await,
            Err(refused) => *refused,
        }
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let caller = session_data
            .as_deref()
            .and_then(|data| data.get(&std::any::TypeId::of::<Caller>()))
            .and_then(|caller| caller.downcast_ref::<Caller>())
            .copied();
        match self.prepared(request, caller) {
            Ok(request) => self.state.schema.execute_stream(request).boxed(),
            Err(refused) => futures_util::stream::once(std::future::ready(*refused)).boxed(),
        }
    }
}

/// `GET /graphql/ws`.
pub(super) async fn socket(
    State(state): State<HttpState>,
    upgrade: WebSocketUpgrade,
) -> HttpResponse {
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(LARGEST_MESSAGE);
    if upgrade.selected_protocol() != Some(&HeaderValue::from_static(PROTOCOL)) {
        let message = "Speak graphql-transport-ws: name it in Sec-WebSocket-Protocol.";
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    upgrade.on_upgrade(move |socket| serve(state, socket))
}

async fn serve(state: HttpState, socket: WebSocket) {
    let (mut sink, source) = socket.split();
    let (known, caller) = watch::channel(None);
    let session = Session {
        state: state.clone(),
        request_id: uuid::Uuid::new_v4().simple().to_string(),
    };
    let texts = source
        .take_while(|message| std::future::ready(message.is_ok()))
        .filter_map(|message| async move {
            match message {
                Ok(Message::Text(text)) => Some(text.as_bytes().to_vec()),
                Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
                _ => None,
            }
        });
    let opening = state.clone();
    let messages = async_graphql::http::WebSocket::new(
        session,
        Box::pin(texts),
        WebSocketProtocols::GraphQLWS,
    )
    .on_connection_init(move |payload| async move {
        let caller = bearer::of_connection(&opening, &payload)
            .await
            .ok_or_else(|| async_graphql::Error::new(REFUSED))?;
        known.send_replace(Some(caller));
        let mut data = Data::default();
        data.insert(caller);
        Ok(data)
    });
    let mut messages = Box::pin(messages);
    let mut end = Box::pin(end_of(state, caller));
    let last = loop {
        let message = tokio::select! {
            message = messages.next() => message,
            (code, reason) = &mut end => break Some((code, reason.to_owned())),
        };
        let message = match message {
            Some(WsMessage::Text(text)) => Message::Text(text.into()),
            // The library closes these as errors of the protocol or the server; graphql-ws has codes for them.
            Some(WsMessage::Close(_, reason)) if reason == REFUSED => {
                break Some((FORBIDDEN, reason));
            }
            Some(WsMessage::Close(UNPREPARED, reason)) => break Some((UNAUTHORIZED, reason)),
            Some(WsMessage::Close(code, reason)) => break Some((code, reason)),
            None => break None,
        };
        // A client that takes nothing loses its connection, and nobody waits for it.
        match tokio::time::timeout(PATIENCE, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break None,
        }
    };
    if let Some((code, reason)) = last {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        let closing = sink.send(Message::Close(Some(frame)));
        let _ = tokio::time::timeout(PATIENCE, closing).await;
    }
}

/// Ends when the connection has to: nobody said who it is, the token or the session ended, or the program
/// does.
async fn end_of(
    state: HttpState,
    mut caller: watch::Receiver<Option<Caller>>,
) -> (u16, &'static str) {
    let stopped = state.live.stopped();
    let opened = async {
        let found = caller.wait_for(Option::is_some).await;
        found.ok().and_then(|found| *found)
    };
    let caller = tokio::select! {
        () = stopped.cancelled() => return (GOING_AWAY, "The server is going away"),
        opened = tokio::time::timeout(PATIENCE, opened) => match opened {
            Ok(Some(caller)) => caller,
            // Refused: the protocol's own close message is on its way.
            Ok(None) => return std::future::pending().await,
            Err(_) => return (INIT_TIMEOUT, "Connection initialisation timeout"),
        },
    };
    tokio::select! {
        () = stopped.cancelled() => (GOING_AWAY, "The server is going away"),
        () = until_over(&state, caller) => (FORBIDDEN, "The token has ended"),
    }
}

/// Returns when the caller's token or session has ended: at once where the end is heard of, and soon where not.
async fn until_over(state: &HttpState, caller: Caller) {
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

/// An operation's answers as server-sent events: `next` with each, `complete` at the end (graphql-sse).
pub(super) fn events(
    state: HttpState,
    operation: Request,
    context: RequestContext,
    caller: Option<Caller>,
) -> HttpResponse {
    Sse::new(answers(state, operation, context, caller))
        .keep_alive(KeepAlive::default())
        .into_response()
}

fn answers(
    state: HttpState,
    operation: Request,
    context: RequestContext,
    caller: Option<Caller>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream! {
        let mut responses = Box::pin(state.schema.execute_stream(operation.data(context)));
        let stopped = state.live.stopped();
        let mut over = Box::pin(async {
            match caller {
                Some(caller) => until_over(&state, caller).await,
                None => std::future::pending().await,
            }
        });
        loop {
            let response = tokio::select! {
                response = responses.next() => response,
                () = stopped.cancelled() => None,
                () = &mut over => None,
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

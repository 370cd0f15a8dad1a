//! The `graphql-transport-ws` protocol at `/graphql/ws`. The implementation of async-graphql does not follow the
//! protocol: it replaces an operation with a duplicate id, closes every connection with the same code, never
//! sends `error` messages, and does not limit the number of operations.
//!
//! The first message authenticates the caller. The connection ends with the session.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response, ServerError};
use async_stream::stream;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response as HttpResponse};
use futures_util::future::AbortHandle;
use futures_util::stream::{BoxStream, SelectAll, abortable};
use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::MissedTickBehavior;

use super::response::is_request_error;
use super::response_stream::{Caller, response_stream, session_ended};
use super::{HttpState, bearer, request_parameters, session_cookie};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::refresh_tokens::RefreshTokens;

/// The subprotocol. The older `graphql-ws` subprotocol is not supported.
const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to authenticate, and to receive a message.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a message from a client.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// The code and reason of a close frame.
type Close = (u16, String);

fn close(code: u16, reason: &str) -> Close {
    (code, reason.to_owned())
}

fn going_away() -> Close {
    close(1001, "The server is going away")
}

/// A message from the client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ClientMessage {
    ConnectionInit {
        #[serde(default)]
        payload: Value,
    },
    Ping {
        #[serde(default)]
        payload: Option<Value>,
    },
    Pong {},
    Subscribe {
        id: String,
        payload: Map<String, Value>,
    },
    Complete {
        id: String,
    },
}

/// A message to the client.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerMessage {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Next {
        id: String,
        payload: Box<Response>,
    },
    /// The operation was refused before its execution.
    Error {
        id: String,
        payload: Vec<ServerError>,
    },
    Complete {
        id: String,
    },
}

impl ServerMessage {
    /// The id of the operation that this message ends.
    fn ended_operation(&self) -> Option<&str> {
        match self {
            Self::Error { id, .. } | Self::Complete { id } => Some(id),
            _ => None,
        }
    }
}

/// `GET /graphql/ws`.
pub(super) async fn upgrade(
    State(state): State<HttpState>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> HttpResponse {
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(MAX_MESSAGE_BYTES);
    if upgrade.selected_protocol() != Some(&HeaderValue::from_static(PROTOCOL)) {
        let message =
            "Unsupported subprotocol. Use graphql-transport-ws in Sec-WebSocket-Protocol.";
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let tokens = session_cookie::refresh_tokens_of_stream(&headers, state.options.behind_proxy);
    upgrade.on_upgrade(move |socket| async move {
        Connection::new(state, socket, tokens).serve().await;
    })
}

/// A connection and its operations.
struct Connection {
    state: HttpState,
    socket: WebSocket,
    request_id: String,
    refresh_tokens: Arc<RefreshTokens>,
    caller: Option<Caller>,
    /// Completes when the connection must be closed.
    must_close: Pin<Box<dyn Future<Output = Close> + Send>>,
    operations: SelectAll<BoxStream<'static, ServerMessage>>,
    /// Cancels the operations, by id.
    handles: HashMap<String, AbortHandle>,
}

impl Connection {
    fn new(state: HttpState, socket: WebSocket, refresh_tokens: RefreshTokens) -> Self {
        Self {
            state,
            socket,
            request_id: uuid::Uuid::new_v4().simple().to_string(),
            refresh_tokens: Arc::new(refresh_tokens),
            caller: None,
            must_close: Box::pin(async {
                tokio::time::sleep(TIMEOUT).await;
                close(4408, "Connection initialisation timeout")
            }),
            operations: SelectAll::new(),
            handles: HashMap::new(),
        }
    }

    async fn serve(mut self) {
        let ended = self.exchange_messages().await;
        let frame = ended.err().flatten().map(|(code, reason)| CloseFrame {
            code,
            reason: reason.into(),
        });
        let last = self.socket.send(Message::Close(frame));
        let _ = tokio::time::timeout(TIMEOUT, last).await;
    }

    /// Receives and sends messages until the connection ends. The error is the server's close frame; `None` if
    /// the client does not respond.
    async fn exchange_messages(&mut self) -> Result<(), Option<Close>> {
        let shutdown = self.state.invalidation.stopped();
        let mut heartbeat = tokio::time::interval(self.state.options.keep_alive_interval);
        heartbeat.reset();
        // If the server was suspended, the client still gets a whole interval to respond.
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_responsive = true;
        loop {
            tokio::select! {
                // Closing comes first, so that a client cannot delay it by sending messages.
                biased;
                () = shutdown.cancelled() => return Err(Some(going_away())),
                reason = &mut self.must_close => return Err(Some(reason)),
                message = self.socket.recv() => {
                    is_responsive = true;
                    match message {
                        Some(Ok(Message::Text(text))) => self.receive(text.as_bytes()).await?,
                        Some(Ok(Message::Binary(bytes))) => self.receive(&bytes).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                    }
                }
                message = self.operations.next(), if !self.operations.is_empty() => {
                    if let Some(message) = message {
                        if let Some(id) = message.ended_operation() {
                            self.handles.remove(id);
                        }
                        self.send_message(&message).await?;
                    }
                }
                _ = heartbeat.tick() => {
                    // The client sent nothing for a whole interval, not even a pong.
                    if !std::mem::take(&mut is_responsive) {
                        return Err(None);
                    }
                    self.send(Message::Ping(bytes::Bytes::new())).await?;
                }
            }
        }
    }

    async fn receive(&mut self, message: &[u8]) -> Result<(), Option<Close>> {
        let message = serde_json::from_slice(message)
            .map_err(|_| Some(close(4400, "Invalid message received")))?;
        match message {
            ClientMessage::ConnectionInit { payload } => self.authenticate(&payload).await,
            ClientMessage::Ping { payload } => {
                self.send_message(&ServerMessage::Pong { payload }).await
            }
            ClientMessage::Pong {} => Ok(()),
            ClientMessage::Subscribe { id, payload } => self.subscribe(id, payload).await,
            ClientMessage::Complete { id } => {
                if let Some(handle) = self.handles.remove(&id) {
                    handle.abort();
                }
                Ok(())
            }
        }
    }

    async fn authenticate(&mut self, payload: &Value) -> Result<(), Option<Close>> {
        if self.caller.is_some() {
            return Err(Some(close(4429, "Too many initialisation requests")));
        }
        let caller = bearer::of_connection(&self.state, payload)
            .await
            .ok_or_else(|| Some(close(4403, "Forbidden")))?;
        self.caller = Some(caller);
        let state = self.state.clone();
        self.must_close = Box::pin(async move {
            session_ended(&state, caller).await;
            close(4403, "The token has ended")
        });
        self.send_message(&ServerMessage::ConnectionAck).await
    }

    async fn subscribe(
        &mut self,
        id: String,
        payload: Map<String, Value>,
    ) -> Result<(), Option<Close>> {
        let Some(caller) = self.caller else {
            return Err(Some(close(4401, "Unauthorized")));
        };
        if id.is_empty() {
            return Err(Some(close(4400, "Invalid message received")));
        }
        if self.handles.contains_key(&id) {
            let reason = format!("Subscriber for {} already exists", shortened(&id));
            return Err(Some((4409, reason)));
        }
        let responses = match self.responses(caller, payload) {
            Ok(responses) => responses,
            Err(error) => {
                let payload = vec![*error];
                return self
                    .send_message(&ServerMessage::Error { id, payload })
                    .await;
            }
        };
        let (messages, handle) = abortable(message_stream(id.clone(), responses));
        self.operations.push(messages.boxed());
        self.handles.insert(id, handle);
        Ok(())
    }

    /// The responses of an operation, which gets a request context of its own.
    fn responses(
        &self,
        caller: Caller,
        payload: Map<String, Value>,
    ) -> Result<BoxStream<'static, Response>, Box<ServerError>> {
        let maximum = self.state.limits.subscriptions;
        if self.handles.len() >= maximum {
            let limit = "subscriptions";
            let error = ApiError::LimitExceeded { limit, maximum };
            return Err(Box::new(error.without_location()));
        }
        let context = RequestContext::new(
            self.state.database.clone(),
            self.state.clock,
            Some(caller.principal),
            self.request_id.clone(),
            None,
            self.state.invalidation.caches(),
        )
        .with_refresh_tokens(Arc::clone(&self.refresh_tokens));
        request_parameters::from_parameters(payload)
            .and_then(|parameters| response_stream(&self.state, parameters, context))
            .map_err(|error| Box::new(error.into_error()))
    }

    async fn send_message(&mut self, message: &ServerMessage) -> Result<(), Option<Close>> {
        let text = serde_json::to_string(message).map_err(|error| {
            tracing::error!(error = %error, "cannot serialize a message");
            Some(close(4500, "Internal server error"))
        })?;
        self.send(Message::Text(text.into())).await
    }

    /// Sends a message. A client that does not receive it in time loses its connection.
    async fn send(&mut self, message: Message) -> Result<(), Option<Close>> {
        match tokio::time::timeout(TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }
}

/// The responses of an operation as messages. A request error becomes an `error` message.
fn message_stream(
    id: String,
    mut responses: BoxStream<'static, Response>,
) -> impl Stream<Item = ServerMessage> {
    stream! {
        let mut is_first = true;
        while let Some(response) = responses.next().await {
            if is_first && is_request_error(&response) {
                yield ServerMessage::Error { id, payload: response.errors };
                return;
            }
            is_first = false;
            yield ServerMessage::Next { id: id.clone(), payload: Box::new(response) };
        }
        yield ServerMessage::Complete { id };
    }
}

/// The reason of a close frame has at most 123 bytes.
fn shortened(id: &str) -> &str {
    id.char_indices()
        .nth(20)
        .and_then(|(end, _)| id.get(..end))
        .unwrap_or(id)
}

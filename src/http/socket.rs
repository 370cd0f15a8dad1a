//! `graphql-transport-ws` at `/graphql/ws`, spoken by us: the library's own version replaces an operation whose
//! id is taken, has one code for whatever closes a connection, no `error` message, and no limit. Who subscribes
//! is proven by the first message; the connection ends with the token.

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

use super::answer::was_not_executed;
use super::live::{self, Caller};
use super::{HttpState, bearer, operation, session_cookie};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::refresh_tokens::RefreshTokens;

/// The subprotocol of graphql-ws; the older one of the same routes is not spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to say who it is, and to take a message.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes that a client may send at once.
const LARGEST_MESSAGE: usize = 256 * 1024;

/// Why a connection is closed, in the protocol's codes.
type Close = (u16, String);

fn close(code: u16, reason: &str) -> Close {
    (code, reason.to_owned())
}

fn going_away() -> Close {
    close(1001, "The server is going away")
}

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
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

/// What a client is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Next {
        id: String,
        payload: Box<Response>,
    },
    /// The operation was not carried out, and is over.
    Error {
        id: String,
        payload: Vec<ServerError>,
    },
    Complete {
        id: String,
    },
}

impl Told {
    /// The operation that ends with this.
    fn ended(&self) -> Option<&str> {
        match self {
            Self::Error { id, .. } | Self::Complete { id } => Some(id),
            _ => None,
        }
    }
}

/// `GET /graphql/ws`.
pub(super) async fn socket(
    State(state): State<HttpState>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> HttpResponse {
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(LARGEST_MESSAGE);
    if upgrade.selected_protocol() != Some(&HeaderValue::from_static(PROTOCOL)) {
        let message = "Speak graphql-transport-ws: name it in Sec-WebSocket-Protocol.";
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let tokens = session_cookie::of_stream(&headers, state.options.behind_proxy);
    upgrade.on_upgrade(move |socket| async move {
        Connection::new(state, socket, tokens).serve().await;
    })
}

/// One connection and what is carried out over it.
struct Connection {
    state: HttpState,
    socket: WebSocket,
    request_id: String,
    refresh_tokens: Arc<RefreshTokens>,
    caller: Option<Caller>,
    /// Ends when the connection has to.
    over: Pin<Box<dyn Future<Output = Close> + Send>>,
    operations: SelectAll<BoxStream<'static, Told>>,
    /// How each operation is ended before its time.
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
            over: Box::pin(async {
                tokio::time::sleep(PATIENCE).await;
                close(4408, "Connection initialisation timeout")
            }),
            operations: SelectAll::new(),
            handles: HashMap::new(),
        }
    }

    async fn serve(mut self) {
        let ended = self.talk().await;
        let frame = ended.err().flatten().map(|(code, reason)| CloseFrame {
            code,
            reason: reason.into(),
        });
        let last = self.socket.send(Message::Close(frame));
        let _ = tokio::time::timeout(PATIENCE, last).await;
    }

    /// Until one of both ends it. `Err` holds our reason; none when the client is gone.
    async fn talk(&mut self) -> Result<(), Option<Close>> {
        let stopped = self.state.live.stopped();
        let mut heartbeat = tokio::time::interval(self.state.options.keep_alive);
        heartbeat.reset();
        // After a pause of ours a client has its time to answer, as ever.
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = true;
        loop {
            tokio::select! {
                // The end first, whatever a client sends; what it sent before it is taken for gone.
                biased;
                () = stopped.cancelled() => return Err(Some(going_away())),
                reason = &mut self.over => return Err(Some(reason)),
                message = self.socket.recv() => {
                    heard = true;
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(text.as_bytes()).await?,
                        Some(Ok(Message::Binary(bytes))) => self.hear(&bytes).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                    }
                }
                told = self.operations.next(), if !self.operations.is_empty() => {
                    if let Some(told) = told {
                        if let Some(id) = told.ended() {
                            self.handles.remove(id);
                        }
                        self.tell(&told).await?;
                    }
                }
                _ = heartbeat.tick() => {
                    // Whoever answers nothing for so long is no longer there.
                    if !std::mem::take(&mut heard) {
                        return Err(None);
                    }
                    self.send(Message::Ping(bytes::Bytes::new())).await?;
                }
            }
        }
    }

    async fn hear(&mut self, message: &[u8]) -> Result<(), Option<Close>> {
        let said = serde_json::from_slice(message)
            .map_err(|_| Some(close(4400, "Invalid message received")))?;
        match said {
            Said::ConnectionInit { payload } => self.open(&payload).await,
            Said::Ping { payload } => self.tell(&Told::Pong { payload }).await,
            Said::Pong {} => Ok(()),
            Said::Subscribe { id, payload } => self.begin(id, payload).await,
            Said::Complete { id } => {
                if let Some(handle) = self.handles.remove(&id) {
                    handle.abort();
                }
                Ok(())
            }
        }
    }

    async fn open(&mut self, payload: &Value) -> Result<(), Option<Close>> {
        if self.caller.is_some() {
            return Err(Some(close(4429, "Too many initialisation requests")));
        }
        let caller = bearer::of_connection(&self.state, payload)
            .await
            .ok_or_else(|| Some(close(4403, "Forbidden")))?;
        self.caller = Some(caller);
        let state = self.state.clone();
        self.over = Box::pin(async move {
            live::until_over(&state, caller).await;
            close(4403, "The token has ended")
        });
        self.tell(&Told::ConnectionAck).await
    }

    async fn begin(
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
        let answers = match self.answers(caller, payload) {
            Ok(answers) => answers,
            Err(error) => {
                let payload = vec![*error];
                return self.tell(&Told::Error { id, payload }).await;
            }
        };
        let (answers, handle) = abortable(told(id.clone(), answers));
        self.operations.push(answers.boxed());
        self.handles.insert(id, handle);
        Ok(())
    }

    /// What an operation answers, with a context of its own.
    fn answers(
        &self,
        caller: Caller,
        payload: Map<String, Value>,
    ) -> Result<BoxStream<'static, Response>, Box<ServerError>> {
        let maximum = self.state.limits.subscriptions;
        if self.handles.len() >= maximum {
            let limit = "subscriptions";
            let error = ApiError::LimitExceeded { limit, maximum };
            return Err(Box::new(error.in_no_place()));
        }
        let context = RequestContext::new(
            self.state.database.clone(),
            self.state.clock,
            Some(caller.principal),
            self.request_id.clone(),
            None,
            self.state.live.memory(),
        )
        .with_refresh_tokens(Arc::clone(&self.refresh_tokens));
        operation::from_parameters(payload)
            .and_then(|parameters| live::answers(&self.state, parameters, context))
            .map_err(|refusal| Box::new(refusal.as_error()))
    }

    async fn tell(&mut self, told: &Told) -> Result<(), Option<Close>> {
        let text = serde_json::to_string(told).map_err(|error| {
            tracing::error!(error = %error, "an answer could not be written");
            Some(close(4500, "Internal server error"))
        })?;
        self.send(Message::Text(text.into())).await
    }

    /// A client that takes nothing loses its connection, and nobody waits for it.
    async fn send(&mut self, message: Message) -> Result<(), Option<Close>> {
        match tokio::time::timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }
}

/// An operation's answers as messages. What was refused before it began is an error and not an answer.
fn told(id: String, answers: BoxStream<'static, Response>) -> impl Stream<Item = Told> {
    stream! {
        let mut answers = answers;
        let mut first = true;
        while let Some(answer) = answers.next().await {
            if first && was_not_executed(&answer) {
                yield Told::Error { id, payload: answer.errors };
                return;
            }
            first = false;
            yield Told::Next { id: id.clone(), payload: Box::new(answer) };
        }
        yield Told::Complete { id };
    }
}

/// The reason of a closing frame has at most 123 bytes.
fn shortened(id: &str) -> &str {
    id.char_indices()
        .nth(20)
        .and_then(|(end, _)| id.get(..end))
        .unwrap_or(id)
}

//! A connection that speaks graphql-transport-ws.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that speaks graphql-transport-ws.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What came before the server said that it listens: news from before may be on their way.
    early: VecDeque<Value>,
}

impl Socket {
    pub(crate) async fn open(address: &str) -> Self {
        let url = format!("{}/graphql/ws", address.replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        Self {
            stream: connect_async(request).await.unwrap().0,
            early: VecDeque::new(),
        }
    }

    /// Opens a connection and says who it is.
    pub(crate) async fn of(address: &str, token: &str) -> Self {
        let mut socket = Self::open(address).await;
        socket.init(token).await;
        assert_eq!(socket.next().await["type"], "connection_ack");
        socket
    }

    pub(crate) async fn init(&mut self, token: &str) {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        self.send(&json!({ "type": "connection_init", "payload": payload }))
            .await;
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.stream
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    pub(crate) async fn subscribe(&mut self, query: &str) {
        self.send(&json!({ "id": "1", "type": "subscribe", "payload": { "query": query } }))
            .await;
        // The server listens before it answers the next message.
        self.send(&json!({ "type": "ping" })).await;
        loop {
            let message = self.receive().await;
            match message["type"].as_str() {
                Some("pong") => break,
                Some("next") => self.early.push_back(message),
                _ => panic!("{message}"),
            }
        }
    }

    /// The next message; `null` when the connection is closed, with the code as `close`.
    pub(crate) async fn next(&mut self) -> Value {
        match self.early.pop_front() {
            Some(message) => message,
            None => self.receive().await,
        }
    }

    async fn receive(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match message.unwrap_or_else(|_| panic!("nothing came in time")) {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Close(frame))) => {
                    return json!({ "close": frame.map(|frame| u16::from(frame.code)) });
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return json!({ "close": null }),
            }
        }
    }

    /// Whether nothing is said for a while; signs of life are nothing.
    pub(crate) async fn is_silent(&mut self) -> bool {
        let said = async {
            while let Some(Ok(Message::Ping(_) | Message::Pong(_))) = self.stream.next().await {}
        };
        self.early.is_empty()
            && tokio::time::timeout(Duration::from_millis(300), said)
                .await
                .is_err()
    }
}

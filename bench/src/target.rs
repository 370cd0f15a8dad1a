//! `target`: the server that is measured, with a static handler beside it that verifies the same tokens.

use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use clap::Parser as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use xboard::app::{App, AppConfig};
use xboard::auth::tokens::AccessTokens;
use xboard::config::{Config, Settings};
use xboard::domain::clock::Clock;

/// Signs the tokens of the measurements.
pub(crate) fn secret() -> SecretString {
    SecretString::from("a secret for measuring, of no use to anybody")
}

#[derive(Debug, clap::Parser)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
}

/// The settings of a server in production, but that nobody's spending ends the load.
pub(crate) fn settings() -> anyhow::Result<Config> {
    let secret = secret();
    let arguments = [
        "target",
        "--jwt-secret",
        secret.expose_secret(),
        "--encryption-key",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "--xboard-budget",
        "0",
    ];
    Ok(Cli::try_parse_from(arguments)?.settings.resolve()?)
}

/// What the static handler gives to whoever shows a good token: the bytes that were last put there.
#[derive(Clone)]
struct Static {
    tokens: Arc<AccessTokens>,
    bytes: Arc<Mutex<Bytes>>,
}

async fn put_static(State(state): State<Static>, body: Bytes) {
    *state.bytes.lock().unwrap_or_else(PoisonError::into_inner) = body;
}

async fn give_static(State(state): State<Static>, headers: HeaderMap, _: Bytes) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match token.map(|token| state.tokens.verify(token)) {
        Some(Ok(_)) => {
            let bytes = state.bytes.lock().unwrap_or_else(PoisonError::into_inner);
            ([(header::CONTENT_TYPE, "application/json")], bytes.clone()).into_response()
        }
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// Serves until its input ends, which it does with whoever started it.
pub(crate) async fn run(url: &str) -> anyhow::Result<()> {
    let url = SecretString::from(url.to_owned());
    let app = App::build(AppConfig::new(settings()?, url)).await?;
    let state = Static {
        tokens: Arc::new(AccessTokens::new(&secret(), Clock::System)),
        bytes: Arc::default(),
    };
    let router = Router::new()
        .route("/static", post(give_static).put(put_static))
        .with_state(state)
        .merge(app.router());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr().context("no address")?);
    let stop = CancellationToken::new();
    let serving = xboard::http::serve::serve(listener, router, stop.clone());
    let ended = async {
        // Nothing is sent: an error ends it as well.
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serving, ended);
    Ok(served?)
}

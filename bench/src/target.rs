//! `target`: the measured program, with a static handler that verifies the same tokens as the baseline.

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

/// The settings of production, but without a rate limit.
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

/// The static handler: returns the bytes of the last PUT to requests with a valid token.
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

/// The options of the measured program.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// Turns the response cache off.
    #[arg(long)]
    no_response_cache: bool,
}

/// Serves until its input ends, which happens at the latest when its parent exits.
pub(crate) async fn run(url: &str, arguments: TargetArgs) -> anyhow::Result<()> {
    let url = SecretString::from(url.to_owned());
    let mut config = AppConfig::new(settings()?, url);
    if arguments.no_response_cache {
        config.http.response_cache_bytes = 0;
    }
    let app = App::build(config).await?;
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
        // Nothing is sent; an error ends the program too.
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serving, ended);
    Ok(served?)
}

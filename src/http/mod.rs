//! HTTP: the routes, and GraphQL over HTTP to the letter of its specification. Nothing of a store is known
//! here: bytes become an operation, a header becomes a principal, and the schema answers.

mod answer;
pub mod answers;
mod bearer;
mod built;
mod cookies;
mod dashboard;
pub mod documents;
mod etag;
#[cfg(test)]
pub(crate) mod fuzz;
mod graphiql;
mod graphql;
mod health;
mod layers;
mod live;
mod media;
mod oauth;
mod operation;
mod rate_limit;
pub mod serve;
mod session_cookie;
mod socket;
mod webhooks;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::routing::{get, post};

use crate::auth::limits::Limits as Attempts;
use crate::auth::tokens::AccessTokens;
use crate::db::Database;
use crate::domain::clock::Clock;
use crate::graphql::live::Live;
use crate::graphql::{Limits, TokenBuckets, XBoardSchema};
use crate::sync::SyncService;
use answers::Answers;
use documents::Documents;

/// The pages of other origins that may call the API from a browser.
#[derive(Clone, Debug)]
pub enum Origins {
    /// All of them. Harmless here: to another origin's pages the API knows bearer tokens, never the cookie.
    Any,
    /// These. None: only our own pages.
    Only(Vec<HeaderValue>),
}

/// How the server behaves towards its clients.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Who may call the API from a browser.
    pub origins: Origins,
    /// Whether GraphiQL is served. Goes together with introspection, without which it is of little use.
    pub graphiql: bool,
    /// Whether a proxy in front writes the client's address into `X-Forwarded-For`. Without a proxy a client
    /// could write there what it likes, and escape the login limits.
    pub behind_proxy: bool,
    /// Whether people come by https, so that browsers may be told never to come by anything else.
    pub over_https: bool,
    /// How long one operation may take.
    pub operation_timeout: Duration,
    /// How often it is looked whether the session of an open subscription is still alive.
    pub session_check: Duration,
    /// How often an open subscription that has nothing to tell gives a sign of life, and looks for one.
    pub keep_alive: Duration,
    /// The most bytes of a request's body.
    pub largest_body: usize,
    /// How many bytes of answers are kept to be given again.
    pub kept_answers: u64,
    /// How many bytes of stores' figures are kept to answer from.
    pub kept_figures: u64,
    /// How many bytes of documents are kept for clients that send only their hashes.
    pub persisted_queries: usize,
    /// Where the only documents are that may be carried out; `None`: all may.
    pub trusted_documents: Option<PathBuf>,
}

/// What the handlers share. Clones share it too: every request has one.
#[derive(Clone)]
pub struct HttpState(Arc<HttpParts>);

impl HttpState {
    /// The state of these parts.
    #[must_use]
    pub fn new(parts: HttpParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for HttpState {
    type Target = HttpParts;

    fn deref(&self) -> &HttpParts {
        &self.0
    }
}

/// What the handlers need.
pub struct HttpParts {
    /// Answers operations.
    pub schema: XBoardSchema,
    /// What a document may hold.
    pub limits: Limits,
    /// The documents that clients may name instead of sending them.
    pub documents: Arc<Documents>,
    /// Tells whether a session is alive.
    pub database: Database,
    /// Verifies bearer tokens.
    pub tokens: Arc<AccessTokens>,
    /// How often an address may begin to install the app.
    pub attempts: Arc<Attempts>,
    /// The time.
    pub clock: Clock,
    /// The points that each caller has left.
    pub buckets: Arc<TokenBuckets>,
    /// Answers that may be given again.
    pub answers: Arc<Answers>,
    /// The news of the stores.
    pub live: Live,
    /// Takes deliveries of webhooks in.
    pub sync: SyncService,
    /// How to behave.
    pub options: HttpOptions,
}

impl std::fmt::Debug for HttpState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpState")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The whole site. Serve it with the clients' addresses: see [`serve`].
pub fn router(state: HttpState) -> Router {
    let mut routes = Router::new()
        .route("/assets/{file}", get(dashboard::asset))
        .route("/graphql", get(graphql::get).post(graphql::post))
        .route("/graphql/ws", get(socket::socket))
        .route(
            "/webhooks",
            post(webhooks::post).layer(DefaultBodyLimit::max(webhooks::MAX_DELIVERY_BYTES)),
        )
        .route("/oauth/install", get(oauth::install))
        .route("/oauth/callback", get(oauth::callback))
        .route("/health", get(health::health))
        .route("/dbtest", get(health::dbtest));
    for address in dashboard::ADDRESSES {
        routes = routes.route(address, get(dashboard::page));
    }
    if state.options.graphiql {
        routes = routes
            .route("/graphiql", get(graphiql::page))
            .route("/graphiql/{file}", get(graphiql::asset));
    }
    let options = state.options.clone();
    layers::wrap(routes.with_state(state), &options)
}

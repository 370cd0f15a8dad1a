//! The state and the options of the HTTP server.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;

use super::persisted_queries::PersistedQueries;
use crate::auth::rate_limit::SignInRateLimiter as Attempts;
use crate::auth::tokens::AccessTokens;
use crate::cache::invalidation::Invalidation;
use crate::db::Database;
use crate::domain::clock::Clock;
use crate::graphql::{Limits, TokenBuckets, XBoardSchema};
use crate::sync::SyncService;

/// The origins whose pages may call the API from a browser (CORS).
#[derive(Clone, Debug)]
pub enum AllowedOrigins {
    /// All origins. This is safe, because only pages of this server may use the session cookie.
    Any,
    /// These origins, and the pages of this server.
    Only(Vec<HeaderValue>),
}

/// The options of the HTTP server.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// The origins that may call the API from a browser.
    pub allowed_origins: AllowedOrigins,
    /// Whether GraphiQL is served. It needs introspection.
    pub graphiql: bool,
    /// Whether a proxy appends the client's address to `X-Forwarded-For`. Without a proxy clients could set the
    /// header themselves and evade the login limits.
    pub behind_proxy: bool,
    /// Whether the public URL is HTTPS, so that HSTS may be sent.
    pub over_https: bool,
    /// The timeout of an operation.
    pub operation_timeout: Duration,
    /// How often the session of an open subscription is checked.
    pub session_check_interval: Duration,
    /// How often an idle connection sends a keep-alive message and expects one.
    pub keep_alive_interval: Duration,
    /// The most bytes of a request body.
    pub max_body_bytes: usize,
    /// The most bytes of cached responses.
    pub response_cache_bytes: u64,
    /// The most bytes of cached sales timelines.
    pub figures_cache_bytes: u64,
    /// The most bytes of cached documents. 0 turns off the cache and automatic persisted queries.
    pub document_cache_bytes: u64,
    /// The safelist, a directory or a manifest; `None`: all documents are executed.
    pub persisted_documents: Option<PathBuf>,
}

/// The shared state of all handlers. Clones share it too.
#[derive(Clone)]
pub struct HttpState(Arc<HttpParts>);

impl HttpState {
    /// Shares the parts.
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

/// The parts of the state.
pub struct HttpParts {
    /// Executes operations.
    pub schema: XBoardSchema,
    /// The limits of operations.
    pub limits: Limits,
    /// Finds the documents of requests.
    pub persisted_queries: PersistedQueries,
    /// Looks up sessions.
    pub database: Database,
    /// Verifies bearer tokens.
    pub tokens: Arc<AccessTokens>,
    /// Limits how often an address starts to install the app.
    pub attempts: Arc<Attempts>,
    /// The time.
    pub clock: Clock,
    /// The points that each caller has left.
    pub buckets: Arc<TokenBuckets>,
    /// The events of the database, and the caches.
    pub invalidation: Invalidation,
    /// Receives webhook deliveries.
    pub sync: SyncService,
    /// The options.
    pub options: HttpOptions,
}

impl std::fmt::Debug for HttpState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpState")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

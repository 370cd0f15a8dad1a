//! The whole program as one value. `main` and the tests build it in the same way, so that the tests
//! run what is deployed.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::encryption::Encryption;
use crate::auth::passwords::Passwords;
use crate::auth::rate_limit::{AttemptsPerMinute, SignInRateLimiter};
use crate::auth::tokens::AccessTokens;
use crate::cache::Caches;
use crate::cache::invalidation::Invalidation;
use crate::config::{Config, CorsOrigins, EncryptionKeys, LimitSettings};
use crate::db::{Database, Timeouts};
use crate::domain::clock::Clock;
use crate::graphql::{self, DocumentCache, MutationContext, TokenBuckets};
use crate::http::persisted_queries::PersistedQueries;
use crate::http::{self, AllowedOrigins, HttpOptions, HttpParts, HttpState};
use crate::shopify::{InstallableApp, Shopify, ShopifyConfig};
use crate::sync::{SyncConfig, SyncService};

/// How often the session of an open subscription is checked.
const SESSION_CHECK_INTERVAL: Duration = Duration::from_secs(30);
/// Proxies commonly close a connection after a minute without traffic.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Database connections: enough for a few dozen concurrent operations, and few enough for a small
/// server.
const CONNECTIONS: u32 = 20;

/// The configuration of the program: the settings, and values that only tests change.
#[derive(Debug)]
pub struct AppConfig {
    /// The URL of the database.
    pub database_url: SecretString,
    /// The maximum number of database connections.
    pub connections: u32,
    /// Whether to apply missing migrations first.
    pub migrate: bool,
    /// The secret that signs access tokens, at least 32 bytes.
    pub jwt_secret: SecretString,
    /// The keys that encrypt shops' credentials.
    pub encryption_keys: EncryptionKeys,
    /// The source of the current time.
    pub clock: Clock,
    /// The bcrypt cost of password hashes.
    pub bcrypt_cost: u32,
    /// The rate limits of sign-in attempts.
    pub attempts: AttemptsPerMinute,
    /// The limits of one operation.
    pub limits: graphql::Limits,
    /// Whether to allow introspection.
    pub introspection: bool,
    /// The settings of the Shopify client.
    pub shopify: ShopifyConfig,
    /// The public URL for webhooks. `None` registers no webhooks.
    pub public_url: Option<String>,
    /// The settings of syncs.
    pub sync: SyncConfig,
    /// The settings of the HTTP server.
    pub http: HttpOptions,
}

impl AppConfig {
    /// Converts the settings, for a database that is already running.
    #[must_use]
    pub fn new(config: Config, database_url: SecretString) -> Self {
        let limits = limits_of(&config.limits);
        let public_url = config.public_url.as_deref();
        let over_https = public_url.is_some_and(|url| url.starts_with("https://"));
        Self {
            database_url,
            connections: CONNECTIONS,
            migrate: true,
            jwt_secret: config.jwt_secret,
            encryption_keys: config.encryption_keys,
            clock: Clock::System,
            bcrypt_cost: config.bcrypt_cost,
            attempts: AttemptsPerMinute::default(),
            limits,
            introspection: config.introspection,
            shopify: ShopifyConfig {
                api_version: config.shopify_api_version,
                base_url: config.shopify_base_url,
                app: config.app.map(|app| InstallableApp {
                    client_id: app.client_id,
                    client_secret: app.client_secret,
                    scopes: app.scopes,
                }),
                ..ShopifyConfig::default()
            },
            public_url: config.public_url,
            sync: SyncConfig {
                sync_interval: config.sync_interval,
                maintenance_interval: config
                    .sync_interval
                    .and(SyncConfig::default().maintenance_interval),
                audit_retention: TimeDelta::days(config.audit_days.into()),
                ..SyncConfig::default()
            },
            http: HttpOptions {
                allowed_origins: match config.cors_origins {
                    CorsOrigins::Any => AllowedOrigins::Any,
                    CorsOrigins::Only(list) => AllowedOrigins::Only(list),
                },
                graphiql: config.introspection,
                behind_proxy: config.trust_proxy,
                over_https,
                session_check_interval: SESSION_CHECK_INTERVAL,
                keep_alive_interval: KEEP_ALIVE_INTERVAL,
                operation_timeout: config.limits.operation_timeout(),
                max_body_bytes: config.limits.xboard_limit_body,
                response_cache_bytes: config.limits.xboard_answer_cache,
                figures_cache_bytes: config.limits.xboard_figures_cache,
                document_cache_bytes: config.limits.xboard_document_cache,
                persisted_documents: config.limits.persisted_documents(),
            },
        }
    }
}

fn limits_of(settings: &LimitSettings) -> graphql::Limits {
    graphql::Limits {
        characters: settings.xboard_limit_characters,
        tokens: settings.xboard_limit_tokens,
        depth: settings.xboard_limit_depth,
        complexity: settings.xboard_limit_complexity,
        fields: settings.xboard_limit_fields,
        aliases: settings.xboard_limit_aliases,
        root_fields: settings.xboard_limit_root_fields,
        directives: settings.xboard_limit_directives,
        duplicate_fields: settings.xboard_limit_duplicate_fields,
        concurrent_operations: settings.xboard_operations_at_once,
        subscriptions: settings.xboard_limit_subscriptions,
        budget: NonZeroU64::new(settings.xboard_budget).map(|capacity| graphql::BucketConfig {
            capacity,
            refill_rate: settings.xboard_budget_per_second,
        }),
        ..graphql::Limits::default()
    }
}

/// The program. Its worker is started separately: see [`sync::worker`](crate::sync::worker).
#[derive(Debug)]
pub struct App {
    database: Database,
    sync: SyncService,
    invalidation: Invalidation,
    router: Router,
    background: TaskTracker,
}

impl App {
    /// Connects to the database, migrates it if requested, checks that tenants are isolated, and
    /// builds all parts. Starts nothing.
    pub async fn build(config: AppConfig) -> anyhow::Result<Self> {
        let database = open(&config).await?;
        let keys = &config.encryption_keys;
        let older = keys.older().iter().map(|key| (key.id, &key.bytes));
        let encryption = Encryption::new((keys.current().id, &keys.current().bytes), older)
            .context("the encryption keys are invalid")?;
        let shopify = Shopify::new(config.shopify, config.clock)
            .context("cannot create the Shopify client")?;
        let sync = SyncService::new(
            database.background(),
            shopify,
            Arc::new(encryption),
            config.clock,
            config.sync,
            config.public_url,
        );
        let tokens = Arc::new(AccessTokens::new(&config.jwt_secret, config.clock));
        let background = TaskTracker::new();
        let attempts = Arc::new(SignInRateLimiter::new(config.attempts));
        let mutations = MutationContext {
            passwords: Passwords::new(config.bcrypt_cost),
            tokens: Arc::clone(&tokens),
            sign_in_limits: Arc::clone(&attempts),
            sync: sync.clone(),
            background: background.clone(),
        };
        let caches = Caches::new(
            config.http.figures_cache_bytes,
            config.http.response_cache_bytes,
        );
        let invalidation = Invalidation::new(database.clone(), caches, config.limits.subscriptions);
        let documents = Arc::new(DocumentCache::new(
            config.limits,
            config.introspection,
            config.http.document_cache_bytes,
        ));
        let persisted_queries = PersistedQueries::new(&config.http, Arc::clone(&documents))
            .context("the persisted documents cannot be used")?;
        let buckets = Arc::new(TokenBuckets::new(config.limits.budget));
        let router = http::router(HttpState::new(HttpParts {
            schema: graphql::build_schema(
                config.limits,
                config.introspection,
                documents,
                Arc::clone(&buckets),
                Some(mutations),
                Some(invalidation.clone()),
            ),
            invalidation: invalidation.clone(),
            limits: config.limits,
            persisted_queries,
            attempts,
            database: database.clone(),
            tokens,
            clock: config.clock,
            buckets,
            sync: sync.clone(),
            options: config.http,
        }));
        Ok(Self {
            database,
            sync,
            invalidation,
            router,
            background,
        })
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Change events, and the caches.
    #[must_use]
    pub const fn invalidation(&self) -> &Invalidation {
        &self.invalidation
    }

    /// Connects shops and runs syncs. The worker gets a clone.
    #[must_use]
    pub const fn sync(&self) -> &SyncService {
        &self.sync
    }

    /// The router of the whole site.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Serves the site until `shutdown` is cancelled and the requests in progress are answered.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let address = listener
            .local_addr()
            .context("the listening address is unknown")?;
        tracing::info!(server.address = %address, "listening");
        let invalidation = self.invalidation.clone();
        let ending = shutdown.clone();
        let serving = http::serve::serve(listener, self.router(), shutdown);
        let (served, ()) = tokio::join!(serving, async move {
            ending.cancelled().await;
            // Subscriptions have no end, so they are stopped explicitly.
            invalidation.stop();
        });
        self.background.close();
        self.background.wait().await;
        served.context("the server failed")
    }
}

async fn open(config: &AppConfig) -> anyhow::Result<Database> {
    let timeouts = Timeouts::of_requests(config.http.operation_timeout);
    let url = config.database_url.expose_secret();
    let database = Database::connect_with(url, config.connections, timeouts)
        .await
        .context("cannot connect to the database")?;
    if config.migrate {
        database
            .migrate()
            .await
            .context("the database could not be migrated")?;
    }
    database
        .check_row_security()
        .await
        .context("the database is not safe to use")?;
    Ok(database)
}

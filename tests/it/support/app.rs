//! The real program on a real port, with a database and stores of its own.

use std::num::NonZeroU32;
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use shopify_simulator::{ShopSettings, Simulator};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use xboard::app::{App, AppConfig};
use xboard::auth::rate_limit::AttemptsPerMinute;
use xboard::config::EncryptionKeys;
use xboard::domain::clock::Clock;
use xboard::graphql;
use xboard::http::{AllowedOrigins, HttpOptions};
use xboard::shopify::{RetryPolicy, ShopifyConfig};
use xboard::sync::SyncConfig;

use super::TestDatabase;

/// What signs the tokens of every test.
pub(crate) const JWT_SECRET: &str = "the signing secret of the tests, long enough";

/// Stands for the program's own address in `public_url`, which is not known before it listens.
pub(crate) const ITSELF: &str = "http://itself";

/// A user who has signed up.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    /// The address.
    pub(crate) email: String,
    /// The password.
    pub(crate) password: String,
    /// The access token.
    pub(crate) token: String,
    /// The refresh token.
    pub(crate) refresh_token: String,
}

/// The running program.
pub(crate) struct TestApp {
    /// Its database.
    pub(crate) database: TestDatabase,
    /// The stores that it can reach.
    pub(crate) simulator: Simulator,
    app: App,
    client: reqwest::Client,
    address: String,
    shutdown: CancellationToken,
    server: JoinHandle<anyhow::Result<()>>,
}

impl TestApp {
    /// Starts it.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts it, after a change to how it is built.
    pub(crate) async fn start_with(change: impl FnOnce(&mut AppConfig)) -> Self {
        let database = TestDatabase::create().await;
        let simulator = Simulator::start().await.unwrap();
        let mut config = config(database.url(), simulator.shopify_base_url());
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        if config.public_url.as_deref() == Some(ITSELF) {
            config.public_url = Some(address.clone());
        }
        let app = App::build(config).await.unwrap();
        let shutdown = CancellationToken::new();
        let serving = xboard::http::serve::serve(listener, app.router(), shutdown.clone());
        let server = tokio::spawn(async { Ok(serving.await?) });
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            database,
            simulator,
            app,
            client,
            address,
            shutdown,
            server,
        }
    }

    /// The program itself.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// Tells the program that what users may do was changed behind its back, as every change of its own does.
    pub(crate) async fn tell_of_changed_access(&self) {
        sqlx::query("select pg_notify('xboard_access', id::text) from users")
            .execute(&mut self.database.connection().await)
            .await
            .unwrap();
        self.app.invalidation().wait_for_invalidation().await;
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Another process beside it, as far as a test can tell: its own program over the same database.
    pub(crate) async fn beside(&self) -> Beside {
        self.beside_with(|_| {}).await
    }

    /// The same, after a change to how it is built.
    pub(crate) async fn beside_with(&self, change: impl FnOnce(&mut AppConfig)) -> Beside {
        let mut config = config(self.database.url(), self.simulator.shopify_base_url());
        change(&mut config);
        let app = App::build(config).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serving = xboard::http::serve::serve(listener, app.router(), CancellationToken::new());
        let server = tokio::spawn(async { Ok(serving.await?) });
        Beside {
            app,
            address,
            server,
        }
    }

    /// The same program built anew over the same database, after a change. It serves nobody.
    pub(crate) async fn another(&self, change: impl FnOnce(&mut AppConfig)) -> App {
        let mut config = config(self.database.url(), self.simulator.shopify_base_url());
        change(&mut config);
        App::build(config).await.unwrap()
    }

    /// A GET of a path.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.address))
    }

    /// A POST to `/graphql`, without anything yet.
    pub(crate) fn post(&self) -> RequestBuilder {
        self.client.post(format!("{}/graphql", self.address))
    }

    /// A POST to a path, without anything yet.
    pub(crate) fn post_to(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.address))
    }

    /// Carries an operation out; the answer's body. The status must be 200.
    pub(crate) async fn graphql(
        &self,
        query: &str,
        variables: Value,
        token: Option<&str>,
    ) -> Value {
        let (status, body) = self.try_graphql(query, variables, token).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    /// The same, whatever the status.
    pub(crate) async fn try_graphql(
        &self,
        query: &str,
        variables: Value,
        token: Option<&str>,
    ) -> (StatusCode, Value) {
        // Tests also change the database directly. The program may be unaware of that until the event arrives.
        self.app.invalidation().wait_for_invalidation().await;
        let mut request = self
            .post()
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let mut body: Value = response.json().await.unwrap();
        // What operations cost has tests of its own; here it would only hide what is asked for.
        if let Some(body) = body.as_object_mut() {
            body.shift_remove("extensions");
        }
        (status, body)
    }

    /// Carries out an operation of one field and gives that field: there must be no errors.
    pub(crate) async fn field(&self, query: &str, variables: Value, token: Option<&str>) -> Value {
        let mut body = self.graphql(query, variables, token).await;
        assert_eq!(body.get("errors"), None, "{body}");
        let data = body["data"].as_object_mut().unwrap();
        assert_eq!(data.len(), 1);
        std::mem::take(data.values_mut().next().unwrap())
    }

    /// Opens the store `{label}.myshopify.com` and signs a user up with it. Leaves the job of its first sync.
    pub(crate) async fn register_shop(&self, label: &str) -> Registered {
        self.simulator.add_shop(ShopSettings::new(label));
        self.register_owner(label).await
    }

    /// Signs a user up with a store that is open already.
    pub(crate) async fn register_owner(&self, label: &str) -> Registered {
        let (email, password) = (
            format!("owner@{label}.example"),
            format!("a passphrase for {label}"),
        );
        let input = register_input(&email, &password, label, &format!("shpat_{label}"));
        let payload = self.field(REGISTER, json!({ "input": input }), None).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        let text = |name: &str| payload["session"][name].as_str().unwrap().to_owned();
        Registered {
            email,
            password,
            token: text("token"),
            refresh_token: text("refreshToken"),
        }
    }

    /// Works until no job waits, and stops the worker in good order.
    pub(crate) async fn work(&self) {
        let stop = CancellationToken::new();
        let worker = tokio::spawn(xboard::sync::worker::run(
            self.app.sync().clone(),
            stop.clone(),
        ));
        let idle = async {
            while self.database.jobs().await > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_mins(2), idle).await;
        stop.cancel();
        worker.await.unwrap();
        assert!(in_time.is_ok(), "the worker did not come to an end");
    }

    /// Asks for a sync with the token's rights (or joins the one that waits) and works it off; its final
    /// status.
    pub(crate) async fn sync_and_wait(&self, token: &str, mode: &str) -> String {
        let started = self
            .field(
                "mutation ($mode: SyncMode!) {
                    sync(input: { mode: $mode }) { syncRun { id } userErrors { message } } }",
                json!({ "mode": mode }),
                Some(token),
            )
            .await;
        let id = started["syncRun"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{started}"))
            .to_owned();
        self.work().await;
        let query = "query ($id: ID!) { node(id: $id) { ... on SyncRun { status } } }";
        let run = self.field(query, json!({ "id": id }), Some(token)).await;
        run["status"].as_str().unwrap().to_owned()
    }

    /// Ends the server in good order.
    pub(crate) async fn stop(&mut self) {
        self.shutdown.cancel();
        (&mut self.server).await.unwrap().unwrap();
    }
}

/// A second program over the same database.
pub(crate) struct Beside {
    app: App,
    address: String,
    server: JoinHandle<anyhow::Result<()>>,
}

impl Beside {
    /// The program itself.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Signs up, asking for everything that comes back.
pub(crate) const REGISTER: &str = "mutation ($input: RegisterInput!) { register(input: $input) {
    session { token expiresAt refreshToken }
    user { email tenant { shop { domain name } } memberships { role tenant { id } } }
    syncRun { mode status trigger progress { kind } }
    userErrors { field message code } } }";

/// The input of `register`, with an access token.
pub(crate) fn register_input(email: &str, password: &str, label: &str, token: &str) -> Value {
    json!({
        "email": email,
        "password": password,
        "shop": {
            "domain": format!("{label}.myshopify.com"),
            "credentials": { "accessToken": { "token": token } },
        },
    })
}

/// How the program is built for tests, over a database that is migrated already.
pub(crate) fn config(database_url: String, shopify_base_url: String) -> AppConfig {
    const MANY: NonZeroU32 = NonZeroU32::new(10_000).unwrap();
    AppConfig {
        database_url: SecretString::from(database_url),
        connections: 8,
        migrate: false,
        jwt_secret: SecretString::from(JWT_SECRET),
        encryption_keys: EncryptionKeys::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            .unwrap(),
        clock: Clock::System,
        bcrypt_cost: 4,
        attempts: AttemptsPerMinute {
            account: MANY,
            address: MANY,
        },
        limits: graphql::Limits::default(),
        introspection: true,
        shopify: ShopifyConfig {
            base_url: Some(shopify_base_url),
            retry: RetryPolicy {
                max_retries: 0,
                ..RetryPolicy::default()
            },
            ..ShopifyConfig::default()
        },
        public_url: None,
        sync: SyncConfig {
            sync_interval: None,
            maintenance_interval: None,
            ..SyncConfig::default()
        },
        http: HttpOptions {
            allowed_origins: AllowedOrigins::Only(Vec::new()),
            graphiql: true,
            behind_proxy: false,
            over_https: false,
            operation_timeout: Duration::from_secs(15),
            session_check_interval: Duration::from_secs(30),
            keep_alive_interval: Duration::from_secs(15),
            max_body_bytes: 256 * 1024,
            response_cache_bytes: 4 * 1024 * 1024,
            figures_cache_bytes: 4 * 1024 * 1024,
            document_cache_bytes: 1024 * 1024,
            persisted_documents: None,
        },
    }
}

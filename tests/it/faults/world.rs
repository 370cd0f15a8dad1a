//! The program with its worker over a database of its own, a store whose app signs, and people who ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};
use shopify_simulator::{NewLine, NewOrder, Shop, ShopSettings, Simulator, WebhookPlan};
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use xboard::app::{App, AppConfig};
use xboard::domain::ids::TenantId;
use xboard::domain::shop::ShopDomain;

use super::server::Server;
use crate::support::{REGISTER, config, quick_retries, register_input, sign};

/// Far longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const SECRET: &str = "hush-hush";

/// The running program.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) shop: Arc<Shop>,
    pub(super) token: String,
    pub(super) address: String,
    app: App,
    joined: Vec<App>,
    client: reqwest::Client,
    shutdown: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    simulator: Simulator,
}

/// What became of a question.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) code: Option<String>,
    pub(super) retry_after: bool,
    pub(super) body: Value,
}

impl Told {
    /// A whole answer, or a clear word that it is worth asking again.
    pub(super) fn is_clear(&self) -> bool {
        match self.status {
            // What part of it could not be read says so.
            StatusCode::OK => {
                let errors = self.body["errors"].as_array().into_iter().flatten();
                errors
                    .map(|error| &error["extensions"]["code"])
                    .all(|code| code == "UNAVAILABLE")
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                self.retry_after && self.code.as_deref() == Some("UNAVAILABLE")
            }
            _ => false,
        }
    }
}

/// How the program is built: impatient.
fn quick_config(server: &Server, simulator: &Simulator) -> AppConfig {
    let mut config = config(server.url.clone(), simulator.shopify_base_url());
    config.shopify.retry = quick_retries();
    config.sync.bulk_poll_min = Duration::from_millis(10);
    config.sync.bulk_poll_max = Duration::from_millis(100);
    config.sync.retry_base = Duration::from_millis(50);
    config.sync.refetch_pause = Duration::from_millis(100);
    config.limits.budget = None;
    config
}

/// Builds it, serves and works; where it listens.
async fn launch(
    config: AppConfig,
    shutdown: &CancellationToken,
) -> (App, String, Vec<JoinHandle<()>>) {
    let app = App::build(config).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serving = xboard::http::serve::serve(listener, app.router(), shutdown.clone());
    let working = xboard::sync::worker::run(app.sync().clone(), shutdown.clone());
    let tasks = vec![
        tokio::spawn(async { serving.await.unwrap() }),
        tokio::spawn(working),
    ];
    (app, address, tasks)
}

impl World {
    /// Starts everything; the store is connected and fetched.
    pub(super) async fn start(label: &str, change: impl FnOnce(&mut AppConfig)) -> Self {
        let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
        let simulator = Simulator::start().await.unwrap();
        let shop = simulator.add_shop(ShopSettings {
            bucket_size: 20_000,
            restore_rate: 100_000,
            ..ShopSettings::new(label)
        });
        shop.set_webhook_plan(WebhookPlan::default());
        let mut config = quick_config(&server, &simulator);
        config.migrate = true;
        change(&mut config);
        let shutdown = CancellationToken::new();
        let (app, address, tasks) = launch(config, &shutdown).await;
        let mut world = Self {
            server,
            shop,
            token: String::new(),
            address,
            app,
            joined: Vec::new(),
            client: reqwest::Client::new(),
            shutdown,
            tasks,
            simulator,
        };
        let email = format!("owner@{label}.example");
        let password = "thirteen green lanterns";
        let mut input = register_input(&email, password, label, &format!("shpat_{label}"));
        input["shop"]["credentials"]["accessToken"]["apiSecret"] = json!(SECRET);
        let told = world.ask(REGISTER, json!({ "input": input })).await;
        let token = told.body["data"]["register"]["session"]["token"].as_str();
        token
            .unwrap_or_else(|| panic!("{told:?}"))
            .clone_into(&mut world.token);
        world.idle().await;
        world
    }

    /// Another process, as far as a test can tell, over the same database; where it listens.
    pub(super) async fn join(&mut self, change: impl FnOnce(&mut AppConfig)) -> String {
        let mut config = quick_config(&self.server, &self.simulator);
        change(&mut config);
        let (app, address, tasks) = launch(config, &self.shutdown).await;
        self.tasks.extend(tasks);
        self.joined.push(app);
        address
    }

    /// Asks the API.
    pub(super) async fn ask(&self, query: &str, variables: Value) -> Told {
        let mut request = self
            .client
            .post(format!("{}/graphql", self.address))
            .json(&json!({ "query": query, "variables": variables }));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body: Value = response.json().await.unwrap();
        if let Some(fields) = body.as_object_mut() {
            fields.shift_remove("extensions");
        }
        let code = body
            .pointer("/errors/0/extensions/code")
            .and_then(Value::as_str);
        Told {
            status,
            code: code.map(str::to_owned),
            retry_after: headers.contains_key(RETRY_AFTER),
            body,
        }
    }

    /// The status of a GET.
    pub(super) async fn get(&self, path: &str) -> StatusCode {
        let url = format!("{}{path}", self.address);
        self.client.get(url).send().await.unwrap().status()
    }

    /// Sells something; the order's number.
    pub(super) fn sell(&self) -> u64 {
        let new = NewOrder {
            lines: vec![NewLine {
                title: Some("Lamp".to_owned()),
                price: Some("20.00".parse().unwrap()),
                quantity: 1,
                ..NewLine::default()
            }],
            ..NewOrder::default()
        };
        self.shop.place_order(&new).unwrap().id
    }

    /// Tells the program of an order; what it answered.
    pub(super) async fn tell(&self, topic: &str, order: u64) -> StatusCode {
        let body = format!("{{\"id\":{order}}}");
        let request = self
            .client
            .post(format!("{}/webhooks", self.address))
            .header("x-shopify-topic", topic)
            .header(
                "x-shopify-shop-domain",
                format!("{}.myshopify.com", self.shop.label()),
            )
            .header("x-shopify-webhook-id", format!("{topic}-{order}"))
            .header("x-shopify-hmac-sha256", sign(SECRET, body.as_bytes()))
            .body(body);
        request.send().await.unwrap().status()
    }

    /// Asks again and again until it is over; every answer.
    pub(super) async fn ask_until(&self, over: &AtomicBool) -> Vec<Told> {
        let query = "{ me { email } overview { totalCustomers metrics { orders } } orders(first: 5) { totalCount nodes { name } } }";
        let mut all = Vec::new();
        while !over.load(Ordering::Relaxed) {
            all.push(self.ask(query, json!({})).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        all
    }

    /// Sells and tells until it is over; the orders whose delivery was acknowledged.
    pub(super) async fn sell_until(&self, over: &AtomicBool) -> Vec<u64> {
        let mut acknowledged = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let order = self.sell();
            match self.tell("orders/create", order).await {
                StatusCode::OK => acknowledged.push(order),
                status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        acknowledged
    }

    /// How long it takes until the API answers in full again.
    pub(super) async fn until_back(&self) -> Duration {
        let began = Instant::now();
        let query = "{ orders(first: 1) { totalCount } }";
        while self.ask(query, json!({})).await.status != StatusCode::OK {
            assert!(began.elapsed() < PATIENCE, "it never came back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }

    /// A connection that looks behind the program's back.
    pub(super) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.server.url).await.unwrap()
    }

    /// Waits until there is nothing left to do.
    pub(super) async fn idle(&self) {
        let mut connection = self.connection().await;
        let began = Instant::now();
        loop {
            let left: i64 = sqlx::query_scalar("select count(*) from jobs where failed_at is null")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            if left == 0 {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "there is always something left to do"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the store's orders are all here and no others, and asks whether every figure is right.
    pub(super) async fn assert_current(&self) -> Duration {
        let began = Instant::now();
        let mut expected: Vec<i64> = self
            .shop
            .orders()
            .iter()
            .filter(|order| !order.deleted)
            .map(|order| i64::try_from(order.id).unwrap())
            .collect();
        expected.sort_unstable();
        let mut connection = self.connection().await;
        loop {
            let kept: Vec<i64> =
                sqlx::query_scalar("select id from orders where deleted_at is null order by id")
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
            if kept == expected {
                break;
            }
            if began.elapsed() >= PATIENCE {
                let missing = expected.iter().filter(|id| !kept.contains(id)).count();
                let more = kept.iter().filter(|id| !expected.contains(id)).count();
                panic!(
                    "{missing} are missing, {more} too many\n{}",
                    self.state().await
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let taken = began.elapsed();
        self.idle().await;
        let mut snapshot = self
            .app
            .database()
            .tenant_snapshot(self.tenant().await)
            .await
            .unwrap();
        assert_eq!(snapshot.verify().await.unwrap(), Vec::new());
        taken
    }

    /// What there is to do and what was done, to be read when a test fails.
    async fn state(&self) -> String {
        let lines: Vec<String> = sqlx::query_scalar(
            "(select 'job ' || jobs::text from jobs order by id) union all \
             (select 'run ' || sync_runs::text from sync_runs order by queued_at desc limit 5) union all \
             (select 'hint ' || pending_refetches::text from pending_refetches) union all \
             (select 'order ' || id || ' deleted ' || coalesce(deleted_at::text, 'never') from orders) union all \
             (select 'tenant ' || tenants::text from tenants)",
        )
        .fetch_all(&mut self.connection().await)
        .await
        .unwrap();
        lines.join("\n")
    }

    async fn tenant(&self) -> TenantId {
        let domain = format!("{}.myshopify.com", self.shop.label());
        let domain = ShopDomain::parse(&domain).unwrap();
        let mut system = self.app.database().system().await.unwrap();
        system.find_tenant(&domain).await.unwrap().unwrap()
    }

    /// Ends the program in good order.
    pub(super) async fn end(mut self) {
        self.shutdown.cancel();
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
        for app in self.joined.iter().chain([&self.app]) {
            app.database().close().await;
        }
    }
}

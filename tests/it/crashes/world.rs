//! A shop, a database, and the program as a process that can be killed and started again.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shopify_simulator::{Generation, Shop, ShopSettings, Simulator, Statistics, WebhookPlan};
use sqlx::PgConnection;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::recomputation::assert_recomputed;
use crate::support::{JWT_SECRET, REGISTER, TestDatabase, register_input};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xboard");

/// Far longer than anything here takes, even on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A shop, a database, and the program.
pub(super) struct World {
    database: TestDatabase,
    looking: PgConnection,
    simulator: Simulator,
    pub(super) shop: Arc<Shop>,
    client: reqwest::Client,
    directory: TempDir,
    process: Option<Process>,
    /// 0: a free one at each start.
    port: u16,
    token: String,
}

/// The running program. Dropping it kills the process.
struct Process {
    child: Child,
    address: String,
}

/// The progress of the newest run.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) status: String,
    pub(super) steps: BTreeMap<String, Step>,
}

#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub(super) struct Step {
    kind: String,
    pub(super) bulk: Option<String>,
    pub(super) cursor: Option<String>,
    pub(super) done: i32,
    pub(super) finished: bool,
}

impl Progress {
    pub(super) fn step(&self, kind: &str) -> Step {
        self.steps.get(kind).cloned().unwrap_or_default()
    }

    fn is_under_way(&self) -> bool {
        matches!(self.status.as_str(), "QUEUED" | "RUNNING")
    }
}

/// A moment of a run: its name, and its condition.
pub(super) type Moment = (&'static str, fn(&Progress, &Statistics) -> bool);

impl World {
    /// Starts a generated shop and the program, and registers the owner. The first sync has begun.
    pub(super) async fn start(label: &str, orders: u64) -> Self {
        Self::start_at(label, orders, 0).await
    }

    /// The same, at a fixed address that receives the shop's webhooks.
    pub(super) async fn start_reachable(label: &str, orders: u64) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self::start_at(label, orders, port).await
    }

    async fn start_at(label: &str, orders: u64, port: u16) -> Self {
        let database = TestDatabase::create().await;
        let simulator = Simulator::start().await.unwrap();
        let settings = ShopSettings {
            tax: "19".parse().unwrap(),
            bucket_size: 20_000,
            restore_rate: 100_000,
            bulk_created: Duration::from_millis(150),
            bulk_running: Duration::from_millis(450),
            ..ShopSettings::new(label)
        };
        let shop = simulator.add_shop(settings);
        shop.set_webhook_plan(WebhookPlan {
            allow_http: true,
            ..WebhookPlan::default()
        });
        shop.generate(&Generation::of(orders, "2025-10-31".parse().unwrap()));
        let mut world = Self {
            looking: database.connection().await,
            database,
            simulator,
            shop,
            client: reqwest::Client::new(),
            directory: tempfile::tempdir().unwrap(),
            process: None,
            port,
            token: String::new(),
        };
        world.launch().await;
        let email = format!("owner@{label}.example");
        let mut input = register_input(
            &email,
            "a passphrase to be killed with",
            label,
            &format!("shpat_{label}"),
        );
        if port > 0 {
            let (_, secret, _) = world.shop.credentials();
            input["shop"]["credentials"]["accessToken"]["apiSecret"] = json!(secret);
        }
        let registered = world.ask(REGISTER, json!({ "input": input })).await;
        let token = &registered["register"]["session"]["token"];
        let token = token.as_str().unwrap_or_else(|| panic!("{registered}"));
        token.clone_into(&mut world.token);
        world
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .env("DATABASE_URL", self.database.url())
            .env("JWT_SECRET", JWT_SECRET)
            .env(
                "ENCRYPTION_KEY",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            )
            .env("BCRYPT_COST", "4")
            .env("SHOPIFY_BASE_URL", self.simulator.shopify_base_url())
            // No scheduled syncs: the tests request them.
            .env("SYNC_INTERVAL_SECONDS", "0")
            .env("LOG_FORMAT", "json")
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if self.port > 0 {
            command.env("PUBLIC_URL", format!("http://127.0.0.1:{}", self.port));
        }
        command
    }

    /// Starts the program and waits until it logs its address.
    pub(super) async fn launch(&mut self) {
        let mut command = self.command();
        command
            .args(["serve", "--port", &self.port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = loop {
            let Some(line) = lines.next_line().await.unwrap() else {
                panic!("the program ended before it listened: {said:#?}");
            };
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            if event["message"] == "listening" {
                break event["server.address"].as_str().unwrap().to_owned();
            }
            said.push(line);
        };
        // A full pipe would block the program.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.process = Some(Process {
            child,
            address: format!("http://{address}/graphql"),
        });
    }

    /// kill -9 at any moment.
    pub(super) async fn kill_now(&mut self) {
        let mut process = self.process.take().unwrap();
        process.child.kill().await.unwrap();
    }

    /// Sends SIGTERM. Returns the stopping process.
    pub(super) async fn terminate(&mut self) -> Child {
        // Connected clients still need the address.
        let process = self.process.as_mut().unwrap();
        let pid = process.child.id().unwrap().to_string();
        let mut sleeping = Command::new("true");
        let child = std::mem::replace(&mut process.child, sleeping.spawn().unwrap());
        let told = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(told.unwrap().success());
        child
    }

    /// A connection to observe and to block the program.
    pub(super) async fn connection(&self) -> PgConnection {
        self.database.connection().await
    }

    /// Waits until no worker has a job.
    pub(super) async fn until_nothing_is_claimed(&mut self) {
        let began = std::time::Instant::now();
        loop {
            let (jobs, claimed): (i64, i64) =
                sqlx::query_as("select count(*), count(claimed_by) from jobs")
                    .fetch_one(&mut self.looking)
                    .await
                    .unwrap();
            assert!(jobs > 0, "the run has ended");
            if claimed == 0 {
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "a job is still claimed"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// kill -9. The run must not have ended.
    pub(super) async fn kill(&mut self, moment: &str) {
        self.kill_now().await;
        let progress = self.progress().await;
        assert!(
            progress.is_under_way(),
            "killed too late {moment}: {progress:?}"
        );
    }

    /// The address of the program.
    pub(super) fn address(&self) -> &str {
        let address = &self.process.as_ref().unwrap().address;
        address.trim_end_matches("/graphql")
    }

    /// The owner's access token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) async fn ask(&self, query: &str, variables: Value) -> Value {
        let address = &self.process.as_ref().unwrap().address;
        let mut request = self
            .client
            .post(address)
            .json(&json!({ "query": query, "variables": variables }));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let mut body: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(body.get("errors"), None, "{body}");
        body["data"].take()
    }

    pub(super) async fn request_sync(&self) {
        let asked = self
            .ask(
                "mutation { sync { syncRun { mode } userErrors { message } } }",
                json!({}),
            )
            .await;
        assert_eq!(
            asked["sync"],
            json!({ "syncRun": { "mode": "INCREMENTAL" }, "userErrors": [] })
        );
    }

    async fn progress(&mut self) -> Progress {
        let (run, status): (Uuid, String) =
            sqlx::query_as("select id, status from sync_runs order by queued_at desc limit 1")
                .fetch_one(&mut self.looking)
                .await
                .unwrap();
        let steps: Vec<Step> = sqlx::query_as(
            "select kind, bulk_operation_gid as bulk, page_cursor as cursor, done, finished_at is not null as finished \
             from sync_steps where run_id = $1",
        )
        .bind(run)
        .fetch_all(&mut self.looking)
        .await
        .unwrap();
        let steps = steps
            .into_iter()
            .map(|step| (step.kind.clone(), step))
            .collect();
        Progress { status, steps }
    }

    /// Waits for a moment of the active run.
    pub(super) async fn until(&mut self, (moment, has_come): Moment) {
        let waiting = async {
            loop {
                let progress = self.progress().await;
                if has_come(&progress, &self.shop.statistics()) {
                    return;
                }
                assert!(
                    progress.is_under_way(),
                    "the run ended before it was seen {moment}: {progress:?}"
                );
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let in_time = tokio::time::timeout(TIMEOUT, waiting).await;
        assert!(in_time.is_ok(), "it was never seen {moment}");
    }

    /// Waits until Shopify got this operation since its statistics began.
    pub(super) async fn until_asked(&self, operation: &str) {
        let waiting = async {
            while !self.shop.statistics().by_operation.contains_key(operation) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let in_time = tokio::time::timeout(TIMEOUT, waiting).await;
        assert!(in_time.is_ok(), "{operation} was never sent");
    }

    /// Whether jobs wait or run.
    pub(super) async fn has_jobs(&self) -> bool {
        self.database.jobs().await > 0
    }

    /// Waits until the run and its job have ended.
    pub(super) async fn finish(&mut self) {
        let waiting = async {
            while self.progress().await.is_under_way() || self.database.jobs().await > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(TIMEOUT, waiting).await;
        let progress = self.progress().await;
        assert!(in_time.is_ok(), "the run never ended: {progress:?}");
        assert_eq!(progress.status, "SUCCEEDED");
    }

    /// Waits until the simulator sends no more deliveries.
    pub(super) async fn deliveries_settled(&self) {
        let waiting = async {
            while self.shop.delivery_counts().under_way > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(TIMEOUT, waiting).await;
        assert!(in_time.is_ok(), "{:?}", self.shop.delivery_counts());
    }

    /// Waits until more deliveries were acknowledged, or none is being sent.
    pub(super) async fn receives_more_than(&self, deliveries: u64) {
        let received = async {
            loop {
                let counts = self.shop.delivery_counts();
                if counts.delivered > deliveries || counts.under_way == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(TIMEOUT, received).await;
        assert!(in_time.is_ok(), "{:?}", self.shop.delivery_counts());
    }

    /// Waits until no job waits or runs.
    pub(super) async fn idle(&self) {
        let waiting = async {
            while self.database.jobs().await > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // A job that failed repeatedly waits up to five minutes.
        let in_time = tokio::time::timeout(5 * TIMEOUT, waiting).await;
        if in_time.is_err() {
            let left: Vec<(String, i32, Option<String>)> =
                sqlx::query_as("select kind, attempts, last_error from jobs")
                    .fetch_all(&mut self.database.connection().await)
                    .await
                    .unwrap();
            panic!("jobs are left: {left:?}");
        }
    }

    /// Queues the maintenance of every shop.
    pub(super) async fn reconcile(&self) {
        let mut command = self.command();
        let said = command.arg("reconcile").output().await.unwrap();
        assert!(said.status.success(), "{said:?}");
    }

    /// Webhooks brought most orders. Without this check, the reconciliation would hide that they have no effect.
    pub(super) async fn assert_webhooks_worked(&mut self, orders: usize) {
        self.idle().await;
        let counts = self.shop.delivery_counts();
        assert!(counts.dropped > 0 && counts.delivered > 0, "{counts:?}");
        let stored: i64 = sqlx::query_scalar("select count(*) from orders")
            .fetch_one(&mut self.looking)
            .await
            .unwrap();
        let stored = usize::try_from(stored).unwrap();
        assert!(
            stored > orders / 2,
            "{stored} of {orders} orders: {counts:?}"
        );
    }

    /// No refetches and no jobs are left.
    pub(super) async fn assert_no_refetches_left(&mut self) {
        let refetches: i64 = sqlx::query_scalar("select count(*) from pending_refetches")
            .fetch_one(&mut self.looking)
            .await
            .unwrap();
        let jobs: Vec<(String, i32, Option<String>)> =
            sqlx::query_as("select kind, attempts, last_error from jobs")
                .fetch_all(&mut self.looking)
                .await
                .unwrap();
        assert_eq!((refetches, jobs), (0, Vec::new()));
    }

    /// `xboard verify` and a recomputation from the shop find no difference.
    pub(super) async fn assert_nothing_lost(&self) {
        let mut command = self.command();
        let verified: Output = command.arg("verify").output().await.unwrap();
        let domain = format!("{}.myshopify.com", self.shop.label());
        assert_eq!(
            (
                verified.status.code(),
                String::from_utf8_lossy(&verified.stdout).as_ref()
            ),
            (
                Some(0),
                format!("{domain}: all stored figures equal the recomputed ones\n").as_str()
            )
        );
        let api = &self.process.as_ref().unwrap().address;
        assert_recomputed(
            self.simulator.base_url(),
            self.shop.label(),
            api,
            &self.token,
        )
        .await;
    }
}

//! `demo`: connects and syncs a simulated shop through the API, as a user would, and shows its
//! figures. Afterwards the server keeps running, or ends with `--once`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use clap::Args;
use serde_json::{Value, json};
use shopify_simulator::{Generation, Shop, ShopSettings, Simulator};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::database::RunningDatabase;
use super::runtime;
use super::serve::shutdown_on_signal;
use super::sync::watch;
use crate::app::{App, AppConfig};
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::domain::shop::ShopDomain;
use crate::sync::worker;

/// The password of the demo user. It protects only a simulated shop.
const PASSWORD: &str = "a simulated shop";

/// The query of the dashboard.
const QUERY: &str = include_str!("demo.graphql");

/// The arguments of `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Print the figures and exit, instead of serving
    #[arg(long)]
    once: bool,
    /// Read orders from this CSV file (gzip), such as the UCI Online Retail data set, instead of
    /// generating them
    #[arg(long, value_name = "FILE")]
    dataset: Option<PathBuf>,
    /// Number of orders to generate
    #[arg(long, value_name = "NUMBER", default_value_t = 5_000)]
    orders: u64,
    /// Seed of the generated shop. The same seed gives the same shop
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

pub(super) fn demo(mut settings: Settings, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    say("starting the database");
    settings.use_data_subdirectory("demo")?;
    let database = settings.database()?;
    let running = RunningDatabase::start(&database)?;
    let ended = runtime()?.block_on(async {
        let simulator = Simulator::start()
            .await
            .context("cannot serve the simulated shop")?;
        let store = fill(&simulator, args)?;
        settings.shopify_base_url = Some(simulator.shopify_base_url());
        let config = settings.resolve()?;
        let listen = config.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}: set PORT to another port"))?;
        let address = format!("http://{}", listener.local_addr()?);
        let app = App::build(AppConfig::new(config, running.url())).await?;
        let shutdown = shutdown_on_signal()?;
        let tasks = TaskTracker::new();
        tasks.spawn(worker::run(app.sync().clone(), shutdown.clone()));
        let served = tokio::select! {
            served = app.serve(listener, shutdown.clone()) => served,
            shown = show(&app, &address, &store, args, &shutdown) => shown,
        };
        shutdown.cancel();
        tasks.close();
        tasks.wait().await;
        app.database().close().await;
        served
    });
    running.stop()?;
    ended.map(|()| ExitCode::SUCCESS)
}

/// The simulated shop and its owner.
struct Store {
    domain: ShopDomain,
    token: String,
    email: String,
}

fn fill(simulator: &Simulator, args: &DemoArgs) -> anyhow::Result<Store> {
    let started = Instant::now();
    let (shop, report) = match &args.dataset {
        Some(file) => {
            say(&format!("reading {}", file.display()));
            let settings = ShopSettings {
                name: "Online Retail".to_owned(),
                ..ShopSettings::new("online-retail")
            };
            let (shop, report) = simulator
                .add_filled_shop(settings, |shop| shop.load_dataset(file))
                .with_context(|| file.display().to_string())?;
            (shop, Some(report))
        }
        None => (generate(simulator, args)?, None),
    };
    let sizes = shop.sizes();
    say(&format!(
        "a simulated shop with {} customers, {} products and {} orders is ready ({:.1?})",
        sizes.customers,
        sizes.products,
        sizes.orders,
        started.elapsed()
    ));
    if let Some(report) = report {
        say(&format!(
            "contents of the file: {}",
            serde_json::to_string(&report)?
        ));
    }
    let (_, _, token) = shop.credentials();
    Ok(Store {
        domain: ShopDomain::parse(&format!("{}.myshopify.com", shop.label()))?,
        token: token.context("the simulated shop has no token")?,
        email: format!("owner@{}.example", shop.label()),
    })
}

/// A plausible shop whose last day is yesterday. The day is part of its name, so that tomorrow's
/// shop is another one.
fn generate(simulator: &Simulator, args: &DemoArgs) -> anyhow::Result<Arc<Shop>> {
    let zone = chrono_tz::America::New_York;
    let yesterday = Clock::System.now().with_timezone(&zone).date_naive() - TimeDelta::days(1);
    let settings = ShopSettings {
        name: "Demo Store".to_owned(),
        currency: "USD".parse()?,
        zone,
        tax: "8".parse()?,
        ..ShopSettings::new(&format!(
            "demo-{}-{}-{}",
            args.orders,
            args.seed,
            yesterday.format("%Y%m%d")
        ))
    };
    let generation = Generation {
        seed: args.seed,
        ..Generation::of(args.orders, yesterday)
    };
    let (shop, ()) = simulator.add_filled_shop(settings, |shop| {
        shop.generate(&generation);
        anyhow::Ok(())
    })?;
    Ok(shop)
}

/// Connects the shop, waits for its sync and prints its figures. Then waits for a signal, unless
/// `--once` is set.
async fn show(
    app: &App,
    address: &str,
    store: &Store,
    args: &DemoArgs,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let client = Client::new(address)?;
    let token = connect(&client, store).await?;
    let started = Instant::now();
    let Some(orders) = sync(app, store, shutdown).await? else {
        return Ok(());
    };
    say(&format!(
        "synced: {orders} orders fetched in {:.1?}{}",
        started.elapsed(),
        memory()
    ));
    // A data set is years old; a generated shop ends yesterday.
    let preset = if args.dataset.is_some() {
        "ALL_TIME"
    } else {
        "LAST_90_DAYS"
    };
    let answer = client
        .ask(
            QUERY,
            json!({ "range": { "preset": preset } }),
            Some(&token),
        )
        .await?;
    print_answer(&answer)?;
    if !args.once {
        say(&format!(
            "\n  dashboard  {address}/\n  GraphiQL   {address}/graphiql\n  API        {address}/graphql\n  sign in    {} / {PASSWORD}\n  \
             token      {token}\n             (15 minutes; it goes into the field at the top of GraphiQL)\n\n\
             Ctrl-C stops it.",
            store.email
        ));
        shutdown.cancelled().await;
    }
    Ok(())
}

/// Registers with the shop, or signs in if an earlier demo registered. Returns the access token.
async fn connect(client: &Client, store: &Store) -> anyhow::Result<String> {
    let login = client
        .ask(
            "mutation ($input: LoginInput!) { login(input: $input) { session { token } } }",
            json!({ "input": { "email": store.email, "password": PASSWORD } }),
            None,
        )
        .await?;
    if let Some(token) = login
        .pointer("/login/session/token")
        .and_then(Value::as_str)
    {
        say(&format!(
            "signed in as {}: {} is already connected",
            store.email, store.domain
        ));
        return Ok(token.to_owned());
    }
    say(&format!(
        "registering {} with {}",
        store.email, store.domain
    ));
    let registered = client
        .ask(
            "mutation ($input: RegisterInput!) { register(input: $input) { session { token } userErrors { message } } }",
            json!({ "input": { "email": store.email, "password": PASSWORD, "shop": {
                "domain": store.domain.as_str(), "credentials": { "accessToken": { "token": store.token } } } } }),
            None,
        )
        .await?;
    match registered
        .pointer("/register/session/token")
        .and_then(Value::as_str)
    {
        Some(token) => Ok(token.to_owned()),
        None => bail!("cannot register the shop: {registered}"),
    }
}

/// Syncs the shop, or waits for the initial sync. Returns the number of orders, or `None` if the
/// demo was stopped.
async fn sync(
    app: &App,
    store: &Store,
    shutdown: &CancellationToken,
) -> anyhow::Result<Option<i32>> {
    use crate::domain::sync::{ObjectKind, SyncMode, SyncStatus, SyncTrigger};

    let mut system = app.database().system().await?;
    let tenant = system
        .find_tenant(&store.domain)
        .await?
        .context("the shop is not connected")?;
    drop(system);
    let mut transaction = app.database().tenant(tenant).await?;
    let run = app
        .sync()
        .request_sync(&mut transaction, SyncMode::Incremental, SyncTrigger::Manual)
        .await?;
    transaction.commit().await?;
    let (run, _) = watch(app.database(), tenant, run.id, shutdown).await?;
    match run.status {
        SyncStatus::Succeeded => {
            let mut snapshot = app.database().tenant_snapshot(tenant).await?;
            let progress = snapshot.sync_progress(&[run.id]).await?;
            let orders = progress
                .iter()
                .find(|progress| progress.kind == ObjectKind::Orders);
            Ok(Some(orders.map_or(0, |progress| progress.done)))
        }
        _ if shutdown.is_cancelled() => Ok(None),
        status => bail!(
            "the sync is {}: {}",
            status.code(),
            run.error.unwrap_or_default()
        ),
    }
}

/// The peak memory use of this process, if the system reports it. Includes the simulated shop.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .map_or_else(String::new, |peak| {
            format!(
                " (peak memory of this process, including the simulated shop: {})",
                peak.trim()
            )
        })
}

/// A client that uses the API as any frontend does.
struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    fn new(address: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()?;
        Ok(Self {
            http,
            url: format!("{address}/graphql"),
        })
    }

    /// Executes an operation and returns its data.
    async fn ask(
        &self,
        query: &str,
        variables: Value,
        token: Option<&str>,
    ) -> anyhow::Result<Value> {
        let mut request = self
            .http
            .post(&self.url)
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let mut body: Value = request.send().await?.json().await?;
        if let Some(errors) = body.get("errors") {
            bail!("the API returned errors: {errors}");
        }
        Ok(body.get_mut("data").map(Value::take).unwrap_or_default())
    }
}

/// Only the result goes to standard output, so that it can be piped.
#[expect(clippy::print_stdout, reason = "the output of the command")]
fn print_answer(answer: &Value) -> anyhow::Result<()> {
    say(QUERY);
    println!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}

#[expect(clippy::print_stderr, reason = "output for the user of the terminal")]
fn say(text: &str) {
    eprintln!("{text}");
}

//! `demo`: a simulated store is connected and synced through the front door, as a user would do it, and its
//! numbers are shown; then the server stays, or ends with `--once`.

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

/// Only ever opens a simulated store.
const PASSWORD: &str = "a simulated store";

/// The dashboard's query.
const QUERY: &str = include_str!("demo.graphql");

/// What `demo` takes besides the settings.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Print the answer and end, instead of serving
    #[arg(long)]
    once: bool,
    /// Fill the store from this CSV file (gzip), such as the UCI Online Retail data set, instead of generating one
    #[arg(long, value_name = "FILE")]
    dataset: Option<PathBuf>,
    /// How many orders the generated store has
    #[arg(long, value_name = "NUMBER", default_value_t = 5_000)]
    orders: u64,
    /// What the generated store is made from: the same seed, the same store
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
            .context("the simulated store cannot be served")?;
        let store = fill(&simulator, args)?;
        settings.shopify_base_url = Some(simulator.shopify_base_url());
        let config = settings.resolve()?;
        let listen = config.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}: set PORT to a free one"))?;
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

/// The simulated store, and whose it is.
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
        "a simulated store of {} customers, {} products and {} orders is open ({:.1?})",
        sizes.customers,
        sizes.products,
        sizes.orders,
        started.elapsed()
    ));
    if let Some(report) = report {
        say(&format!(
            "what the file holds: {}",
            serde_json::to_string(&report)?
        ));
    }
    let (_, _, token) = shop.credentials();
    Ok(Store {
        domain: ShopDomain::parse(&format!("{}.myshopify.com", shop.label()))?,
        token: token.context("the simulated store has no token")?,
        email: format!("owner@{}.example", shop.label()),
    })
}

/// A believable store whose last day is yesterday. The day is part of its name: tomorrow's is another store.
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

/// Connects the store, waits for its sync, asks for its numbers; then waits until told to stop, unless once
/// is enough.
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
    // A data set lies years back; a generated store ends yesterday.
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

/// Signs up with the store, or signs in where an earlier demo already did. The token.
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
            "signed in as {}: {} was connected before",
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
        None => bail!("the store could not be registered: {registered}"),
    }
}

/// Syncs the store, or waits for the sync that registering began. How many orders it brought; `None` when the
/// demo was stopped meanwhile.
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
        .context("the store is not connected")?;
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

/// The most memory that this process has used, where the system says so. The simulated store's is in it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .map_or_else(String::new, |peak| {
            format!(
                " (peak memory of this process, simulated store included: {})",
                peak.trim()
            )
        })
}

/// The demo's own client: it asks as any frontend would.
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

    /// Carries out an operation; its data.
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
            bail!("the API answers with errors: {errors}");
        }
        Ok(body.get_mut("data").map(Value::take).unwrap_or_default())
    }
}

/// The answer goes to standard output, everything else does not: it can be piped.
#[expect(clippy::print_stdout, reason = "this is the command's answer")]
fn print_answer(answer: &Value) -> anyhow::Result<()> {
    say(QUERY);
    println!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}

#[expect(clippy::print_stderr, reason = "what a person at the terminal reads")]
fn say(text: &str) {
    eprintln!("{text}");
}

//! `webhooks`: what one order's change costs the database, from its delivery to its last trace: the whole program beside
//! a simulated store, which tells it of each change, the way Shopify does. One change after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::NaiveDate;
use clap::Args;
use futures_util::stream::{BoxStream, StreamExt as _};
use secrecy::SecretString;
use serde_json::{Value, json};
use shopify_simulator::{
    Generation, NewLine, NewOrder, Order, OrderChange, RefundLine, RefundRequest, Shop,
    ShopSettings, Simulator, WebhookPlan,
};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xboard::app::{App, AppConfig};
use xboard::cache::invalidation::Received;
use xboard::db::Database;
use xboard::db::events::ShopEvent;
use xboard::domain::ids::TenantId;
use xboard::domain::shop::ShopDomain;
use xboard::sync::worker;

use crate::usage::Postmaster;
use crate::{fill, target};

/// Each connection plans a statement some times before it keeps a plan; a program that runs has that behind it. No more
/// than are measured.
const WARM: u32 = 150;
/// A delivery that brought nothing in after so long is lost.
const LOST: Duration = Duration::from_secs(30);
/// The pause between two looks at whether anything is left to do.
const LOOKING: Duration = Duration::from_millis(100);
/// What the database uses at rest is counted for so long.
const RESTING: Duration = Duration::from_secs(5);
/// After the last change is there to be read, its job is still taken off the queue.
const SETTLING: Duration = Duration::from_millis(50);

/// What to change.
#[derive(Clone, Debug, Args)]
pub(crate) struct WebhooksArgs {
    /// How many orders the simulated store has.
    #[arg(long, default_value_t = 5_000)]
    orders: u64,
    /// How many orders change, how many are refunded, and how many are new: each one after the other, then all at once.
    #[arg(long, default_value_t = 300)]
    changes: u32,
}

pub(crate) async fn run(url: &str, arguments: &WebhooksArgs) -> anyhow::Result<()> {
    let simulator = Simulator::start().await?;
    let shop = open_shop(&simulator, arguments)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut config = AppConfig::new(target::settings()?, SecretString::from(url.to_owned()));
    config.shopify.base_url = Some(simulator.shopify_base_url());
    config.public_url = Some(format!("http://{address}"));
    config.sync.sync_interval = None;
    config.sync.maintenance_interval = None;
    let app = App::build(config).await?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(worker::run(app.sync().clone(), shutdown.clone()));
    let measured = async {
        let outcome = measure(url, &app, address, &shop, arguments.changes).await;
        shutdown.cancel();
        outcome
    };
    let (served, measured) = tokio::join!(app.serve(listener, shutdown.clone()), measured);
    tasks.close();
    tasks.wait().await;
    app.database().close().await;
    served?;
    measured
}

fn open_shop(simulator: &Simulator, arguments: &WebhooksArgs) -> anyhow::Result<Arc<Shop>> {
    let last_day = NaiveDate::from_ymd_opt(2026, 10, 31).unwrap_or_default();
    let (shop, ()) = simulator.add_filled_shop(ShopSettings::new("bench-webhooks"), |shop| {
        shop.generate(&Generation::of(arguments.orders, last_day));
        anyhow::Ok(())
    })?;
    shop.set_webhook_plan(WebhookPlan {
        allow_http: true,
        ..WebhookPlan::default()
    });
    // How fast Shopify lets itself be asked is not what is measured.
    shop.set_bucket(1_000_000, 100_000);
    Ok(shop)
}

async fn measure(
    url: &str,
    app: &App,
    address: SocketAddr,
    shop: &Shop,
    count: u32,
) -> anyhow::Result<()> {
    let tenant = connect(app.database(), address, shop).await?;
    let mut connection = PgConnection::connect(url).await?;
    let began = Instant::now();
    while !is_at_rest(app.database(), tenant).await? {
        anyhow::ensure!(began.elapsed() < LOST * 10, "the store is not brought in");
        tokio::time::sleep(LOOKING).await;
    }
    anyhow::ensure!(
        !shop.subscriptions().is_empty(),
        "the webhooks are not registered"
    );
    for upkeep in ["vacuum analyze", "checkpoint"] {
        sqlx::raw_sql(upkeep).execute(&mut connection).await?;
    }
    // What every process hears that serves dashboards.
    let events = app.invalidation().subscribe(tenant).await;
    let events = events.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut orders = shop.orders();
    orders.retain(|order| order.refunds.is_empty());
    let old = |number: u32| {
        let place = usize::try_from(number * 7_919)? % orders.len().max(1);
        orders.get(place).context("the store has no orders")
    };
    let tag = |number: u32, name: &str| -> anyhow::Result<Order> {
        let change = OrderChange {
            tags: Some(vec![format!("{name}-{number}")]),
            ..OrderChange::default()
        };
        Ok(shop.change_order(old(number)?.id, &change)?)
    };
    let refund = |number: u32| -> anyhow::Result<Order> {
        let order = old(number)?;
        let line = order.line_items.first().context("an order without lines")?;
        let request = RefundRequest {
            lines: vec![RefundLine {
                line: line.id,
                quantity: 1,
            }],
            ..RefundRequest::default()
        };
        Ok(shop.refund_order(order.id, &request)?)
    };
    let place = |number: u32| -> anyhow::Result<Order> {
        let line = NewLine {
            title: Some(format!("Lamp {}", number % 10)),
            price: Some("20.00".parse()?),
            quantity: 2,
            ..NewLine::default()
        };
        let new = NewOrder {
            customer: old(number)?.customer,
            lines: vec![line],
            ..NewOrder::default()
        };
        Ok(shop.place_order(&new)?)
    };
    let mut run = Changes {
        app,
        tenant,
        shop,
        postmaster: Postmaster::of(&mut connection).await?,
        events: Box::pin(events),
        count,
    };
    run.at_rest().await;
    println!(
        "| a change by webhook | CPU of the database | deliveries | until it can be read (median) | of |"
    );
    println!("|---|---|---|---|---|");
    run.measure("an order is tagged", |number| tag(number, "alone"))
        .await?;
    run.measure("an order is refunded", refund).await?;
    run.measure("an order is new", place).await?;
    run.measure_at_once("orders are tagged, all at once", |number| {
        tag(number, "at-once")
    })
    .await?;
    // Those before them are refunded already.
    let refunded = WARM.min(count) + count;
    run.measure_at_once("orders are refunded, all at once", |number| {
        refund(refunded + number)
    })
    .await?;
    run.measure_at_once("orders are new, all at once", place)
        .await?;
    fill::verify(app.database(), tenant).await
}

/// Signs up with the store.
async fn connect(
    database: &Database,
    address: SocketAddr,
    shop: &Shop,
) -> anyhow::Result<TenantId> {
    let (_, secret, token) = shop.credentials();
    let domain = format!("{}.myshopify.com", shop.label());
    let answer: Value = crate::subject::client()?
        .post(format!("http://{address}/graphql"))
        .json(&json!({
            "query": "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { message } } }",
            "variables": { "input": { "email": fill::EMAIL, "password": fill::PASSWORD, "shop": {
                "domain": domain, "credentials": { "accessToken": { "token": token, "apiSecret": secret } } } } },
        }))
        .send()
        .await?
        .json()
        .await?;
    let mut system = database.system().await?;
    let tenant = system.find_tenant(&ShopDomain::parse(&domain)?).await?;
    tenant.with_context(|| format!("the store could not be registered: {answer}"))
}

/// Whether the first sync is behind it, and no job waits.
async fn is_at_rest(database: &Database, tenant: TenantId) -> anyhow::Result<bool> {
    let mut transaction = database.tenant(tenant).await?;
    let synced = transaction
        .shop()
        .await?
        .is_some_and(|shop| shop.last_synced_at.is_some());
    let jobs = transaction.into_system().await?.count_jobs().await?;
    Ok(synced && jobs == 0)
}

struct Changes<'a> {
    app: &'a App,
    tenant: TenantId,
    shop: &'a Shop,
    postmaster: Postmaster,
    events: BoxStream<'static, Received>,
    count: u32,
}

impl Changes<'_> {
    /// What is used where nothing happens: it is part of what is counted of each change below, by the time that it takes.
    async fn at_rest(&self) {
        let before = self.postmaster.precise_cpu();
        tokio::time::sleep(RESTING).await;
        let used = self.postmaster.precise_cpu().saturating_sub(before);
        println!(
            "at rest the database uses {:.2?} a second\n",
            used.div_f64(RESTING.as_secs_f64())
        );
    }

    async fn measure_at_once(
        &self,
        what: &str,
        change: impl Fn(u32) -> anyhow::Result<Order>,
    ) -> anyhow::Result<()> {
        let delivered = self.shop.delivery_counts().delivered;
        let before = self.postmaster.precise_cpu();
        let began = Instant::now();
        for number in 0..self.count {
            change(number)?;
        }
        while self.shop.delivery_counts().under_way > 0
            || !is_at_rest(self.app.database(), self.tenant).await?
        {
            tokio::time::sleep(LOOKING).await;
        }
        let used = self.postmaster.precise_cpu().saturating_sub(before);
        println!(
            "| {what} | {:.2?} | {} | | {} in {:.1?} |",
            used / self.count.max(1),
            self.shop.delivery_counts().delivered - delivered,
            self.count,
            began.elapsed(),
        );
        Ok(())
    }

    async fn measure(
        &mut self,
        what: &str,
        change: impl Fn(u32) -> anyhow::Result<Order>,
    ) -> anyhow::Result<()> {
        let warm = WARM.min(self.count);
        for number in 0..warm {
            change(number)?;
            self.applied().await?;
        }
        let delivered = self.shop.delivery_counts().delivered;
        let before = self.postmaster.precise_cpu();
        let began = Instant::now();
        let mut times = Vec::new();
        for number in warm..warm + self.count {
            let told = Instant::now();
            change(number)?;
            self.applied().await?;
            times.push(told.elapsed());
        }
        tokio::time::sleep(SETTLING).await;
        let time = began.elapsed();
        let used = self.postmaster.precise_cpu().saturating_sub(before);
        times.sort_unstable();
        println!(
            "| {what} | {:.2?} | {} | {:.2?} | {} in {time:.1?} |",
            used / self.count.max(1),
            self.shop.delivery_counts().delivered - delivered,
            times.get(times.len() / 2).copied().unwrap_or_default(),
            self.count,
        );
        Ok(())
    }

    /// Waits until the store has moved.
    async fn applied(&mut self) -> anyhow::Result<()> {
        let moved = async {
            loop {
                let received = self.events.next().await.context("the program ended")?;
                if matches!(received, Received::Event(ShopEvent::DataChanged { .. })) {
                    return anyhow::Ok(());
                }
            }
        };
        tokio::time::timeout(LOST, moved)
            .await
            .context("a change did not arrive")?
    }
}

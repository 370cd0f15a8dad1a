//! The simulator as a program: one shop, filled as asked, served until it is stopped.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use chrono::NaiveDate;
use clap::Parser;
use shopify_simulator::{
    Clock, Currency, DatasetReport, Generation, Moment, Percent, Shop, ShopSettings, Simulator,
};

/// A stand-in for a Shopify store: its Admin API with limits, throttling and faults.
#[derive(Debug, Parser)]
struct Options {
    /// The address to listen at.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen at; 0 takes a free one.
    #[arg(long, default_value_t = 4000)]
    port: u16,
    /// What clients call the server, where that is not its address.
    #[arg(long)]
    public_url: Option<String>,
    /// The label of the shop: the first part of its myshopify.com domain.
    #[arg(long, default_value = "demo")]
    shop: String,
    /// How many orders to generate.
    #[arg(long, default_value_t = 2000)]
    orders: u64,
    /// The seed of the generated store.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first day of the generated store; two years before its last when left out.
    #[arg(long)]
    start: Option<NaiveDate>,
    /// The last day of the generated store; yesterday when left out.
    #[arg(long)]
    end: Option<NaiveDate>,
    /// Serves the invoices of this CSV file (.gz too) instead of generated orders.
    #[arg(long)]
    dataset: Option<PathBuf>,
    /// The shop's time zone.
    #[arg(long, default_value = "Europe/London")]
    zone: chrono_tz::Tz,
    /// The shop's currency.
    #[arg(long, default_value = "GBP")]
    currency: Currency,
    /// The tax of generated orders, in percent.
    #[arg(long, default_value = "0")]
    tax: Percent,
    /// Whether prices include the tax.
    #[arg(long)]
    taxes_included: bool,
    /// How much longer every answer takes, in milliseconds.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// The size of the bucket, in points.
    #[arg(long, default_value_t = 2000)]
    bucket: u32,
    /// How many points the bucket gains a second.
    #[arg(long, default_value_t = 100)]
    restore_rate: u32,
    /// How long a bulk operation stays RUNNING at least, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    bulk_running: u64,
    /// How late the search index learns of changes, in milliseconds.
    #[arg(long, default_value_t = 0)]
    index_lag: u64,
    /// What the app may read, separated by commas.
    #[arg(long, value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// The instant that the shop's clock stands at; it runs with the machine's when left out.
    #[arg(long)]
    now: Option<Moment>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let options = Options::parse();
    let defaults = ShopSettings::new(&options.shop);
    let settings = ShopSettings {
        currency: options.currency,
        zone: options.zone,
        tax: options.tax,
        taxes_included: options.taxes_included,
        latency: Duration::from_millis(options.latency),
        bucket_size: options.bucket,
        restore_rate: options.restore_rate,
        bulk_running: Duration::from_millis(options.bulk_running),
        index_lag: Duration::from_millis(options.index_lag),
        clock: options.now.map_or(Clock::REAL, Clock::Fixed),
        scopes: options
            .scopes
            .clone()
            .unwrap_or_else(|| defaults.scopes.clone()),
        ..defaults
    };
    let address = SocketAddr::new(options.host, options.port);
    let simulator = Simulator::start_at(address, options.public_url.as_deref())
        .await
        .with_context(|| format!("cannot listen at {address}"))?;
    let (shop, report) = simulator.add_filled_shop(settings, |shop| fill(shop, &options))?;
    let mut out = std::io::stdout();
    if let Some(report) = report {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    }
    let (client_id, client_secret, token) = shop.credentials();
    let sizes = serde_json::to_string(&shop.sizes())?;
    writeln!(out, "SHOPIFY_BASE_URL={}", simulator.shopify_base_url())?;
    writeln!(
        out,
        "shop:          {}.myshopify.com  {sizes}",
        options.shop
    )?;
    writeln!(out, "static token:  {}", token.unwrap_or_default())?;
    writeln!(out, "client id:     {client_id}")?;
    writeln!(out, "client secret: {client_secret}")?;
    writeln!(
        out,
        "control:       {}/control/shops/{}",
        simulator.base_url(),
        options.shop
    )?;
    out.flush()?;
    simulator.wait().await;
    Ok(())
}

/// Fills the shop as asked.
fn fill(shop: &Shop, options: &Options) -> anyhow::Result<Option<DatasetReport>> {
    if let Some(path) = &options.dataset {
        let report = shop
            .load_dataset(path)
            .context("the data set cannot be served")?;
        return Ok(Some(report));
    }
    let end = options.end.unwrap_or_else(|| {
        let now = shop.now().to_utc().with_timezone(&options.zone);
        now.date_naive() - chrono::TimeDelta::days(1)
    });
    let mut generation = Generation {
        seed: options.seed,
        ..Generation::of(options.orders, end)
    };
    generation.start = options.start.unwrap_or(generation.start);
    shop.generate(&generation);
    Ok(None)
}

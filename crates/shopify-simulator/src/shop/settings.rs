//! How a shop is set up.

use std::time::Duration;

use chrono_tz::Tz;

use crate::amount::{Currency, Percent};
use crate::clock::Clock;

/// The scopes of a shop that nothing is kept from.
pub const ALL_SCOPES: [&str; 5] = [
    "read_all_orders",
    "read_customer_merge",
    "read_customers",
    "read_orders",
    "read_products",
];

/// How a shop is set up. Start from [`ShopSettings::new`] and change what matters.
#[derive(Clone, Debug)]
pub struct ShopSettings {
    /// The first label of the domain: `my-store` for `my-store.myshopify.com`.
    pub label: String,
    /// The shop's number in its global id; made from the label when left out.
    pub id: Option<u64>,
    /// The name.
    pub name: String,
    /// The currency.
    pub currency: Currency,
    /// The time zone.
    pub zone: Tz,
    /// The tax of orders that do not name one.
    pub tax: Percent,
    /// Whether prices include the tax.
    pub taxes_included: bool,
    /// What the app may read.
    pub scopes: Vec<String>,
    /// Whether names and addresses of customers are refused to the app.
    pub personal_data_refused: bool,
    /// The static token of an admin-created app.
    pub static_token: Option<String>,
    /// The client id for client credentials.
    pub client_id: String,
    /// The client secret for client credentials.
    pub client_secret: String,
    /// The size of the bucket, in points.
    pub bucket_size: u32,
    /// How many points it gains a second.
    pub restore_rate: u32,
    /// What time it is.
    pub clock: Clock,
    /// How late the search index learns of changes.
    pub index_lag: Duration,
    /// How much longer every answer takes.
    pub latency: Duration,
    /// How long a bulk operation stays CREATED.
    pub bulk_created: Duration,
    /// How long a bulk operation stays RUNNING at least.
    pub bulk_running: Duration,
}

impl ShopSettings {
    /// A shop in London with pounds, no taxes, all scopes and the bucket of a standard plan.
    pub fn new(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            id: None,
            name: label.to_owned(),
            currency: Currency::GBP,
            zone: Tz::Europe__London,
            tax: Percent::ZERO,
            taxes_included: false,
            scopes: ALL_SCOPES.map(str::to_owned).to_vec(),
            personal_data_refused: false,
            static_token: Some(format!("shpat_{label}")),
            client_id: format!("client-{label}"),
            client_secret: format!("shpss_{label}"),
            bucket_size: 2000,
            restore_rate: 100,
            clock: Clock::REAL,
            index_lag: Duration::ZERO,
            latency: Duration::ZERO,
            bulk_created: Duration::from_millis(20),
            bulk_running: Duration::from_millis(50),
        }
    }
}

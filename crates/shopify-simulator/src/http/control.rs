//! The control API's settings: shops, clock, access, faults, statistics.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::answer;
use super::orders::with_shop;
use crate::amount::{Currency, Percent};
use crate::bulk::BulkScript;
use crate::clock::{Clock, Moment};
use crate::fill::Generation;
use crate::shop::{AccessChange, FaultRate, FaultScript, Shop, ShopSettings};
use crate::simulator::Shops;

type World = State<Arc<Shops>>;
type OfShop = Path<String>;

pub(crate) fn router() -> Router<Arc<Shops>> {
    Router::new()
        .route("/control/shops", get(list).post(add))
        .route("/control/shops/{shop}", get(show).post(set))
        .route("/control/shops/{shop}/generate", post(generate))
        .route("/control/shops/{shop}/clock", post(clock))
        .route("/control/shops/{shop}/access", post(access))
        .route(
            "/control/shops/{shop}/faults",
            post(fault).delete(no_faults),
        )
        .route(
            "/control/shops/{shop}/fault-rate",
            post(fault_rate).delete(no_fault_rate),
        )
        .route("/control/shops/{shop}/bulk-faults", post(bulk_fault))
        .route(
            "/control/shops/{shop}/statistics",
            get(statistics).delete(no_statistics),
        )
}

async fn list(State(shops): World) -> Response {
    answer(axum::http::StatusCode::OK, &json!(shops.labels()))
}

/// Reads a time zone by its name.
fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tz>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    name.map(|name| name.parse().map_err(serde::de::Error::custom))
        .transpose()
}

/// A shop to add. What is left out is as in [`ShopSettings::new`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewShop {
    label: String,
    currency: Option<Currency>,
    #[serde(default, deserialize_with = "zone")]
    time_zone: Option<Tz>,
    tax_percent: Option<Percent>,
    #[serde(default)]
    taxes_included: bool,
    scopes: Option<Vec<String>>,
    now: Option<Moment>,
}

async fn add(State(shops): World, Json(new): Json<NewShop>) -> Response {
    let mut settings = ShopSettings::new(&new.label);
    settings.currency = new.currency.unwrap_or(settings.currency);
    settings.zone = new.time_zone.unwrap_or(settings.zone);
    settings.tax = new.tax_percent.unwrap_or(settings.tax);
    settings.taxes_included = new.taxes_included;
    settings.scopes = new.scopes.unwrap_or(settings.scopes);
    settings.clock = new.now.map_or(settings.clock, Clock::Fixed);
    let shop = shops.add(settings);
    answer(axum::http::StatusCode::OK, &described(&shop))
}

async fn show(State(shops): World, Path(label): OfShop) -> Response {
    with_shop(&shops, &label, |shop| Ok(described(shop)))
}

/// What a shop is and how to reach it.
fn described(shop: &Shop) -> Value {
    let facts = shop.facts();
    let (client_id, client_secret, static_token) = shop.credentials();
    json!({
        "label": shop.label(),
        "domain": facts.domain,
        "name": facts.name,
        "currency": facts.currency,
        "timeZone": facts.zone_name(),
        "now": shop.now(),
        "clientId": client_id,
        "clientSecret": client_secret,
        "staticToken": static_token,
        "sizes": shop.sizes(),
    })
}

/// Settings to change. What is left out stays.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    name: Option<String>,
    currency: Option<Currency>,
    #[serde(default, deserialize_with = "zone")]
    time_zone: Option<Tz>,
    /// What the shop calls its zone: any text, such as a name that was given up.
    time_zone_name: Option<String>,
    index_lag_millis: Option<u64>,
    latency_millis: Option<u64>,
    bulk_created_millis: Option<u64>,
    bulk_running_millis: Option<u64>,
    bucket_size: Option<u32>,
    restore_rate: Option<u32>,
    /// 402, 403, 404, 423 or 430; nought opens the shop again.
    closed: Option<u16>,
    /// A version; an empty text stops it.
    served_version: Option<String>,
}

async fn set(State(shops): World, Path(label): OfShop, Json(change): Json<Change>) -> Response {
    with_shop(&shops, &label, |shop| {
        if let Some(name) = &change.name {
            shop.set_name(name);
        }
        if let Some(currency) = change.currency {
            shop.set_currency(currency);
        }
        if let Some(zone) = change.time_zone {
            shop.set_zone(zone);
        }
        if let Some(name) = &change.time_zone_name {
            shop.set_zone_name(name);
        }
        if let Some(millis) = change.index_lag_millis {
            shop.set_index_lag(Duration::from_millis(millis));
        }
        if let Some(millis) = change.latency_millis {
            shop.set_latency(Duration::from_millis(millis));
        }
        if change.bulk_created_millis.is_some() || change.bulk_running_millis.is_some() {
            let (created, running) = shop.bulk_times();
            shop.set_bulk_times(
                change
                    .bulk_created_millis
                    .map_or(created, Duration::from_millis),
                change
                    .bulk_running_millis
                    .map_or(running, Duration::from_millis),
            );
        }
        if change.bucket_size.is_some() || change.restore_rate.is_some() {
            let (size, rate) = (change.bucket_size, change.restore_rate);
            shop.set_bucket(size.unwrap_or(2000), rate.unwrap_or(100));
        }
        if let Some(status) = change.closed {
            shop.set_closed((status != 0).then_some(status));
        }
        if let Some(version) = &change.served_version {
            shop.set_served_version((!version.is_empty()).then_some(version));
        }
        Ok(described(shop))
    })
}

/// A past to generate. What is left out is as in [`Generation::of`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Past {
    orders: u64,
    end: NaiveDate,
    start: Option<NaiveDate>,
    seed: Option<u64>,
    products: Option<usize>,
}

async fn generate(State(shops): World, Path(label): OfShop, Json(past): Json<Past>) -> Response {
    with_shop(&shops, &label, |shop| {
        let mut generation = Generation::of(past.orders, past.end);
        generation.start = past.start.unwrap_or(generation.start);
        generation.seed = past.seed.unwrap_or(generation.seed);
        generation.products = past.products.unwrap_or(generation.products);
        shop.generate(&generation);
        Ok(described(shop))
    })
}

/// A clock to set or to advance.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockChange {
    set: Option<Moment>,
    advance_seconds: Option<u64>,
    #[serde(default)]
    real: bool,
}

async fn clock(
    State(shops): World,
    Path(label): OfShop,
    Json(change): Json<ClockChange>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        if change.real {
            shop.set_clock(Clock::REAL);
        }
        if let Some(now) = change.set {
            shop.set_clock(Clock::Fixed(now));
        }
        if let Some(seconds) = change.advance_seconds {
            shop.advance(Duration::from_secs(seconds));
        }
        Ok(json!({ "now": shop.now() }))
    })
}

async fn access(
    State(shops): World,
    Path(label): OfShop,
    Json(change): Json<AccessChange>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.change_access(change);
        Ok(described(shop))
    })
}

async fn fault(
    State(shops): World,
    Path(label): OfShop,
    Json(script): Json<FaultScript>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.push_fault(script);
        Ok(json!({}))
    })
}

async fn no_faults(State(shops): World, Path(label): OfShop) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.clear_faults();
        Ok(json!({}))
    })
}

async fn fault_rate(
    State(shops): World,
    Path(label): OfShop,
    Json(rate): Json<FaultRate>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.set_fault_rate(Some(rate));
        Ok(json!({}))
    })
}

async fn no_fault_rate(State(shops): World, Path(label): OfShop) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.set_fault_rate(None);
        Ok(json!({}))
    })
}

async fn bulk_fault(
    State(shops): World,
    Path(label): OfShop,
    Json(script): Json<BulkScript>,
) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.push_bulk_script(script);
        Ok(json!({}))
    })
}

async fn statistics(State(shops): World, Path(label): OfShop) -> Response {
    with_shop(&shops, &label, |shop| Ok(json!(shop.statistics())))
}

async fn no_statistics(State(shops): World, Path(label): OfShop) -> Response {
    with_shop(&shops, &label, |shop| {
        shop.reset_statistics();
        Ok(json!({}))
    })
}

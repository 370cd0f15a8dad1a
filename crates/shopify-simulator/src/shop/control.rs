//! What a test or the control API does to a shop: reading and setting, beside the business operations.

use std::time::Duration;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultRate, FaultScript, Shop, Statistics};
use crate::amount::Currency;
use crate::bulk::{BulkFault, BulkScript};
use crate::clock::{Clock, Moment};
use crate::store::{Customer, Order, Product};
use crate::webhooks::{DeliveryCounts, Subscription, WebhookBook, WebhookPlan};

/// A change of what an app may do. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AccessChange {
    /// The scopes.
    pub scopes: Option<Vec<String>>,
    /// Whether names and addresses of customers are refused.
    pub personal_data_refused: Option<bool>,
    /// A new static token.
    pub static_token: Option<String>,
    /// Ends the static token and every token given out.
    pub revoke_tokens: bool,
    /// Ends every token given out, as if their time had passed.
    pub expire_tokens: bool,
    /// Whether new tokens carry no scope.
    pub empty_scopes: Option<bool>,
    /// A new client secret.
    pub client_secret: Option<String>,
}

/// How much a shop holds, deleted things left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sizes {
    /// Customers.
    pub customers: usize,
    /// Products.
    pub products: usize,
    /// Orders.
    pub orders: usize,
    /// Line items of those orders.
    pub line_items: usize,
    /// Sales of those orders.
    pub sales: usize,
}

impl Shop {
    /// What time it is in the shop.
    pub fn now(&self) -> Moment {
        self.inner().clock.now()
    }

    /// Sets the clock.
    pub fn set_clock(&self, clock: Clock) {
        self.inner().clock = clock;
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.inner().clock.advance(duration);
    }

    /// Sets how late the search index learns of changes.
    pub fn set_index_lag(&self, lag: Duration) {
        self.inner().index_lag = lag;
    }

    /// Sets how much longer every answer takes.
    pub fn set_latency(&self, latency: Duration) {
        self.inner().latency = latency;
    }

    /// Sets how long bulk operations stay CREATED and, at least, RUNNING.
    pub fn set_bulk_times(&self, created: Duration, running: Duration) {
        let mut inner = self.inner();
        inner.bulk_created = created;
        inner.bulk_running = running;
    }

    /// Gives the app a new, full bucket.
    pub fn set_bucket(&self, size: u32, restore_rate: u32) {
        for app in &mut self.inner().apps {
            app.bucket = super::Bucket::new(size, restore_rate);
        }
    }

    /// Changes the currency of orders to come, and says so to those who listen.
    pub fn set_currency(&self, currency: Currency) {
        self.inner().facts.currency = currency;
        self.announce_shop("shop/update");
    }

    /// Changes the time zone, and says so to those who listen.
    pub fn set_zone(&self, zone: Tz) {
        let mut inner = self.inner();
        inner.facts.zone = zone;
        inner.facts.zone_name = None;
        drop(inner);
        self.announce_shop("shop/update");
    }

    /// Calls the time zone by another name, such as one that IANA has given up, and says so to those who listen.
    pub fn set_zone_name(&self, name: &str) {
        self.inner().facts.zone_name = Some(name.to_owned());
        self.announce_shop("shop/update");
    }

    /// Changes the name, and says so to those who listen.
    pub fn set_name(&self, name: &str) {
        name.clone_into(&mut self.inner().facts.name);
        self.announce_shop("shop/update");
    }

    /// Answers every request with a status (402, 403, 404, 423, 430), or opens the shop again.
    pub fn set_closed(&self, status: Option<u16>) {
        self.inner().closed = status;
    }

    /// Serves another API version than the one asked for, or stops doing so.
    pub fn set_served_version(&self, version: Option<&str>) {
        self.inner().served_version = version.map(str::to_owned);
    }

    /// Changes what the app may do.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a change is made for one call"
    )]
    pub fn change_access(&self, change: AccessChange) {
        for app in &mut self.inner().apps {
            if change.revoke_tokens || change.expire_tokens {
                app.revoke(change.revoke_tokens);
            }
            if change.revoke_tokens {
                app.revoke_installs();
            }
            if let Some(scopes) = &change.scopes {
                app.access.scopes.clone_from(scopes);
            }
            if let Some(refused) = change.personal_data_refused {
                app.access.personal_data_refused = refused;
            }
            if change.static_token.is_some() {
                app.static_token.clone_from(&change.static_token);
            }
            if let Some(empty) = change.empty_scopes {
                app.empty_scopes = empty;
            }
            if let Some(secret) = &change.client_secret {
                app.client_secret.clone_from(secret);
            }
        }
    }

    /// Sets the scopes.
    pub fn set_scopes(&self, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.change_access(AccessChange {
            scopes: Some(scopes),
            ..AccessChange::default()
        });
    }

    /// The app's client id, client secret and static token.
    pub fn credentials(&self) -> (String, String, Option<String>) {
        let inner = self.inner();
        inner.apps.first().map_or_else(Default::default, |app| {
            (
                app.client_id.clone(),
                app.client_secret.clone(),
                app.static_token.clone(),
            )
        })
    }

    /// Makes the shop's app one that merchants install: its id and secret, and where they may be sent back to.
    pub fn offer_app(&self, client_id: &str, client_secret: &str, redirects: &[&str]) {
        if let Some(app) = self.inner().apps.first_mut() {
            client_id.clone_into(&mut app.client_id);
            client_secret.clone_into(&mut app.client_secret);
            app.static_token = None;
            app.installs.redirects = redirects.iter().map(|&uri| uri.to_owned()).collect();
        }
    }

    /// Lets coming requests go wrong.
    pub fn push_fault(&self, script: impl Into<FaultScript>) {
        self.inner().faults.push(script.into());
    }

    /// Lets the next request of an operation go wrong.
    pub fn push_fault_for(&self, operation: &str, fault: Fault) {
        let operation = Some(operation.to_owned());
        self.push_fault(FaultScript {
            operation,
            ..FaultScript::from(fault)
        });
    }

    /// Lets some requests go wrong at a rate, or stops doing so.
    pub fn set_fault_rate(&self, rate: Option<FaultRate>) {
        self.inner().faults.set_rate(rate);
    }

    /// Lets the next bulk operation go wrong: on any root, or on one.
    pub fn push_bulk_fault(&self, root: Option<&str>, fault: BulkFault) {
        self.push_bulk_script(BulkScript {
            root: root.map(str::to_owned),
            fault,
            times: 1,
        });
    }

    /// Lets coming bulk operations go wrong.
    pub fn push_bulk_script(&self, script: BulkScript) {
        self.inner().bulk_scripts.push(script);
    }

    /// Sets how deliveries of webhooks go.
    pub fn set_webhook_plan(&self, plan: WebhookPlan) {
        self.with_webhooks(|book| book.set_plan(plan));
    }

    /// The subscriptions to webhooks.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.with_webhooks(|book| book.all().to_vec())
    }

    /// Ends every subscription, as Shopify does after too many failures.
    pub fn lose_subscriptions(&self) {
        self.with_webhooks(WebhookBook::clear);
    }

    /// What became of the deliveries so far.
    pub fn delivery_counts(&self) -> DeliveryCounts {
        self.with_webhooks(|book| book.counts())
    }

    /// Uninstalls the app: says so to those who listen, ends its tokens and its subscriptions.
    pub fn uninstall(&self) {
        self.announce_shop("app/uninstalled");
        self.change_access(AccessChange {
            revoke_tokens: true,
            ..AccessChange::default()
        });
        self.lose_subscriptions();
    }

    /// Forgets all scripted faults.
    pub fn clear_faults(&self) {
        let mut inner = self.inner();
        inner.faults.clear();
        inner.bulk_scripts.clear();
    }

    /// What the shop was asked since the counts were last reset.
    pub fn statistics(&self) -> Statistics {
        self.inner().statistics.clone()
    }

    /// Resets the counts.
    pub fn reset_statistics(&self) {
        self.inner().statistics = Statistics::default();
    }

    /// An order as it is now, a deleted one too.
    pub fn order(&self, id: u64) -> Option<Order> {
        self.store().orders.any(id).map(|order| Order::clone(order))
    }

    /// All orders, deleted ones among them, in the order they were made.
    pub fn orders(&self) -> Vec<Order> {
        self.store()
            .orders
            .rows()
            .map(|order| Order::clone(order))
            .collect()
    }

    /// All customers, deleted ones among them.
    pub fn customers(&self) -> Vec<Customer> {
        self.store()
            .customers
            .rows()
            .map(|customer| Customer::clone(customer))
            .collect()
    }

    /// All products, deleted ones among them.
    pub fn products(&self) -> Vec<Product> {
        self.store()
            .products
            .rows()
            .map(|product| Product::clone(product))
            .collect()
    }

    /// How much the shop holds.
    pub fn sizes(&self) -> Sizes {
        let store = self.store();
        let orders = || store.orders.rows().filter(|order| !order.deleted);
        Sizes {
            customers: store.customers.rows().filter(|one| !one.deleted).count(),
            products: store.products.rows().filter(|one| !one.deleted).count(),
            orders: orders().count(),
            line_items: orders().map(|order| order.line_items.len()).sum(),
            sales: orders().map(|order| order.sales().count()).sum(),
        }
    }
}

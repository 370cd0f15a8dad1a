//! Deliveries on their way: signed, sent, sent again.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::{WebhookBook, payload};
use crate::bulk::BulkRecord;
use crate::shop::Shop;
use crate::store::{Customer, Order, Product};

/// How often a delivery is tried again.
const RETRIES: u32 = 8;

/// As Shopify: one second to connect, five in total, no redirects.
static CLIENT: LazyLock<Option<reqwest::Client>> = LazyLock::new(|| {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(1))
        .timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .ok()
});

/// A delivery to one address.
#[derive(Clone, Debug)]
struct Post {
    subscription: u64,
    uri: String,
    id: String,
    topic: String,
    domain: String,
    signature: String,
    body: String,
}

impl Post {
    /// Whether it was taken.
    async fn attempt(&self) -> bool {
        let Some(client) = CLIENT.as_ref() else {
            return false;
        };
        let sent = client
            .post(&self.uri)
            .header("content-type", "application/json")
            .header("x-shopify-topic", &self.topic)
            .header("x-shopify-shop-domain", &self.domain)
            .header("x-shopify-webhook-id", &self.id)
            .header("x-shopify-api-version", "2026-10")
            .header("x-shopify-hmac-sha256", &self.signature)
            .body(self.body.clone())
            .send()
            .await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }

    async fn deliver(self, book: Arc<Mutex<WebhookBook>>, wait: Duration) {
        tokio::time::sleep(wait).await;
        let with = |run: &mut dyn FnMut(&mut WebhookBook)| {
            run(&mut book.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let mut pause = Duration::ZERO;
        with(&mut |book| pause = Duration::from_millis(book.plan.retry_millis));
        let mut left = RETRIES;
        loop {
            let delivered = self.attempt().await;
            let mut alive = false;
            with(&mut |book| alive = book.attempted(self.subscription, delivered));
            if delivered || !alive {
                break;
            }
            let Some(fewer) = left.checked_sub(1) else {
                with(&mut |book| book.gave_up(self.subscription));
                break;
            };
            left = fewer;
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        with(&mut |book| book.counts.under_way = book.counts.under_way.saturating_sub(1));
    }
}

impl Shop {
    pub(crate) fn announce_order(&self, topics: &[&str], order: &Order) {
        for topic in topics {
            self.announce(topic, &payload::order(order));
        }
    }

    pub(crate) fn announce_refund(&self, order: &Order) {
        self.announce("refunds/create", &payload::refund(order));
    }

    pub(crate) fn announce_shop(&self, topic: &str) {
        self.announce(topic, &payload::shop(&self.facts(), self.now()));
    }

    pub(crate) fn announce_bulk(&self, operation: &BulkRecord) {
        self.announce(
            "bulk_operations/finish",
            &payload::bulk_operation(operation),
        );
    }

    pub(crate) fn announce_customer(&self, topic: &str, customer: &Customer) {
        self.announce(topic, &payload::customer(customer));
    }

    pub(crate) fn announce_product(&self, topic: &str, product: &Product) {
        self.announce(topic, &payload::product(product));
    }

    pub(crate) fn announce_deletion(&self, topic: &str, id: u64) {
        self.announce(topic, &json!({ "id": id }));
    }

    /// Sends an event to all subscriptions. Outside a runtime it sends nothing.
    pub(crate) fn announce(&self, topic: &str, payload: &Value) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let planned = self.with_webhooks(|book| book.plan_deliveries(topic));
        if planned.is_empty() {
            return;
        }
        let domain = self.facts().domain;
        let tasks = TaskTracker::new();
        for (subscription, id, wait) in planned {
            let body = payload::only(payload, &subscription.include_fields).to_string();
            let secret = self.secret_of(&subscription.app);
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            let signature = STANDARD.encode(hmac::sign(&key, body.as_bytes()).as_ref());
            let post = Post {
                subscription: subscription.id,
                uri: subscription.uri,
                id,
                topic: topic.to_owned(),
                domain: domain.clone(),
                signature,
                body,
            };
            tasks.spawn_on(post.deliver(self.webhook_book(), wait), &runtime);
        }
    }
}

//! Webhooks: which apps listen to what, and deliveries to them, with what goes wrong on the way.

mod deliver;
mod payload;

use std::time::Duration;

use serde::Deserialize;

use crate::random::Random;

/// After so many failed attempts in a row a subscription is deleted.
const MAX_FAILURES: u32 = 8;

/// How deliveries go. The default is a perfect network, retries in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookPlan {
    /// Whether `http://` addresses are taken, which Shopify never does: for programs under test.
    pub allow_http: bool,
    /// How many of a hundred deliveries never happen.
    pub drop_percent: u8,
    /// How many of a hundred deliveries happen twice.
    pub duplicate_percent: u8,
    /// Each delivery is held back for up to so many milliseconds, at random: they overtake each other.
    pub shuffle_millis: u64,
    /// The wait before the first retry, in milliseconds; it doubles with each of the eight.
    pub retry_millis: u64,
    /// Decides all of it.
    pub seed: u64,
}

impl Default for WebhookPlan {
    fn default() -> Self {
        Self {
            allow_http: false,
            drop_percent: 0,
            duplicate_percent: 0,
            shuffle_millis: 0,
            retry_millis: 10,
            seed: 0,
        }
    }
}

/// A subscription of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The number in the global id.
    pub id: u64,
    /// `ORDERS_CREATE`
    pub topic: String,
    /// Where deliveries go.
    pub uri: String,
    /// The fields that deliveries hold; all without any.
    pub include_fields: Vec<String>,
    pub(crate) app: String,
    failures: u32,
}

/// What became of deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Answered with 2xx.
    pub delivered: u64,
    /// Never sent.
    pub dropped: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// On the way.
    pub under_way: u64,
}

/// The subscriptions of a shop.
#[derive(Debug)]
pub(crate) struct WebhookBook {
    subscriptions: Vec<Subscription>,
    plan: WebhookPlan,
    random: Random,
    counts: DeliveryCounts,
    next_id: u64,
    next_event: u64,
}

impl Default for WebhookBook {
    fn default() -> Self {
        Self {
            subscriptions: Vec::new(),
            plan: WebhookPlan::default(),
            random: Random::new(0),
            counts: DeliveryCounts::default(),
            next_id: 1_397_558_542_000,
            next_event: 0,
        }
    }
}

impl WebhookBook {
    pub(crate) fn of(&self, app: &str) -> Vec<Subscription> {
        let of_app = self.subscriptions.iter().filter(|one| one.app == app);
        of_app.cloned().collect()
    }

    pub(crate) fn all(&self) -> &[Subscription] {
        &self.subscriptions
    }

    pub(crate) const fn counts(&self) -> DeliveryCounts {
        self.counts
    }

    pub(crate) fn set_plan(&mut self, plan: WebhookPlan) {
        self.random = Random::new(plan.seed);
        self.plan = plan;
    }

    /// Subscribes an app, or says why not.
    pub(crate) fn subscribe(
        &mut self,
        app: &str,
        topic: &str,
        uri: &str,
        include_fields: Vec<String>,
    ) -> Result<Subscription, &'static str> {
        let secure = ["https://", "pubsub://", "arn:aws:events:"];
        let allowed = secure.iter().any(|scheme| uri.starts_with(scheme))
            || (self.plan.allow_http && uri.starts_with("http://"));
        if !allowed {
            return Err("Address protocol http:// is not supported");
        }
        let taken = |one: &Subscription| one.app == app && one.topic == topic && one.uri == uri;
        if self.subscriptions.iter().any(taken) {
            return Err("Address for this topic has already been taken");
        }
        self.next_id += 1;
        let subscription = Subscription {
            id: self.next_id,
            topic: topic.to_owned(),
            uri: uri.to_owned(),
            include_fields,
            app: app.to_owned(),
            failures: 0,
        };
        self.subscriptions.push(subscription.clone());
        Ok(subscription)
    }

    /// Ends a subscription. False when there is none of that number.
    pub(crate) fn unsubscribe(&mut self, app: &str, id: u64) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions
            .retain(|one| one.app != app || one.id != id);
        self.subscriptions.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.subscriptions.clear();
    }

    /// The deliveries of an event: none, one or two for each subscription, each with its wait.
    fn plan_deliveries(&mut self, topic: &str) -> Vec<(Subscription, String, Duration)> {
        let name = topic.replace('/', "_").to_uppercase();
        let listening: Vec<Subscription> = self
            .subscriptions
            .iter()
            .filter(|one| one.topic == name)
            .cloned()
            .collect();
        let mut planned = Vec::new();
        for subscription in listening {
            self.next_event += 1;
            let id = format!("00000000-0000-4000-8000-{:012x}", self.next_event);
            if self.random.below(100) < u64::from(self.plan.drop_percent) {
                self.counts.dropped += 1;
                continue;
            }
            let twice = self.random.below(100) < u64::from(self.plan.duplicate_percent);
            for _ in 0..=u8::from(twice) {
                let wait = self
                    .random
                    .below(self.plan.shuffle_millis.saturating_add(1));
                let wait = Duration::from_millis(wait);
                planned.push((subscription.clone(), id.clone(), wait));
            }
        }
        self.counts.under_way += u64::try_from(planned.len()).unwrap_or(0);
        planned
    }

    /// Notes an attempt. False when the subscription is gone.
    fn attempted(&mut self, subscription: u64, delivered: bool) -> bool {
        if delivered {
            self.counts.delivered += 1;
        } else {
            self.counts.failed += 1;
        }
        let Some(one) = self
            .subscriptions
            .iter_mut()
            .find(|one| one.id == subscription)
        else {
            return false;
        };
        one.failures = if delivered { 0 } else { one.failures + 1 };
        true
    }

    /// A delivery failed with its last retry: its subscription goes, unless others got through meanwhile.
    fn gave_up(&mut self, subscription: u64) {
        self.subscriptions
            .retain(|one| one.id != subscription || one.failures < MAX_FAILURES);
    }
}

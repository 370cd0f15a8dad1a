//! How up to date a shop's data is, and what delays it.

use async_graphql::{Enum, SimpleObject};

use super::sync::ObjectKind;
use crate::db::shops::{self, ShopStatus};
use crate::domain::shop::missing_scopes;
use crate::domain::sync;
use crate::graphql::scalars::Instant;

/// How up to date a shop's data is, and what delays it.
#[derive(Clone, Debug, SimpleObject)]
pub struct ShopHealth {
    /// For each kind of object, when it was last fetched and when the last webhook about it
    /// arrived.
    kinds: Vec<KindHealth>,
    /// Whether webhooks from the shop arrive.
    webhooks: WebhookState,
    /// Why webhooks are incomplete, in a sentence. Null if they are not.
    webhooks_problem: Option<String>,
    /// The time the webhook subscriptions were last checked.
    webhooks_checked_at: Option<Instant>,
    /// The time of the last reconciliation, which compares the ids of all objects in the shop with
    /// the stored ones.
    reconciled_at: Option<Instant>,
    /// The number of new or changed objects that the last reconciliation found and fetched.
    reconciled_missed: i32,
    /// The number of deleted objects that the last reconciliation found and removed.
    reconciled_deleted: i32,
    /// The number of past days whose orders Shopify shows the app. Null if the app can read all
    /// orders.
    order_history_days: Option<i32>,
    /// The required access scopes that the app was not granted.
    missing_scopes: Vec<String>,
    /// Whether Shopify has rejected the credentials. The owner must then connect the shop again.
    reauthorisation_needed: bool,
}

/// How up to date one kind of object is.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct KindHealth {
    /// The kind of object.
    kind: ObjectKind,
    /// All changes made in the shop up to this time have been fetched. Null before the first sync.
    fetched_up_to: Option<Instant>,
    /// The time of the last webhook about an object of this kind. Null if there was none in the
    /// last 30 days.
    last_heard_at: Option<Instant>,
}

/// Whether webhooks from a shop arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum WebhookState {
    /// All topics are subscribed. Changes arrive within seconds.
    Active,
    /// Some or all topics are not subscribed; `webhooksProblem` says why. Changes arrive by
    /// polling.
    Incomplete,
    /// The server has no public URL, or the shop's subscriptions have not been checked yet. Changes
    /// arrive by polling.
    Off,
}

impl ShopHealth {
    pub(super) fn new(shop: &shops::Shop, health: shops::Health) -> Self {
        let webhooks = match (&health.webhooks_checked_at, &health.webhooks_problem) {
            (None, _) => WebhookState::Off,
            (Some(_), None) => WebhookState::Active,
            (Some(_), Some(_)) => WebhookState::Incomplete,
        };
        let kinds = sync::ObjectKind::ALL.iter().map(|&kind| {
            let deliveries = health.last_deliveries.iter();
            let deliveries = deliveries.filter(|(topic, _)| is_about(kind, topic));
            KindHealth {
                kind: kind.into(),
                fetched_up_to: shop.fetched_up_to.of(kind).map(Instant),
                last_heard_at: deliveries.map(|(_, at)| *at).max().map(Instant),
            }
        });
        let missing = missing_scopes(&shop.scopes);
        Self {
            kinds: kinds.collect(),
            webhooks,
            webhooks_problem: health.webhooks_problem,
            webhooks_checked_at: health.webhooks_checked_at.map(Instant),
            reconciled_at: health.reconciled_at.map(Instant),
            reconciled_missed: health.reconciled_missed,
            reconciled_deleted: health.reconciled_deleted,
            order_history_days: shop.order_history_days,
            missing_scopes: missing.into_iter().map(str::to_owned).collect(),
            reauthorisation_needed: shop.status == ShopStatus::ReauthorisationNeeded,
        }
    }
}

fn is_about(kind: sync::ObjectKind, topic: &str) -> bool {
    let subjects: &[&str] = match kind {
        sync::ObjectKind::Customers => &["customers/"],
        sync::ObjectKind::Products => &["products/"],
        sync::ObjectKind::Orders => &["orders/", "refunds/"],
    };
    subjects.iter().any(|subject| topic.starts_with(subject))
}

//! How fresh what is shown of a store is, and what keeps it from being fresher.

use async_graphql::{Enum, SimpleObject};

use super::sync::ObjectKind;
use crate::db::maintenance::Maintenance;
use crate::db::shops::{self, ShopStatus};
use crate::db::webhooks::TopicReceipt;
use crate::domain::shop::ShopRecord;
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

/// What the health of a store is read from.
pub(super) struct Facts {
    pub(super) shop: shops::Shop,
    pub(super) maintenance: Maintenance,
    pub(super) heard: Vec<TopicReceipt>,
    pub(super) fetched: Vec<(sync::ObjectKind, Option<Instant>)>,
}

impl From<Facts> for ShopHealth {
    fn from(facts: Facts) -> Self {
        let Facts {
            shop,
            maintenance,
            heard,
            fetched,
        } = facts;
        let webhooks = match (
            &maintenance.webhooks_checked_at,
            &maintenance.webhooks_problem,
        ) {
            (None, _) => WebhookState::Off,
            (Some(_), None) => WebhookState::Active,
            (Some(_), Some(_)) => WebhookState::Incomplete,
        };
        let kinds = fetched.into_iter().map(|(kind, fetched_up_to)| {
            let last = heard.iter().filter(|topic| is_about(kind, &topic.topic));
            KindHealth {
                kind: kind.into(),
                fetched_up_to,
                last_heard_at: last.map(|topic| topic.last_received_at).max().map(Instant),
            }
        });
        let reauthorisation_needed = shop.status == ShopStatus::ReauthorisationNeeded;
        let order_history_days = shop.order_history_days;
        let record = ShopRecord {
            gid: shop.gid,
            domain: shop.domain,
            name: shop.name,
            currency: shop.currency,
            time_zone: shop.time_zone,
            scopes: shop.scopes,
        };
        let missing = record.missing_scopes();
        Self {
            kinds: kinds.collect(),
            webhooks,
            webhooks_problem: maintenance.webhooks_problem,
            webhooks_checked_at: maintenance.webhooks_checked_at.map(Instant),
            reconciled_at: maintenance.reconciled_at.map(Instant),
            reconciled_missed: maintenance.reconciled_missed,
            reconciled_deleted: maintenance.reconciled_deleted,
            order_history_days,
            missing_scopes: missing.into_iter().map(str::to_owned).collect(),
            reauthorisation_needed,
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

//! How fresh what is shown of a store is, and what keeps it from being fresher.

use async_graphql::{Enum, SimpleObject};

use super::sync::ObjectKind;
use crate::db::shops::{self, ShopStatus};
use crate::db::upkeep::Upkeep;
use crate::db::webhooks::HeardTopic;
use crate::domain::shop::ShopRecord;
use crate::domain::sync;
use crate::graphql::scalars::Instant;

/// How fresh what is shown of a store is, and what keeps it from being fresher.
#[derive(Clone, Debug, SimpleObject)]
pub struct ShopHealth {
    /// Each kind of object: when it was last fetched and last heard of.
    kinds: Vec<KindHealth>,
    /// Whether the store tells of changes as they happen.
    webhooks: WebhookState,
    /// What stands in the way of the webhooks, in a sentence. Null when nothing does.
    webhooks_problem: Option<String>,
    /// The instant at which the webhooks were last looked after.
    webhooks_checked_at: Option<Instant>,
    /// The instant at which the ids of everything in the store were last compared with what is kept.
    reconciled_at: Option<Instant>,
    /// How many objects the last comparison found to be new or changed, and fetched.
    reconciled_missed: i32,
    /// How many it found to be gone from the store, and took away.
    reconciled_deleted: i32,
    /// How many days of orders Shopify shows this app. Null when it shows all of them.
    order_history_days: Option<i32>,
    /// The access scopes that were not granted and are needed.
    missing_scopes: Vec<String>,
    /// Whether the owner has to connect the store again: Shopify refused the credentials.
    reauthorisation_needed: bool,
}

/// How fresh one kind of object is.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct KindHealth {
    /// Which objects.
    kind: ObjectKind,
    /// Up to which change in the store everything is here. Null before the first sync.
    fetched_up_to: Option<Instant>,
    /// The instant of the last webhook about such an object. Null when there was none in 30 days.
    last_heard_at: Option<Instant>,
}

/// Whether a store tells of changes as they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum WebhookState {
    /// Every topic is listened to: changes arrive within seconds.
    Active,
    /// Some or all topics are not listened to; `webhooksProblem` says why. Polling does the work.
    Incomplete,
    /// This server has no address that Shopify could reach, or the store was not looked at yet. Polling does
    /// the work.
    Off,
}

/// What the health of a store is read from.
pub(super) struct Facts {
    pub(super) shop: shops::Shop,
    pub(super) upkeep: Upkeep,
    pub(super) heard: Vec<HeardTopic>,
    pub(super) fetched: Vec<(sync::ObjectKind, Option<Instant>)>,
}

impl From<Facts> for ShopHealth {
    fn from(facts: Facts) -> Self {
        let Facts {
            shop,
            upkeep,
            heard,
            fetched,
        } = facts;
        let webhooks = match (&upkeep.webhooks_checked_at, &upkeep.webhooks_problem) {
            (None, _) => WebhookState::Off,
            (Some(_), None) => WebhookState::Active,
            (Some(_), Some(_)) => WebhookState::Incomplete,
        };
        let kinds = fetched.into_iter().map(|(kind, fetched_up_to)| {
            let last = heard.iter().filter(|topic| is_about(kind, &topic.topic));
            KindHealth {
                kind: kind.into(),
                fetched_up_to,
                last_heard_at: last.map(|topic| topic.at).max().map(Instant),
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
            webhooks_problem: upkeep.webhooks_problem,
            webhooks_checked_at: upkeep.webhooks_checked_at.map(Instant),
            reconciled_at: upkeep.reconciled_at.map(Instant),
            reconciled_missed: upkeep.reconciled_missed,
            reconciled_deleted: upkeep.reconciled_deleted,
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

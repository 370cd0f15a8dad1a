//! The webhook subscriptions of a shop: created when it is connected, checked daily, deleted when it is disconnected.
//! Shopify deletes a subscription whose deliveries failed eight times, without a notice.

use tracing::{info, warn};

use super::SyncService;
use super::run::SyncError;
use crate::db::shops::ShopStatus;
use crate::domain::ids::TenantId;
use crate::domain::shop::is_granted;
use crate::shopify::{ShopClient, Subscription};

/// Shopify drops identical deliveries within a short time. `updated_at` makes them differ.
const OBJECT: &[&str] = &["id", "updated_at"];
const SHOP: &[&str] = &["id", "myshopify_domain", "updated_at"];

/// The topics, and the fields of each. Of a customer only the id is included.
const TOPICS: &[(&str, &[&str])] = &[
    ("ORDERS_CREATE", OBJECT),
    ("ORDERS_UPDATED", OBJECT),
    ("ORDERS_CANCELLED", OBJECT),
    ("ORDERS_EDITED", &["order_edit"]),
    ("ORDERS_DELETE", &[]),
    ("REFUNDS_CREATE", &["id", "order_id", "created_at"]),
    ("CUSTOMERS_CREATE", OBJECT),
    ("CUSTOMERS_UPDATE", OBJECT),
    ("CUSTOMERS_DELETE", &[]),
    (
        "CUSTOMERS_MERGE",
        &[
            "admin_graphql_api_customer_kept_id",
            "admin_graphql_api_customer_deleted_id",
            "status",
        ],
    ),
    ("PRODUCTS_CREATE", OBJECT),
    ("PRODUCTS_UPDATE", OBJECT),
    ("PRODUCTS_DELETE", &[]),
    ("APP_UNINSTALLED", SHOP),
    ("SHOP_UPDATE", SHOP),
    (
        "BULK_OPERATIONS_FINISH",
        &["admin_graphql_api_id", "status", "completed_at"],
    ),
];

/// A topic that Shopify sends only to apps with this scope. It is not needed: the daily reconciliation finds merged
/// customers too.
const OPTIONAL_TOPIC: (&str, &str) = ("CUSTOMERS_MERGE", "read_customer_merge");

/// The problem of a shop that is connected without a secret.
const NO_SECRET: &str =
    "webhooks cannot be verified without the app's API secret: connect the shop with it";

impl SyncService {
    /// Creates missing subscriptions and deletes outdated ones.
    pub(super) async fn ensure_webhook_subscriptions(
        &self,
        tenant: TenantId,
    ) -> Result<(), SyncError> {
        let Some(public_url) = self.public_url.clone() else {
            return Ok(());
        };
        let mut transaction = self.database.tenant(tenant).await?;
        let shop = transaction.shop().await?;
        drop(transaction);
        let Some(shop) = shop.filter(|shop| shop.status == ShopStatus::Connected) else {
            return Ok(());
        };
        let keys = self.read_signing_keys(&shop.domain).await?;
        let (registered, problem) = if keys.is_none_or(|keys| keys.secrets.is_empty()) {
            (0, Some(NO_SECRET.to_owned()))
        } else {
            let store = self.store_of(tenant, &shop);
            let uri = format!("{public_url}/webhooks");
            repair(&store, &uri, &shop.scopes).await?
        };
        if let Some(problem) = &problem {
            warn!(tenant.id = %tenant, problem, "webhook subscriptions are missing");
        }
        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        transaction
            .record_subscriptions(registered, problem.as_deref(), now)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes the shop's subscriptions to this program.
    pub async fn delete_webhook_subscriptions(&self, tenant: TenantId) -> Result<(), SyncError> {
        let Some(public_url) = self.public_url.clone() else {
            return Ok(());
        };
        let mut transaction = self.database.tenant(tenant).await?;
        let Some(shop) = transaction.shop().await? else {
            return Ok(());
        };
        drop(transaction);
        let store = self.store_of(tenant, &shop);
        let uri = format!("{public_url}/webhooks");
        for subscription in store.subscriptions().await? {
            if subscription.uri == uri {
                store.unsubscribe(&subscription.gid).await?;
            }
        }
        Ok(())
    }
}

fn is_current(subscription: &Subscription, topic: &str, fields: &[&str]) -> bool {
    subscription.topic == topic
        && subscription.include_fields.len() == fields.len()
        && fields
            .iter()
            .all(|field| subscription.include_fields.iter().any(|has| has == field))
}

/// How many topics are subscribed to in the end, and Shopify's message for the first that is not.
async fn repair(
    store: &ShopClient,
    uri: &str,
    scopes: &[String],
) -> Result<(i32, Option<String>), SyncError> {
    let mut ours = store.subscriptions().await?;
    // Other subscriptions of the same app lead to other servers.
    ours.retain(|subscription| subscription.uri == uri);
    let (mut registered, mut problem) = (0, None);
    for (topic, fields) in TOPICS {
        let position = ours
            .iter()
            .position(|subscription| is_current(subscription, topic, fields));
        if let Some(position) = position {
            ours.swap_remove(position);
            registered += 1;
            continue;
        }
        for outdated in ours.extract_if(.., |subscription| subscription.topic == *topic) {
            store.unsubscribe(&outdated.gid).await?;
        }
        match store.subscribe(topic, uri, fields).await? {
            None => {
                info!(shop.domain = %store.domain(), webhook.topic = topic, "webhook subscription created");
                registered += 1;
            }
            Some(message)
                if *topic == OPTIONAL_TOPIC.0 && !is_granted(scopes, OPTIONAL_TOPIC.1) =>
            {
                info!(shop.domain = %store.domain(), webhook.topic = topic, message, "webhook topic needs a scope that was not granted");
            }
            Some(message) => {
                problem.get_or_insert(format!("{topic}: {message}"));
            }
        }
    }
    for superfluous in ours {
        store.unsubscribe(&superfluous.gid).await?;
    }
    Ok((registered, problem))
}

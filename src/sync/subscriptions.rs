//! The webhooks that a store sends us: asked for when it is connected, looked after daily, given up when it
//! is disconnected. Shopify deletes a subscription that failed eight times, and says nothing.

use tracing::{info, warn};

use super::SyncService;
use super::run::SyncError;
use crate::db::shops::ShopStatus;
use crate::domain::ids::TenantId;
use crate::domain::shop::is_granted;
use crate::shopify::{Store, Subscription};

/// Identical deliveries within a short time are sent once; with `updated_at` they are not identical.
const OBJECT: &[&str] = &["id", "updated_at"];
const SHOP: &[&str] = &["id", "myshopify_domain", "updated_at"];

/// What is listened to, and the fields of each: no more of a customer than a number.
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

/// What Shopify tells nobody of who lacks this scope, and which is not needed: that a customer is gone is
/// found by the daily comparison too.
const BY_SCOPE: (&str, &str) = ("CUSTOMERS_MERGE", "read_customer_merge");

/// What a store without a secret is told.
const NO_SECRET: &str =
    "webhooks cannot be verified without the app's API secret: connect the store with it";

impl SyncService {
    /// Lists the store's subscriptions, ends those that are not as they should be and makes what is missing.
    pub(super) async fn look_after_webhooks(&self, tenant: TenantId) -> Result<(), SyncError> {
        let Some(public_url) = self.public_url.clone() else {
            return Ok(());
        };
        let mut transaction = self.database.tenant(tenant).await?;
        let shop = transaction.shop().await?;
        drop(transaction);
        let Some(shop) = shop.filter(|shop| shop.status == ShopStatus::Connected) else {
            return Ok(());
        };
        let signer = self.signer(&shop.domain, true).await?;
        let (registered, problem) = if signer.is_none_or(|signer| signer.secrets.is_empty()) {
            (0, Some(NO_SECRET.to_owned()))
        } else {
            let store = self.store_of(tenant, &shop);
            let uri = format!("{public_url}/webhooks");
            repair(&store, &uri, &shop.scopes).await?
        };
        if let Some(problem) = &problem {
            warn!(tenant.id = %tenant, problem, "not all webhooks are registered");
        }
        let now = self.clock.now();
        let mut transaction = self.database.tenant(tenant).await?;
        transaction
            .note_webhooks(registered, problem.as_deref(), now)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends the store's subscriptions to this program, as far as the store still lets us.
    pub async fn give_up_webhooks(&self, tenant: TenantId) -> Result<(), SyncError> {
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

fn is_right(subscription: &Subscription, topic: &str, fields: &[&str]) -> bool {
    subscription.topic == topic
        && subscription.include_fields.len() == fields.len()
        && fields
            .iter()
            .all(|field| subscription.include_fields.iter().any(|has| has == field))
}

/// How many topics are listened to in the end, and what Shopify said to the first that is not.
async fn repair(
    store: &Store,
    uri: &str,
    scopes: &[String],
) -> Result<(i32, Option<String>), SyncError> {
    let mut ours = store.subscriptions().await?;
    // Others of the same app belong to somebody else.
    ours.retain(|subscription| subscription.uri == uri);
    let (mut registered, mut problem) = (0, None);
    for (topic, fields) in TOPICS {
        let place = ours
            .iter()
            .position(|subscription| is_right(subscription, topic, fields));
        if let Some(place) = place {
            ours.swap_remove(place);
            registered += 1;
            continue;
        }
        for outdated in ours.extract_if(.., |subscription| subscription.topic == *topic) {
            store.unsubscribe(&outdated.gid).await?;
        }
        match store.subscribe(topic, uri, fields).await? {
            None => {
                info!(shop.domain = %store.domain(), webhook.topic = topic, "a webhook was registered");
                registered += 1;
            }
            Some(message) if *topic == BY_SCOPE.0 && !is_granted(scopes, BY_SCOPE.1) => {
                info!(shop.domain = %store.domain(), webhook.topic = topic, message, "a webhook needs a scope that was not granted");
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

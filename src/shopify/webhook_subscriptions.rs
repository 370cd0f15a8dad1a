//! Lists, creates and deletes webhook subscriptions.

use super::error::{ShopifyError, sanitized};
use super::objects::PageInfo;
use super::queries;
use super::shop_client::ShopClient;

/// A webhook subscription of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The gid.
    pub gid: String,
    /// The topic, such as `ORDERS_CREATE`.
    pub topic: String,
    /// The destination of deliveries.
    pub uri: String,
    /// The fields in a delivery. Empty for all fields.
    pub include_fields: Vec<String>,
}

impl ShopClient {
    /// The app's subscriptions that were created through the API.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, ShopifyError> {
        let mut subscriptions = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let variables = queries::webhook_list::Variables {
                after: after.clone(),
            };
            let answer = self.query::<queries::WebhookList>(variables).await?;
            let page = answer.data.webhook_subscriptions;
            let found = page.nodes.into_iter().map(|node| Subscription {
                gid: node.id,
                topic: node.topic,
                uri: node.uri,
                include_fields: node.include_fields,
            });
            subscriptions.extend(found);
            after = PageInfo::new(page.page_info.has_next_page, page.page_info.end_cursor)
                .next(after.as_deref())?;
            if after.is_none() {
                return Ok(subscriptions);
            }
        }
    }

    /// Subscribes to a topic. Returns the reason if Shopify refuses. A lost response does no harm:
    /// Shopify rejects a duplicate subscription, and the next check finds the first.
    pub async fn subscribe(
        &self,
        topic: &str,
        uri: &str,
        fields: &[&str],
    ) -> Result<Option<String>, ShopifyError> {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let variables = queries::webhook_create::Variables {
            topic: topic.to_owned(),
            uri: uri.to_owned(),
            fields: Some(fields),
        };
        let answer = self.mutate::<queries::WebhookCreate>(variables).await?;
        let Some(payload) = answer.data.webhook_subscription_create else {
            let denied = answer.denied.error();
            return denied
                .map(|denied| Some(denied.to_string()))
                .ok_or_else(|| ShopifyError::Unreadable("no subscription".to_owned()));
        };
        let refusal = payload.user_errors.first();
        Ok(refusal.map(|error| sanitized(&error.message, 200)))
    }

    /// Deletes a subscription. Succeeds if it no longer exists.
    pub async fn unsubscribe(&self, gid: &str) -> Result<(), ShopifyError> {
        let variables = queries::webhook_delete::Variables { id: gid.to_owned() };
        self.query::<queries::WebhookDelete>(variables).await?;
        Ok(())
    }
}

//! Subscriptions to webhooks: listed, made and ended.

use super::error::{ShopifyError, shown};
use super::paged::PageEnd;
use super::queries;
use super::store::{Repeat, Store};

/// A subscription of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its gid.
    pub gid: String,
    /// `ORDERS_CREATE`
    pub topic: String,
    /// Where deliveries go.
    pub uri: String,
    /// The fields that they hold; all without any.
    pub include_fields: Vec<String>,
}

impl Store {
    /// The app's subscriptions, as far as they were made through the API.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, ShopifyError> {
        let mut subscriptions = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let variables = queries::webhook_list::Variables {
                after: after.clone(),
            };
            let answer = self.ask::<queries::WebhookList>(variables).await?;
            let page = answer.data.webhook_subscriptions;
            let found = page.nodes.into_iter().map(|node| Subscription {
                gid: node.id,
                topic: node.topic,
                uri: node.uri,
                include_fields: node.include_fields,
            });
            subscriptions.extend(found);
            after = PageEnd::from(page.page_info).next(after.as_deref())?;
            if after.is_none() {
                return Ok(subscriptions);
            }
        }
    }

    /// Subscribes to a topic. `Some`: Shopify refused, and why. A lost answer is no harm: a second
    /// subscription of a topic to the same address is refused, and the next look finds the first.
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
        let answer = self
            .send::<queries::WebhookCreate>(variables, Repeat::UnlessCarriedOut)
            .await?;
        let Some(payload) = answer.data.webhook_subscription_create else {
            let denied = answer.denied.error();
            return denied
                .map(|denied| Some(denied.to_string()))
                .ok_or_else(|| ShopifyError::Unreadable("no subscription".to_owned()));
        };
        let refusal = payload.user_errors.first();
        Ok(refusal.map(|error| shown(&error.message, 200)))
    }

    /// Ends a subscription. One that is already gone is as good.
    pub async fn unsubscribe(&self, gid: &str) -> Result<(), ShopifyError> {
        let variables = queries::webhook_delete::Variables { id: gid.to_owned() };
        self.ask::<queries::WebhookDelete>(variables).await?;
        Ok(())
    }
}

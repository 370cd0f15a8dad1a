//! Receiving deliveries: verify the signature, read the event, record it with the work it causes, answer. Nothing is
//! fetched and nothing else is written here; workers do that.

mod batcher;
mod signing_keys;
mod topics;

pub(super) use batcher::DeliveryBatcher;
pub(super) use signing_keys::SigningKeys;
#[cfg(test)]
pub(super) use topics::fuzz as fuzz_delivery;

use std::sync::Arc;

use aws_lc_rs::digest;
use secrecy::SecretString;

use self::batcher::BatchSlot;
use self::topics::{NamedShop, Unreadable, WebhookEvent};
use super::SyncService;
use crate::db::jobs::JobKind;
use crate::db::webhooks::{self, RecordOutcome};
use crate::db::{DbError, TenantTx};
use crate::domain::ids::{PrivacyRequestId, TenantId};
use crate::domain::shop::ShopDomain;
use crate::domain::sync::{ObjectKind, SyncMode, SyncTrigger};
use crate::shopify::webhook_signature::{Verified, verify};

/// The longest delivery id and the longest topic that are recorded.
const MAX_HEADER_LENGTH: usize = 128;

/// A delivery as received; nothing of it is verified.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// `X-Shopify-Hmac-Sha256`
    pub signature: &'a str,
    /// `X-Shopify-Shop-Domain`
    pub shop: &'a str,
    /// `X-Shopify-Topic`
    pub topic: &'a str,
    /// `X-Shopify-Webhook-Id`: the same for every repetition.
    pub id: &'a str,
    /// The raw body.
    pub body: &'a [u8],
}

/// A verified delivery that reports a changed or deleted object, ready to be recorded.
#[derive(Debug)]
pub(in crate::sync) struct ObjectDelivery {
    id: String,
    topic: String,
    refetches: Vec<(ObjectKind, i64, bool)>,
}

/// How a delivery was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is recorded and its work is queued; or it was recorded before.
    Stored,
    /// It needs no work.
    Ignored,
    /// The signature does not hold, or there is no such shop. The answer does not say which.
    Unverified,
    /// It is verified but cannot be read.
    Malformed,
    /// Too many deliveries could not be verified; Shopify should send this one again.
    Overloaded,
}

/// How the verification of a delivery ended.
enum Verification<'a> {
    /// The shop signed it.
    Shop(TenantId, NamedShop, Verified<'a>),
    /// The operator's app signed it, for a shop that is not connected or that uses other credentials.
    OperatorApp,
    /// No known key signed it.
    Failed,
    /// It would need a look-up, and there were too many.
    Overloaded,
}

impl SyncService {
    /// Receives a delivery.
    pub async fn receive(&self, delivery: Delivery<'_>) -> Result<Received, DbError> {
        let (tenant, shop, body) = match self.verify(&delivery).await? {
            Verification::Shop(tenant, shop, body) => (tenant, shop, body),
            Verification::OperatorApp => return Ok(Received::Ignored),
            Verification::Failed => return Ok(Received::Unverified),
            Verification::Overloaded => return Ok(Received::Overloaded),
        };
        let valid = |text: &str| (1..=MAX_HEADER_LENGTH).contains(&text.len());
        if !valid(delivery.topic) || !valid(delivery.id) {
            return Ok(Received::Malformed);
        }
        let event = match topics::read(delivery.topic, &shop, body) {
            Ok(WebhookEvent::Ignored) => return Ok(Received::Ignored),
            Ok(WebhookEvent::BulkOperationFinished) => {
                // Wakes the process that polls for it. Polling finds the end too, so nothing is recorded.
                let mut transaction = self.database.system().await?;
                transaction.notify_bulk_operation_finished().await?;
                transaction.commit().await?;
                return Ok(Received::Ignored);
            }
            Ok(event) => event,
            Err(Unreadable::Malformed) => return Ok(Received::Malformed),
            Err(Unreadable::OtherShop) => return Ok(Received::Unverified),
        };
        self.record(tenant, delivery, event).await?;
        Ok(Received::Stored)
    }

    /// Records a delivery with the work that its event causes, in one transaction.
    async fn record(
        &self,
        tenant: TenantId,
        delivery: Delivery<'_>,
        event: WebhookEvent,
    ) -> Result<(), DbError> {
        let refetches = event.refetches();
        if matches!(event, WebhookEvent::Changed(..) | WebhookEvent::Deleted(..)) {
            let delivery = ObjectDelivery {
                id: delivery.id.to_owned(),
                topic: delivery.topic.to_owned(),
                refetches,
            };
            return self.record_in_batch(tenant, Arc::new(delivery)).await;
        }
        // A replay under another id would disconnect a shop that was connected again.
        let digest = (event == WebhookEvent::Uninstalled)
            .then(|| digest::digest(&digest::SHA256, delivery.body));
        let request = PrivacyRequestId::generate();
        let job = event.job(request);
        let delivery = webhooks::Delivery {
            id: delivery.id,
            topic: delivery.topic,
            digest: digest.as_ref().map(AsRef::as_ref),
            refetches: &refetches,
        };
        let mut transaction = self.database.webhook_transaction(tenant).await?;
        let outcome = transaction
            .record_deliveries(&[delivery], job, self.clock.now())
            .await?;
        if outcome != RecordOutcome::Duplicate {
            self.record_rest(&mut transaction, &event, request).await?;
        }
        transaction.commit().await?;
        self.ensure_refetch_job(tenant, job, outcome).await
    }

    /// Records a delivery together with the others of its shop that wait to be recorded.
    async fn record_in_batch(
        &self,
        tenant: TenantId,
        delivery: Arc<ObjectDelivery>,
    ) -> Result<(), DbError> {
        match self.batcher.join(tenant, Arc::clone(&delivery)).await {
            BatchSlot::Written => return Ok(()),
            BatchSlot::Write(batch) => {
                let deliveries = batch.deliveries();
                match self.record_batch(tenant, &deliveries).await {
                    Ok(()) => {
                        batch.succeed();
                        return Ok(());
                    }
                    Err(error) if deliveries.len() == 1 => return Err(error),
                    Err(_) => {}
                }
            }
            BatchSlot::Alone => {}
        }
        self.record_batch(tenant, &[delivery]).await
    }

    async fn record_batch(
        &self,
        tenant: TenantId,
        deliveries: &[Arc<ObjectDelivery>],
    ) -> Result<(), DbError> {
        let deliveries: Vec<webhooks::Delivery<'_>> = deliveries
            .iter()
            .map(|delivery| webhooks::Delivery {
                id: &delivery.id,
                topic: &delivery.topic,
                digest: None,
                refetches: &delivery.refetches,
            })
            .collect();
        let job = Some(JobKind::Refetch);
        let mut transaction = self.database.webhook_transaction(tenant).await?;
        let outcome = transaction
            .record_deliveries(&deliveries, job, self.clock.now())
            .await?;
        transaction.commit().await?;
        self.ensure_refetch_job(tenant, job, outcome).await
    }

    /// Queues the refetch job again, after the commit, when the same job was waiting before it. A worker may have
    /// executed that one before the new requests were visible.
    async fn ensure_refetch_job(
        &self,
        tenant: TenantId,
        job: Option<JobKind>,
        outcome: RecordOutcome,
    ) -> Result<(), DbError> {
        if outcome == RecordOutcome::JobWasWaiting && job == Some(JobKind::Refetch) {
            let now = self.clock.now();
            self.database
                .queue_job(tenant, JobKind::Refetch, now)
                .await?;
        }
        Ok(())
    }

    /// Verifies the signature of a delivery. Cached keys need no query; keys are read again when they are old, or
    /// when the signature does not hold, the latter at a bounded rate.
    async fn verify<'a>(&self, delivery: &Delivery<'a>) -> Result<Verification<'a>, DbError> {
        let body_signed_with =
            |secrets: &[SecretString]| verify(delivery.body, delivery.signature, secrets);
        let app_secret = self.shopify.app().map(|app| app.client_secret.clone());
        let signed_by_app = body_signed_with(&app_secret.into_iter().collect::<Vec<_>>()).is_some();
        let unverified = if signed_by_app {
            Verification::OperatorApp
        } else {
            Verification::Failed
        };
        let Ok(domain) = ShopDomain::parse(delivery.shop) else {
            return Ok(unverified);
        };
        let cached = self.signing_keys.cached(&domain);
        let body = cached
            .as_ref()
            .and_then(|keys| body_signed_with(&keys.secrets));
        let keys = match (cached, body) {
            (Some(keys), Some(_)) if keys.is_fresh() => Some(keys),
            // Old keys signed it, so a stranger did not cause this query.
            (Some(_), Some(_)) => self.read_signing_keys(&domain).await?,
            (Some(keys), None) if !keys.may_be_replaced() => return Ok(unverified),
            (None, _) if self.signing_keys.is_unknown(&domain) => return Ok(unverified),
            _ if !signed_by_app && !self.signing_keys.may_look_up_unverified() => {
                return Ok(Verification::Overloaded);
            }
            _ => self.read_signing_keys(&domain).await?,
        };
        let body = keys
            .as_ref()
            .and_then(|keys| body_signed_with(&keys.secrets));
        Ok(match keys.zip(body) {
            Some((keys, body)) => {
                let number = keys.number;
                Verification::Shop(keys.tenant, NamedShop { domain, number }, body)
            }
            None => unverified,
        })
    }

    /// Records the parts of an event that are no refetches.
    async fn record_rest(
        &self,
        transaction: &mut TenantTx,
        event: &WebhookEvent,
        request: PrivacyRequestId,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        match event {
            WebhookEvent::CustomersMerged { gone, .. } => {
                transaction.request_orders_of_customer(*gone, now).await
            }
            WebhookEvent::ShopChanged => {
                self.request_sync(transaction, SyncMode::Incremental, SyncTrigger::Webhook)
                    .await?;
                Ok(())
            }
            WebhookEvent::DataRequest { customer, orders } => {
                transaction
                    .record_privacy_request(request, false, *customer, orders, now)
                    .await
            }
            WebhookEvent::RedactCustomer { customer, orders } => {
                transaction
                    .record_privacy_request(request, true, *customer, orders, now)
                    .await
            }
            WebhookEvent::Changed(..)
            | WebhookEvent::Deleted(..)
            | WebhookEvent::RedactShop
            | WebhookEvent::Uninstalled
            | WebhookEvent::BulkOperationFinished
            | WebhookEvent::Ignored => Ok(()),
        }
    }
}

//! Taking deliveries in: proven, read, written down together with the work they call for, answered. Nothing
//! is fetched and nothing is changed here; that is the worker's.

mod gathering;
mod secrets;
mod topics;

pub(super) use gathering::Gathering;
pub(super) use secrets::Signers;
#[cfg(test)]
pub(super) use topics::fuzz as fuzz_delivery;

use std::sync::Arc;

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};

use self::gathering::Turn;
use self::topics::{Call, Named, Unreadable};
use super::SyncService;
use super::places::KeptPlace;
use crate::db::jobs::JobKind;
use crate::db::webhooks::{self, CalledFor, Claim, Noted};
use crate::db::{DbError, TenantTx};
use crate::domain::ids::{PrivacyRequestId, TenantId};
use crate::domain::shop::ShopDomain;
use crate::domain::sync::{ObjectKind, SyncMode, SyncTrigger};
use crate::shopify::signature::{Verified, verify};

/// The longest id and the longest topic that are written down.
const LONGEST_HEADER: usize = 128;

/// A delivery as it came: nothing of it is proven.
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

/// A delivery that says of an object that it changed, or that it is gone.
#[derive(Debug)]
pub(in crate::sync) struct Mention {
    delivery: String,
    topic: String,
    hints: Vec<(ObjectKind, i64, bool)>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is written down, and what it calls for is queued; or it came before.
    Stored,
    /// It calls for nothing.
    Ignored,
    /// Its signature does not hold, or its store is not known: which of them is not told.
    Unproven,
    /// It is proven, but cannot be read.
    Malformed,
}

impl SyncService {
    /// Takes a delivery in.
    pub async fn receive(&self, delivery: Delivery<'_>) -> Result<Received, DbError> {
        let domain = ShopDomain::parse(delivery.shop).ok();
        let Some((tenant, named, body)) = self.prove(domain, &delivery).await? else {
            return Ok(if self.is_of_own_app(&delivery) {
                Received::Ignored
            } else {
                Received::Unproven
            });
        };
        let readable = |text: &str| (1..=LONGEST_HEADER).contains(&text.len());
        if !readable(delivery.topic) || !readable(delivery.id) {
            return Ok(Received::Malformed);
        }
        let call = match topics::read(delivery.topic, &named, body) {
            Ok(Call::Nothing) => return Ok(Received::Ignored),
            Ok(Call::BulkFinished) => {
                // Whichever process waits for it. It is looked for in any case, so nothing is written down.
                let mut transaction = self.database.system().await?;
                transaction.announce_bulk_finished().await?;
                transaction.commit().await?;
                return Ok(Received::Ignored);
            }
            Ok(call) => call,
            Err(Unreadable::Malformed) => return Ok(Received::Malformed),
            Err(Unreadable::OtherShop) => return Ok(Received::Unproven),
        };
        self.write_down(tenant, delivery, call).await?;
        Ok(Received::Stored)
    }

    /// Writes a delivery down with what it calls for, unless it came before.
    async fn write_down(
        &self,
        tenant: TenantId,
        delivery: Delivery<'_>,
        call: Call,
    ) -> Result<(), DbError> {
        let hints = call.hints();
        if matches!(call, Call::Changed(..) | Call::Deleted(..)) {
            let mention = Mention {
                delivery: delivery.id.to_owned(),
                topic: delivery.topic.to_owned(),
                hints,
            };
            return self.write_mention_down(tenant, Arc::new(mention)).await;
        }
        // A replay of it under another id would cut off a store that was connected again.
        let digest =
            (call == Call::Uninstalled).then(|| digest::digest(&digest::SHA256, delivery.body));
        let request = PrivacyRequestId::generate();
        let (job, now) = (call.job(request), self.clock.now());
        let (place, called_for) = self.called_for(tenant, job, now);
        let delivery = webhooks::Delivery {
            id: delivery.id,
            topic: delivery.topic,
            digest: digest.as_ref().map(AsRef::as_ref),
            hints: &hints,
        };
        let mut transaction = self.database.tenant(tenant).await?;
        let noted = transaction.note_delivery(delivery, called_for, now).await?;
        if !matches!(noted, Noted::Repeated) {
            self.note_the_rest(&mut transaction, &call, request).await?;
        }
        transaction.commit().await?;
        let noted = match noted {
            // What was read of the hints lacks those that were left since.
            Noted::Claimed(job, _) => Noted::Claimed(job, None),
            noted => noted,
        };
        self.set_about(tenant, noted, job, place).await
    }

    /// Writes down that an object was mentioned, with all that waits to be written down of the store.
    async fn write_mention_down(
        &self,
        tenant: TenantId,
        mention: Arc<Mention>,
    ) -> Result<(), DbError> {
        match self.mentions.turn(tenant, Arc::clone(&mention)).await {
            Turn::Written => return Ok(()),
            Turn::Together(together) => {
                let all = together.all();
                match self.write_mentions_down(tenant, &all).await {
                    Ok(()) => {
                        together.written();
                        return Ok(());
                    }
                    Err(error) if all.len() == 1 => return Err(error),
                    Err(_) => {}
                }
            }
            Turn::Alone => {}
        }
        self.write_mentions_down(tenant, &[mention]).await
    }

    async fn write_mentions_down(
        &self,
        tenant: TenantId,
        mentions: &[Arc<Mention>],
    ) -> Result<(), DbError> {
        let deliveries: Vec<webhooks::Delivery<'_>> = mentions
            .iter()
            .map(|mention| webhooks::Delivery {
                id: &mention.delivery,
                topic: &mention.topic,
                digest: None,
                hints: &mention.hints,
            })
            .collect();
        let (job, now) = (Some(JobKind::Hints), self.clock.now());
        let (place, called_for) = self.called_for(tenant, job, now);
        let noted = self
            .database
            .note_deliveries(tenant, &deliveries, called_for, now)
            .await?;
        self.set_about(tenant, noted, job, place).await
    }

    /// A job, and the place that is kept for it in this process, if there is one.
    fn called_for(
        &self,
        tenant: TenantId,
        job: Option<JobKind>,
        now: DateTime<Utc>,
    ) -> (Option<KeptPlace>, CalledFor) {
        let place = job.and_then(|_| self.handover.keep_place(tenant));
        let claim = place.as_ref().map(|place| Claim {
            worker: place.worker,
            until: now + self.config.lease,
            hints: self.config.hint_round,
        });
        (place, CalledFor { job, claim })
    }

    /// Sees to it that what is written down is done.
    async fn set_about(
        &self,
        tenant: TenantId,
        noted: Noted,
        job: Option<JobKind>,
        place: Option<KeptPlace>,
    ) -> Result<(), DbError> {
        match noted {
            Noted::Claimed(job, to_follow) => {
                if let Some(place) = place {
                    place.hand_over(job, to_follow);
                }
            }
            Noted::WaitsAlready if job == Some(JobKind::Hints) => {
                // The job that waited may have been carried out before this hint could be seen.
                let now = self.clock.now();
                self.database.queue_job(tenant, JobKind::Hints, now).await?;
            }
            Noted::WaitsAlready | Noted::Queued | Noted::Repeated => {}
        }
        Ok(())
    }

    /// Whether the operator's own app signed it, for a store that it was installed in and that no account has
    /// taken over, or that is read by other credentials: there is nothing to do, and Shopify may know.
    fn is_of_own_app(&self, delivery: &Delivery<'_>) -> bool {
        let secret = self.shopify.app().map(|app| app.client_secret.clone());
        let secrets: Vec<_> = secret.into_iter().collect();
        verify(delivery.body, delivery.signature, &secrets).is_some()
    }

    async fn prove<'a>(
        &self,
        domain: Option<ShopDomain>,
        delivery: &Delivery<'a>,
    ) -> Result<Option<(TenantId, Named, Verified<'a>)>, DbError> {
        let Some(domain) = domain else {
            return Ok(None);
        };
        let mut signer = self.signer(&domain, false).await?;
        let outdated = signer
            .as_ref()
            .is_some_and(|signer| signer.may_be_outdated());
        let holds = |signer: Option<&secrets::Signer>| {
            let secrets = signer.map_or(&[][..], |signer| &signer.secrets);
            verify(delivery.body, delivery.signature, secrets)
        };
        let mut body = holds(signer.as_deref());
        if body.is_none() && outdated {
            signer = self.signer(&domain, true).await?;
            body = holds(signer.as_deref());
        }
        Ok(signer.zip(body).map(|(signer, body)| {
            let number = signer.number;
            (signer.tenant, Named { domain, number }, body)
        }))
    }

    /// What a delivery calls for besides its hints and its job.
    async fn note_the_rest(
        &self,
        transaction: &mut TenantTx,
        call: &Call,
        request: PrivacyRequestId,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        match call {
            Call::Merged { gone, .. } => transaction.leave_order_hints(*gone, now).await,
            Call::ShopChanged => {
                self.request_sync(transaction, SyncMode::Incremental, SyncTrigger::Webhook)
                    .await?;
                Ok(())
            }
            Call::DataRequest { customer, orders } => {
                transaction
                    .note_privacy_request(request, false, *customer, orders, now)
                    .await
            }
            Call::RedactCustomer { customer, orders } => {
                transaction
                    .note_privacy_request(request, true, *customer, orders, now)
                    .await
            }
            Call::Changed(..)
            | Call::Deleted(..)
            | Call::RedactShop
            | Call::Uninstalled
            | Call::BulkFinished
            | Call::Nothing => Ok(()),
        }
    }
}

//! The jobs that Shopify's privacy topics and an uninstalled app cause.

use tracing::{info, warn};

use super::SyncService;
use super::run::SyncError;
use crate::db::DbError;
use crate::db::shops::ShopStatus;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::ids::{PrivacyRequestId, TenantId};
use crate::domain::privacy::PrivacyRequestKind;
use crate::shopify::{ErrorKind, ShopifyError};

/// The status reason that the owner reads.
const UNINSTALLED: &str = "the app was uninstalled in Shopify; connect the shop again to go on";

impl SyncService {
    /// Answers a customer's request: stores a document of the customer's data, or deletes the data.
    pub(super) async fn answer_privacy(
        &self,
        tenant: TenantId,
        id: PrivacyRequestId,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut transaction = self.database.work(tenant).await?;
        let Some(request) = transaction.privacy_request(id).await? else {
            return Ok(());
        };
        let redaction = request.kind == PrivacyRequestKind::CustomerRedaction;
        let document = if redaction {
            transaction
                .redact_customer(request.customer_id, &request.order_ids, now)
                .await?;
            None
        } else {
            let orders = &request.order_ids;
            Some(
                transaction
                    .customer_document(request.customer_id, orders)
                    .await?,
            )
        };
        transaction
            .complete_privacy_request(id, document.as_ref(), now)
            .await?;
        let action = if redaction {
            Action::CustomerRedacted
        } else {
            Action::DataRequestAnswered
        };
        let entry = Entry::done(action, Actor::Shopify);
        let entry = entry.to(format!("customer {}", request.customer_id));
        transaction.note(&entry, now).await?;
        transaction.commit().await?;
        info!(tenant.id = %tenant, privacy.kind = request.kind.code(), "privacy request answered");
        Ok(())
    }

    /// Deletes the token and stops the syncs. The data stays until Shopify demands its deletion, and the secret stays
    /// because it signs that demand.
    pub(super) async fn uninstall(&self, tenant: TenantId, job: i64) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut transaction = self.database.work(tenant).await?;
        if transaction.lock_credentials().await?.is_none() {
            return Ok(());
        }
        transaction
            .set_shop_status(ShopStatus::Disconnected, UNINSTALLED)
            .await?;
        self.delete_access(&mut transaction).await?;
        transaction.cancel_sync_runs(now).await?;
        let entry = Entry::done(Action::StoreDisconnected, Actor::Shopify);
        transaction.note(&entry, now).await?;
        let mut system = transaction.into_system().await?;
        system.disconnect_tenant(tenant, Some(job)).await?;
        system.commit().await?;
        info!(tenant.id = %tenant, "app uninstalled");
        Ok(())
    }

    /// Deletes all data of a shop. Shopify demands it two days after the app was uninstalled. A shop whose credentials
    /// still work was not uninstalled, so a replay of an old demand changes nothing.
    pub(super) async fn redact_shop(
        &self,
        tenant: TenantId,
        job: i64,
        by_operator: bool,
    ) -> Result<(), SyncError> {
        let mut transaction = self.database.work(tenant).await?;
        let Some(shop) = transaction.shop().await? else {
            return Ok(());
        };
        drop(transaction);
        if shop.status != ShopStatus::Disconnected {
            match self.store_of(tenant, &shop).shop_record().await {
                Ok(_) => {
                    warn!(tenant.id = %tenant, "shop was not erased: its credentials still work");
                    return Ok(());
                }
                Err(ShopifyError::NotFound) => {}
                Err(error) if error.kind() == ErrorKind::Reauthorise => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut transaction = self.database.work(tenant).await?;
        transaction.delete_everything().await?;
        let mut system = transaction.into_system().await?;
        let asked_by = if by_operator {
            Actor::Operator
        } else {
            Actor::Shopify
        };
        system
            .record_erasure(tenant, &shop.domain, &asked_by, self.clock.now())
            .await?;
        system.delete_tenant(tenant, job).await?;
        system.commit().await?;
        self.signing_keys.invalidate(&shop.domain);
        info!(tenant.id = %tenant, "shop erased");
        Ok(())
    }
}

//! Pending installations of the operator's app, and installed shops that wait for a claim. The tables store hashes of
//! the tokens. A token is valid once and expires soon. Each insert deletes expired rows.

use chrono::{DateTime, Utc};

use super::{Result, SystemTx};
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;

/// A pending consent: the merchant has not confirmed the installation yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallState {
    /// The hash of the browser's cookie.
    pub browser_hash: Vec<u8>,
    /// The shop.
    pub domain: ShopDomain,
}

/// An installed shop without an account.
#[derive(Clone, Debug)]
pub struct InstallClaim {
    /// The associated data of the encryption. An unclaimed shop has no tenant, so an id of its own is used.
    pub sealed_for: TenantId,
    /// The encrypted tokens.
    pub sealed: Vec<u8>,
    /// The shop.
    pub domain: ShopDomain,
}

impl SystemTx {
    /// Stores a pending consent.
    pub async fn create_install_state(
        &mut self,
        state_hash: &[u8],
        state: &InstallState,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!("delete from install_states where expires_at <= $1", now)
            .execute(self.connection())
            .await?;
        sqlx::query!(
            "insert into install_states (state_hash, browser_hash, shop_domain, expires_at) values ($1, $2, $3, $4)",
            state_hash,
            state.browser_hash,
            state.domain.as_str(),
            expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Deletes a pending consent and returns it. Only one of two concurrent calls gets it. `None`: there is none, or
    /// it has expired.
    pub async fn take_install_state(
        &mut self,
        state_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<InstallState>> {
        Ok(sqlx::query_as!(
            InstallState,
            "delete from install_states where state_hash = $1 and expires_at > $2 \
             returning browser_hash, shop_domain as \"domain: ShopDomain\"",
            state_hash,
            now
        )
        .fetch_optional(self.connection())
        .await?)
    }

    /// Stores the tokens of a shop until it is claimed.
    pub async fn create_install_claim(
        &mut self,
        token_hash: &[u8],
        claim: &InstallClaim,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!("delete from install_claims where expires_at <= $1", now)
            .execute(self.connection())
            .await?;
        sqlx::query!(
            "insert into install_claims (token_hash, sealed_for, sealed, shop_domain, expires_at) \
             values ($1, $2, $3, $4, $5)",
            token_hash,
            claim.sealed_for.uuid(),
            claim.sealed,
            claim.domain.as_str(),
            expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The shop that a token claims.
    pub async fn find_install_claim(
        &mut self,
        token_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<InstallClaim>> {
        Ok(sqlx::query_as!(
            InstallClaim,
            "select sealed_for as \"sealed_for: TenantId\", sealed, shop_domain as \"domain: ShopDomain\" \
             from install_claims where token_hash = $1 and expires_at > $2",
            token_hash,
            now
        )
        .fetch_optional(self.connection())
        .await?)
    }

    /// Deletes a claim. True: it was valid. Only one of two concurrent calls gets true.
    pub async fn take_install_claim(
        &mut self,
        token_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let taken = sqlx::query!(
            "delete from install_claims where token_hash = $1 and expires_at > $2",
            token_hash,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(taken.rows_affected() == 1)
    }
}

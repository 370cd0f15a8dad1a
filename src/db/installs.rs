//! Installing by a merchant's consent: what is under way, and what waits to be taken over. Kept as hashes, good
//! once and not for long; what ran out goes with the next that is made.

use chrono::{DateTime, Utc};

use super::{Result, SystemTx};
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;

/// A consent that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallState {
    /// The hash of what the browser holds for which it was made.
    pub browser_hash: Vec<u8>,
    /// The store that was asked for.
    pub domain: ShopDomain,
}

/// A store that lets us in and that no account has.
#[derive(Clone, Debug)]
pub struct InstallClaim {
    /// What its tokens are sealed for, in place of a tenant.
    pub sealed_for: TenantId,
    /// The tokens.
    pub sealed: Vec<u8>,
    /// The store.
    pub domain: ShopDomain,
}

impl SystemTx {
    /// Notes that a merchant is being asked.
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

    /// Uses a state up. Of two who do so at once one gets it. `None`: there is none, or it ran out.
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

    /// Keeps a store's tokens for who takes it over.
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

    /// The store of a token, while it waits.
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

    /// Uses a token up. Of two who do so at once one is told yes.
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

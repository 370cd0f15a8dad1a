//! What an operator hands to a user who cannot sign in: a token, kept as its hash, good once and not for long.

use chrono::{DateTime, Utc};

use super::{Result, SystemTx};
use crate::domain::ids::UserId;

impl SystemTx {
    /// Keeps the hash of a user's token; one from before is worth nothing any more.
    pub async fn create_password_reset(
        &mut self,
        user: UserId,
        token_hash: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "insert into password_resets (user_id, token_hash, created_at, expires_at) values ($1, $2, $3, $4) \
             on conflict (user_id) do update set token_hash = excluded.token_hash, \
                created_at = excluded.created_at, expires_at = excluded.expires_at",
            user.uuid(),
            token_hash,
            now,
            expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whose token this is, while it is good.
    pub async fn find_password_reset(
        &mut self,
        token_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>> {
        Ok(sqlx::query_scalar!(
            "select user_id as \"user: UserId\" from password_resets where token_hash = $1 and expires_at > $2",
            token_hash,
            now
        )
        .fetch_optional(self.connection())
        .await?)
    }

    /// Uses a token up. Of two who do so at once one is told whose it is.
    pub async fn take_password_reset(
        &mut self,
        token_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>> {
        Ok(sqlx::query_scalar!(
            "delete from password_resets where token_hash = $1 and expires_at > $2 \
             returning user_id as \"user: UserId\"",
            token_hash,
            now
        )
        .fetch_optional(self.connection())
        .await?)
    }
}

//! Password resets. An operator gives a token to a user who cannot sign in. The table stores the hash of the token,
//! which is valid once and expires soon.

use chrono::{DateTime, Utc};

use super::{Result, SystemTx};
use crate::domain::ids::UserId;

impl SystemTx {
    /// Stores the hash of a user's token. It replaces the user's previous one.
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

    /// The user of a valid token.
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

    /// Deletes a valid token and returns its user. Only one of two concurrent calls gets the user.
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

//! The sessions of a user as the user sees them, and ending them.

use chrono::{DateTime, Utc};

use super::{Result, SystemTx};
use crate::domain::ids::{SessionId, TenantId, UserId};

/// The most sessions that are listed.
const LISTED: i64 = 100;

/// A session that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// Its id.
    pub id: SessionId,
    /// The store that it speaks for.
    pub tenant: TenantId,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When its tokens were last traded; when it began if never.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not used.
    pub expires_at: DateTime<Utc>,
    /// From where it was last used.
    pub address: Option<String>,
    /// What the browser or program calls itself.
    pub user_agent: Option<String>,
}

impl SystemTx {
    /// The sessions of a user that are alive, the last used first, at most 100.
    pub async fn live_sessions(
        &mut self,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Vec<LiveSession>> {
        Ok(sqlx::query_as!(
            LiveSession,
            "select s.id as \"id: SessionId\", s.tenant_id as \"tenant: TenantId\", s.created_at, \
                    coalesce(s.last_used_at, s.created_at) as \"last_used_at!\", s.expires_at, s.address, s.user_agent \
             from sessions s join memberships m on m.tenant_id = s.tenant_id and m.user_id = s.user_id \
             where s.user_id = $1 and s.ended_at is null and s.expires_at > $2 \
             order by coalesce(s.last_used_at, s.created_at) desc, s.id desc limit $3",
            user.uuid(),
            now,
            LISTED
        )
        .fetch_all(self.connection())
        .await?)
    }

    /// Ends a session of a user. The store it spoke for; `None`: the user has no such session that is alive.
    pub async fn end_session_of(
        &mut self,
        user: UserId,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> Result<Option<TenantId>> {
        let tenant = sqlx::query_scalar!(
            "update sessions set ended_at = $3 where id = $2 and user_id = $1 and ended_at is null and expires_at > $3 \
             returning tenant_id as \"tenant: TenantId\"",
            user.uuid(),
            session.uuid(),
            now
        )
        .fetch_optional(self.connection())
        .await?;
        if tenant.is_some() {
            self.access_changed(user.uuid()).await?;
        }
        Ok(tenant)
    }

    /// Ends every session of a user. How many there were.
    pub async fn end_all_sessions(&mut self, user: UserId, now: DateTime<Utc>) -> Result<u64> {
        let ended = sqlx::query!(
            "update sessions set ended_at = $2 where user_id = $1 and ended_at is null and expires_at > $2",
            user.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        self.access_changed(user.uuid()).await?;
        Ok(ended.rows_affected())
    }

    /// Ends every session of a user but one. The store that each spoke for.
    pub async fn end_sessions_but(
        &mut self,
        user: UserId,
        kept: SessionId,
        now: DateTime<Utc>,
    ) -> Result<Vec<TenantId>> {
        let tenants = sqlx::query_scalar!(
            "update sessions set ended_at = $3 where user_id = $1 and id <> $2 and ended_at is null and expires_at > $3 \
             returning tenant_id as \"tenant: TenantId\"",
            user.uuid(),
            kept.uuid(),
            now
        )
        .fetch_all(self.connection())
        .await?;
        self.access_changed(user.uuid()).await?;
        Ok(tenants)
    }
}

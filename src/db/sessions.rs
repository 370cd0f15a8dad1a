//! The sessions of a user: list and end.

use chrono::{DateTime, Utc};

use super::{Result, SystemTx};
use crate::domain::ids::{SessionId, TenantId, UserId};

/// The maximum number of listed sessions.
const LISTED: i64 = 100;

/// A session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// Its id.
    pub id: SessionId,
    /// The tenant that the session may read.
    pub tenant: TenantId,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When the tokens were last renewed. The start of the session if they never were.
    pub last_used_at: DateTime<Utc>,
    /// When the session ends without further use.
    pub expires_at: DateTime<Utc>,
    /// The network address of the last use.
    pub address: Option<String>,
    /// The user agent that the client sent.
    pub user_agent: Option<String>,
}

impl SystemTx {
    /// The open sessions of a user, the last used first, at most 100.
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

    /// Ends a session of a user and returns its tenant. `None`: the user has no such open session.
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

    /// Ends all sessions of a user and returns their number.
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

    /// Ends all sessions of a user except one. Returns the tenant of each ended session.
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

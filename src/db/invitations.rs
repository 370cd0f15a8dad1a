//! Invitations to shops. A row is an open or expired invitation. Accepted, withdrawn and replaced invitations are
//! deleted, so no token is valid twice.

use chrono::{DateTime, Utc};

use super::accounts::role;
use super::{DbError, Result, SystemTx};
use crate::domain::email::Email;
use crate::domain::ids::{InvitationId, TenantId, UserId};
use crate::domain::principal::Role;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRecord {
    /// Its id.
    pub id: InvitationId,
    /// The shop.
    pub tenant: TenantId,
    /// The invited address.
    pub email: Email,
    /// The offered role.
    pub role: Role,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

struct Stored {
    id: InvitationId,
    tenant: TenantId,
    email: String,
    role: String,
    expires_at: DateTime<Utc>,
}

impl TryFrom<Stored> for InvitationRecord {
    type Error = DbError;

    fn try_from(row: Stored) -> Result<Self> {
        Ok(Self {
            id: row.id,
            tenant: row.tenant,
            email: Email::parse(&row.email).map_err(|_| {
                DbError::Corrupt("invitations.email is no email address".to_owned())
            })?,
            role: role(&row.role)?,
            expires_at: row.expires_at,
        })
    }
}

impl SystemTx {
    /// Creates an invitation. It replaces an earlier one for the same address.
    pub async fn create_invitation(
        &mut self,
        invitation: &InvitationRecord,
        token_hash: &[u8],
        by: UserId,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "insert into invitations (id, tenant_id, email, role, token_hash, invited_by, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8) \
             on conflict (tenant_id, email) do update set id = excluded.id, role = excluded.role, \
                token_hash = excluded.token_hash, invited_by = excluded.invited_by, \
                created_at = excluded.created_at, expires_at = excluded.expires_at",
            invitation.id.uuid(),
            invitation.tenant.uuid(),
            invitation.email.as_str(),
            invitation.role.code(),
            token_hash,
            by.uuid(),
            now,
            invitation.expires_at,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The open invitations of a shop, the newest first.
    pub async fn open_invitations(
        &mut self,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<Vec<InvitationRecord>> {
        let rows = sqlx::query_as!(
            Stored,
            "select id as \"id: InvitationId\", tenant_id as \"tenant: TenantId\", email, role, expires_at \
             from invitations where tenant_id = $1 and expires_at > $2 order by created_at desc, id desc",
            tenant.uuid(),
            now
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The invitation with this token, expired or not.
    pub async fn find_invitation(&mut self, token_hash: &[u8]) -> Result<Option<InvitationRecord>> {
        let row = sqlx::query_as!(
            Stored,
            "select id as \"id: InvitationId\", tenant_id as \"tenant: TenantId\", email, role, expires_at \
             from invitations where token_hash = $1",
            token_hash
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Deletes an open invitation and returns it. Only one of two concurrent calls gets it. `None`: there is none, or
    /// it has expired.
    pub async fn take_invitation(
        &mut self,
        token_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<InvitationRecord>> {
        let row = sqlx::query_as!(
            Stored,
            "delete from invitations where token_hash = $1 and expires_at > $2 \
             returning id as \"id: InvitationId\", tenant_id as \"tenant: TenantId\", email, role, expires_at",
            token_hash,
            now
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Withdraws an invitation. `None`: there is no such invitation.
    pub async fn withdraw_invitation(
        &mut self,
        tenant: TenantId,
        id: InvitationId,
    ) -> Result<Option<InvitationRecord>> {
        let row = sqlx::query_as!(
            Stored,
            "delete from invitations where tenant_id = $1 and id = $2 \
             returning id as \"id: InvitationId\", tenant_id as \"tenant: TenantId\", email, role, expires_at",
            tenant.uuid(),
            id.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Withdraws the invitations that a member made, because the member has their tokens.
    pub(super) async fn withdraw_invitations_of(
        &mut self,
        tenant: TenantId,
        by: UserId,
    ) -> Result<()> {
        sqlx::query!(
            "delete from invitations where tenant_id = $1 and invited_by = $2",
            tenant.uuid(),
            by.uuid()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Deletes expired invitations, and counts the members and the remaining invitations.
    pub async fn count_members_and_invitations(
        &mut self,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        sqlx::query!(
            "delete from invitations where tenant_id = $1 and expires_at <= $2",
            tenant.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(sqlx::query_scalar!(
            "select (select count(*) from memberships where tenant_id = $1) \
                  + (select count(*) from invitations where tenant_id = $1) as \"count!\"",
            tenant.uuid()
        )
        .fetch_one(self.connection())
        .await?)
    }
}

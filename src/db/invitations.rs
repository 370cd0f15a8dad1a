//! Open invitations into stores. A row is an invitation that can still be accepted, or ran out; one that was
//! accepted, withdrawn or replaced is gone, so no token is good twice.

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
    /// Into which store.
    pub tenant: TenantId,
    /// Who is invited.
    pub email: Email,
    /// The role that is offered.
    pub role: Role,
    /// Until when it can be accepted.
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
            email: Email::parse(&row.email)
                .map_err(|_| DbError::Corrupt("invitations.email is no address".to_owned()))?,
            role: role(&row.role)?,
            expires_at: row.expires_at,
        })
    }
}

impl SystemTx {
    /// Invites somebody; an invitation of the same address that is there is replaced.
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

    /// The invitations into a store that can be accepted, the newest first. Those that ran out are forgotten.
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

    /// The invitation with this token, whether it ran out or not.
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

    /// Uses an invitation up. Of two who do so at once one gets it. `None`: it is gone, or ran out.
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

    /// Takes an invitation of a store back. `None`: there is no such invitation.
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

    /// Takes back what a member invited: they know the tokens.
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

    /// Forgets the invitations into a store that ran out, and tells how many members and invitations are left.
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

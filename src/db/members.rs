//! The members of shops: list, change of role, removal. A shop always has an owner. Every change of access first
//! locks all members of the shop with one lock, so that two owners cannot remove each other concurrently.

use chrono::{DateTime, Utc};

use super::accounts::role;
use super::{Result, SystemTx};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal::Role;
use crate::domain::shop::ShopDomain;

/// A member of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// The user.
    pub user: UserId,
    /// The email address that the user signs in with.
    pub email: String,
    /// The user's role.
    pub role: Role,
    /// The start of the membership.
    pub since: DateTime<Utc>,
}

/// The result of a change to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// The change was made. The member before the change.
    Made(MemberRecord),
    /// There is no such member.
    Unknown,
    /// Refused: the shop would have no owner.
    LastOwner,
}

/// A shop that is in the directory already, and one user's access to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownStore {
    /// The tenant.
    pub tenant: TenantId,
    /// Whether the shop is connected.
    pub connected: bool,
    /// Whether both its domain and its Shopify id equal the given ones.
    pub same: bool,
    /// The user's role. `None`: the user is no member.
    pub role: Option<Role>,
}

impl SystemTx {
    /// The members of a shop, the oldest membership first.
    pub async fn members(&mut self, tenant: TenantId) -> Result<Vec<MemberRecord>> {
        let rows = sqlx::query!(
            "select m.user_id as \"user: UserId\", u.email, m.role, m.created_at from memberships m \
             join users u on u.id = m.user_id where m.tenant_id = $1 order by m.created_at, m.user_id",
            tenant.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(MemberRecord {
                    user: row.user,
                    email: row.email,
                    role: role(&row.role)?,
                    since: row.created_at,
                })
            })
            .collect()
    }

    /// Locks the members and invitations of a shop until the transaction ends. Call this before any other lock on
    /// them: callers that lock single rows in different orders would deadlock. Sign-ins and reads do not wait.
    pub async fn lock_members(&mut self, tenant: TenantId) -> Result<()> {
        sqlx::query!(
            "select id from tenants where id = $1 for no key update",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(())
    }

    /// A member of a shop.
    pub async fn find_member(
        &mut self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Option<MemberRecord>> {
        let row = sqlx::query!(
            "select u.email, m.role, m.created_at from memberships m join users u on u.id = m.user_id \
             where m.tenant_id = $1 and m.user_id = $2",
            tenant.uuid(),
            user.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            Ok(MemberRecord {
                user,
                email: row.email,
                role: role(&row.role)?,
                since: row.created_at,
            })
        })
        .transpose()
    }

    /// Whether the shop has another owner than this user.
    async fn has_other_owner(&mut self, tenant: TenantId, user: UserId) -> Result<bool> {
        Ok(sqlx::query_scalar!(
            "select exists (select from memberships where tenant_id = $1 and role = 'OWNER' and user_id <> $2) \
                as \"another!\"",
            tenant.uuid(),
            user.uuid()
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Changes a member's role. Invitations by members who may no longer invite are withdrawn.
    pub async fn change_role(
        &mut self,
        tenant: TenantId,
        user: UserId,
        to: Role,
    ) -> Result<MemberChange> {
        self.lock_members(tenant).await?;
        let Some(member) = self.find_member(tenant, user).await? else {
            return Ok(MemberChange::Unknown);
        };
        if member.role == Role::Owner
            && to != Role::Owner
            && !self.has_other_owner(tenant, user).await?
        {
            return Ok(MemberChange::LastOwner);
        }
        sqlx::query!(
            "update memberships set role = $3 where tenant_id = $1 and user_id = $2",
            tenant.uuid(),
            user.uuid(),
            to.code()
        )
        .execute(self.connection())
        .await?;
        if to < member.role {
            self.withdraw_invitations_of(tenant, user).await?;
        }
        self.access_changed(user.uuid()).await?;
        Ok(MemberChange::Made(member))
    }

    /// Removes a member. The member's sessions in the shop end, and the member's invitations are withdrawn.
    pub async fn remove_member(
        &mut self,
        tenant: TenantId,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<MemberChange> {
        self.lock_members(tenant).await?;
        let Some(member) = self.find_member(tenant, user).await? else {
            return Ok(MemberChange::Unknown);
        };
        if member.role == Role::Owner && !self.has_other_owner(tenant, user).await? {
            return Ok(MemberChange::LastOwner);
        }
        sqlx::query!(
            "delete from memberships where tenant_id = $1 and user_id = $2",
            tenant.uuid(),
            user.uuid()
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "update sessions set ended_at = $3 where tenant_id = $1 and user_id = $2 and ended_at is null",
            tenant.uuid(),
            user.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        self.withdraw_invitations_of(tenant, user).await?;
        self.access_changed(user.uuid()).await?;
        Ok(MemberChange::Made(member))
    }

    /// Locks the members of all shops of a user until the transaction ends, in one order for all callers. Returns
    /// each tenant, the user's role, and whether the user is the only owner.
    pub async fn lock_stores_of(&mut self, user: UserId) -> Result<Vec<(TenantId, Role, bool)>> {
        let mut tenants = self.memberships_of(user).await?;
        tenants.sort_unstable_by_key(|(tenant, _)| tenant.uuid());
        let mut stores = Vec::new();
        for (tenant, _) in tenants {
            self.lock_members(tenant).await?;
            let Some(member) = self.find_member(tenant, user).await? else {
                continue;
            };
            let only = member.role == Role::Owner && !self.has_other_owner(tenant, user).await?;
            stores.push((tenant, member.role, only));
        }
        Ok(stores)
    }

    /// The shop in the directory that has this domain or this Shopify id already.
    pub async fn find_known_store(
        &mut self,
        domain: &ShopDomain,
        gid: &str,
        user: UserId,
    ) -> Result<Option<KnownStore>> {
        let row = sqlx::query!(
            "select t.id as \"tenant: TenantId\", t.status = 'CONNECTED' as \"connected!\", \
                    (t.shop_domain = $1 and t.shop_gid = $2) as \"same!\", \
                    (select m.role from memberships m where m.tenant_id = t.id and m.user_id = $3) as role \
             from tenants t where t.shop_domain = $1 or t.shop_gid = $2 order by 3 desc limit 1",
            domain.as_str(),
            gid,
            user.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            Ok(KnownStore {
                tenant: row.tenant,
                connected: row.connected,
                same: row.same,
                role: row.role.as_deref().map(role).transpose()?,
            })
        })
        .transpose()
    }

    /// Schedules syncs of a disconnected shop again.
    pub async fn reconnect_tenant(&mut self, tenant: TenantId) -> Result<()> {
        sqlx::query!(
            "update tenants set status = 'CONNECTED', next_sync_at = null where id = $1 and status <> 'CONNECTED'",
            tenant.uuid()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

/// A user and one of the user's shops, as an operator sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The email address that the user signs in with.
    pub email: String,
    /// The domain of the shop. `None`: the user has no membership.
    pub shop: Option<String>,
    /// The user's role.
    pub role: Option<String>,
    /// Whether an operator disabled the user.
    pub disabled: bool,
}

impl SystemTx {
    /// Every user, once for each shop of the user.
    pub async fn list_users(&mut self) -> Result<Vec<ListedUser>> {
        Ok(sqlx::query_as!(
            ListedUser,
            "select u.email, t.shop_domain as \"shop?\", m.role as \"role?\", \
                    u.disabled_at is not null as \"disabled!\" from users u \
             left join memberships m on m.user_id = u.id left join tenants t on t.id = m.tenant_id \
             order by u.email, t.shop_domain"
        )
        .fetch_all(self.connection())
        .await?)
    }
}

//! The members of stores: who they are, another role for one, and taking one away. A store always keeps an
//! owner. Whoever changes who may do what in a store holds the store's members first, all of them by one lock:
//! two owners who take each other's rights away at the same moment come one after the other.

use chrono::{DateTime, Utc};

use super::accounts::role;
use super::{Result, SystemTx};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal::Role;
use crate::domain::shop::ShopDomain;

/// A member of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// Who.
    pub user: UserId,
    /// The address to sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// What became of a change to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// It was made; the member as they were before.
    Made(MemberRecord),
    /// There is no such member.
    Unknown,
    /// Refused: the store would be left without an owner.
    LastOwner,
}

/// A store that is in the directory already, as one user stands to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownStore {
    /// The store.
    pub tenant: TenantId,
    /// Whether it is connected.
    pub connected: bool,
    /// Whether both its domain and its id at Shopify are those that were asked for.
    pub same: bool,
    /// What the user may do there; `None`: the user is no member.
    pub role: Option<Role>,
}

impl SystemTx {
    /// The members of a store, the longest-standing first.
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

    /// Holds the members and the invitations of a store until the end of the transaction. It comes before any
    /// other lock on them: rows taken one by one, each caller in another order, would make two wait for each
    /// other for ever. Others may sign in and read meanwhile.
    pub async fn lock_members(&mut self, tenant: TenantId) -> Result<()> {
        sqlx::query!(
            "select id from tenants where id = $1 for no key update",
            tenant.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(())
    }

    /// A member of a store.
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

    /// Whether the store has an owner besides this user.
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

    /// Gives a member another role. Invitations that somebody made who may no longer make them are withdrawn.
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

    /// Takes a member away: their sessions in the store end, and the invitations that they made are withdrawn.
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

    /// The stores of a user, whose members are held until the end of the transaction, in one order for all who do
    /// so; with what the user may do there, and whether nobody else owns it.
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

    /// The store that stands in the way of entering this one into the directory.
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

    /// Puts a store that was disconnected back into the schedules.
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

/// A user and one of their stores, as an operator sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The address to sign in with.
    pub email: String,
    /// The domain of a store; `None`: the user is a member of none.
    pub shop: Option<String>,
    /// What they may do there.
    pub role: Option<String>,
    /// Whether the operator does not let them in.
    pub disabled: bool,
}

impl SystemTx {
    /// Every user, once for each of their stores.
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

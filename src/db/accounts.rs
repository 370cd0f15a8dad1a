//! Accounts: users, the directory of shops, memberships, sessions and refresh tokens. The statements check no
//! permissions; their callers do.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::events::notify;
use super::{DbError, Result, SystemTx};
use crate::domain::email::Email;
use crate::domain::ids::{SessionId, TenantId, UserId};
use crate::domain::principal::{Device, Role};
use crate::domain::shop::{ShopDomain, ShopRecord};

/// A session ends after this many days without use.
pub const SESSION_IDLE_DAYS: i64 = 30;
/// A session ends after this many days even if it is used. Then the user must enter the password again.
pub const SESSION_LONGEST_DAYS: i32 = 90;

/// A user, with the values that sign-in needs.
#[derive(Clone, Debug)]
pub struct UserRecord {
    /// The user.
    pub id: UserId,
    /// The email address.
    pub email: String,
    /// The bcrypt hash of the password.
    pub password_hash: SecretString,
    /// Whether an operator disabled the user.
    pub disabled: bool,
}

/// A user and their memberships.
#[derive(Clone, Debug)]
pub struct Account {
    /// The email address that the user signs in with.
    pub email: String,
    /// The user's memberships, the oldest first.
    pub memberships: Vec<Membership>,
}

/// A user's access to a shop.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The tenant.
    pub tenant: TenantId,
    /// The user's role.
    pub role: Role,
    /// The shop.
    pub shop: DirectoryEntry,
}

/// A shop as the directory lists it.
#[derive(Clone, Debug)]
pub struct DirectoryEntry {
    /// The name that the merchant gave the shop.
    pub name: String,
    /// The permanent domain.
    pub domain: ShopDomain,
}

/// The session of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The session.
    pub id: SessionId,
    /// The user who signed in.
    pub user: UserId,
    /// The tenant that the session may read.
    pub tenant: TenantId,
}

/// The result of using a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshTokenUse {
    /// The token was valid and is now used.
    Accepted(SessionRecord),
    /// The token was used before, so there is a copy of it. The session, if this call ended it.
    Reused(Option<SessionRecord>),
    /// The session has ended or expired.
    Ended,
    /// There is no such token.
    Unknown,
}

impl SystemTx {
    /// Adds a user. `None`: the email address is taken.
    pub async fn create_user(
        &mut self,
        email: &Email,
        password_hash: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>> {
        let id = UserId::generate();
        let added = sqlx::query!(
            "insert into users (id, email, password_hash, created_at) values ($1, $2, $3, $4) \
             on conflict do nothing",
            id.uuid(),
            email.as_str(),
            password_hash.expose_secret(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok((added.rows_affected() == 1).then_some(id))
    }

    /// The user with this email address.
    pub async fn find_user_by_email(&mut self, email: &Email) -> Result<Option<UserRecord>> {
        let row = sqlx::query!(
            "select id, password_hash, disabled_at is not null as \"disabled!\" from users where email = $1",
            email.as_str()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| UserRecord {
            id: UserId::trusted(row.id),
            email: email.to_string(),
            password_hash: SecretString::from(row.password_hash),
            disabled: row.disabled,
        }))
    }

    /// The hash of a user's password.
    pub async fn password_hash(&mut self, user: UserId) -> Result<Option<SecretString>> {
        let hash =
            sqlx::query_scalar!("select password_hash from users where id = $1", user.uuid())
                .fetch_optional(self.connection())
                .await?;
        Ok(hash.map(SecretString::from))
    }

    /// Replaces a user's password. This ends all sessions of the user and deletes the user's password reset tokens.
    pub async fn set_password(
        &mut self,
        user: UserId,
        password_hash: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "update users set password_hash = $2 where id = $1",
            user.uuid(),
            password_hash.expose_secret()
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from password_resets where user_id = $1",
            user.uuid()
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "update sessions set ended_at = $2 where user_id = $1 and ended_at is null",
            user.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        self.access_changed(user.uuid()).await
    }

    /// Disables a user. This ends all sessions of the user and deletes the user's password reset tokens. False: the
    /// user was disabled already.
    pub async fn disable_user(&mut self, user: UserId, now: DateTime<Utc>) -> Result<bool> {
        let disabled = sqlx::query!(
            "update users set disabled_at = $2 where id = $1 and disabled_at is null",
            user.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "delete from password_resets where user_id = $1",
            user.uuid()
        )
        .execute(self.connection())
        .await?;
        self.end_all_sessions(user, now).await?;
        Ok(disabled.rows_affected() == 1)
    }

    /// Enables a user, who must sign in again. False: the user was enabled already.
    pub async fn enable_user(&mut self, user: UserId) -> Result<bool> {
        let enabled = sqlx::query!(
            "update users set disabled_at = null where id = $1 and disabled_at is not null",
            user.uuid()
        )
        .execute(self.connection())
        .await?;
        Ok(enabled.rows_affected() == 1)
    }

    /// Deletes a user with the user's sessions, memberships and invitations. Audit log entries stay. The caller must
    /// ensure that every shop still has an owner.
    pub async fn delete_user(&mut self, user: UserId) -> Result<()> {
        sqlx::query!("delete from users where id = $1", user.uuid())
            .execute(self.connection())
            .await?;
        self.access_changed(user.uuid()).await
    }

    /// The email address of a user.
    pub async fn user_email(&mut self, user: UserId) -> Result<Option<String>> {
        let email = sqlx::query_scalar!("select email from users where id = $1", user.uuid())
            .fetch_optional(self.connection())
            .await?;
        Ok(email)
    }

    /// Adds a shop to the directory. `None`: a shop with this domain or id exists.
    pub async fn create_tenant(
        &mut self,
        shop: &ShopRecord,
        now: DateTime<Utc>,
    ) -> Result<Option<TenantId>> {
        let id = TenantId::generate();
        let added = sqlx::query!(
            "insert into tenants (id, shop_domain, shop_gid, shop_name, status, created_at) \
             values ($1, $2, $3, $4, 'CONNECTED', $5) on conflict do nothing",
            id.uuid(),
            shop.domain.as_str(),
            shop.gid,
            shop.name,
            now
        )
        .execute(self.connection())
        .await?;
        Ok((added.rows_affected() == 1).then_some(id))
    }

    /// Changes the name of a shop in the directory.
    pub async fn rename_tenant(&mut self, tenant: TenantId, name: &str) -> Result<()> {
        sqlx::query!(
            "update tenants set shop_name = $2 where id = $1 and shop_name <> $2",
            tenant.uuid(),
            name
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Makes a user a member of a shop.
    pub async fn create_membership(
        &mut self,
        tenant: TenantId,
        user: UserId,
        role: Role,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "insert into memberships (tenant_id, user_id, role, created_at) values ($1, $2, $3, $4)",
            tenant.uuid(),
            user.uuid(),
            role.code(),
            now
        )
        .execute(self.connection())
        .await?;
        self.access_changed(user.uuid()).await
    }

    /// A user with their memberships, the oldest first. One statement, however many shops there are.
    pub async fn account(&mut self, user: UserId) -> Result<Option<Account>> {
        let rows = sqlx::query!(
            "select u.email, m.tenant_id as \"tenant?: TenantId\", m.role as \"role?\", \
                    t.shop_name as \"name?\", t.shop_domain as \"domain?: ShopDomain\" \
             from users u left join memberships m on m.user_id = u.id left join tenants t on t.id = m.tenant_id \
             where u.id = $1 order by m.created_at, m.tenant_id",
            user.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        let mut account = None;
        for row in rows {
            let account = account.get_or_insert(Account {
                email: row.email,
                memberships: Vec::new(),
            });
            if let (Some(tenant), Some(code), Some(name), Some(domain)) =
                (row.tenant, row.role, row.name, row.domain)
            {
                account.memberships.push(Membership {
                    tenant,
                    role: role(&code)?,
                    shop: DirectoryEntry { name, domain },
                });
            }
        }
        Ok(account)
    }

    /// The tenants of a user with the user's role in each, the oldest membership first.
    pub async fn memberships_of(&mut self, user: UserId) -> Result<Vec<(TenantId, Role)>> {
        let rows = sqlx::query!(
            "select tenant_id, role from memberships where user_id = $1 \
             order by created_at, tenant_id",
            user.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| Ok((TenantId::trusted(row.tenant_id), role(&row.role)?)))
            .collect()
    }

    /// Signs a user in to a shop, and deletes sessions of the user that expired long ago. A session made `from`
    /// another one ends no later than the maximum age of that one, so switching shops does not postpone the next
    /// password. `None`: the user was disabled or deleted. A concurrent transaction that disables or deletes the user
    /// waits for this transaction and then ends the new session too.
    pub async fn create_session(
        &mut self,
        (user, tenant): (UserId, TenantId),
        from: Option<SessionId>,
        device: &Device,
        now: DateTime<Utc>,
    ) -> Result<Option<SessionId>> {
        let let_in = sqlx::query!(
            "select id from users where id = $1 and disabled_at is null for share",
            user.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        if let_in.is_none() {
            return Ok(None);
        }
        let id = SessionId::generate();
        sqlx::query!(
            "delete from sessions where user_id = $1 and expires_at < $2",
            user.uuid(),
            now - TimeDelta::days(SESSION_IDLE_DAYS)
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "insert into sessions (id, user_id, tenant_id, created_at, signed_in_at, expires_at, address, user_agent) \
             select $1, $2, $3, $4::timestamptz, signed_in_at, \
                    least($5::timestamptz, signed_in_at + make_interval(days => $6::int)), $7, $8 \
             from (select coalesce((select coalesce(s.signed_in_at, s.created_at) from sessions s where s.id = $9), $4) \
                          as signed_in_at) f",
            id.uuid(),
            user.uuid(),
            tenant.uuid(),
            now,
            now + TimeDelta::days(SESSION_IDLE_DAYS),
            SESSION_LONGEST_DAYS,
            device.address.map(|address| address.to_canonical().to_string()),
            device.user_agent,
            from.map(SessionId::uuid),
        )
        .execute(self.connection())
        .await?;
        Ok(Some(id))
    }

    /// The user's role in the shop, and when the session expires. `None`: the session is not valid. Every request
    /// checks this.
    pub async fn principal_role(
        &mut self,
        session: SessionId,
        user: UserId,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<Option<(Role, DateTime<Utc>)>> {
        let row = sqlx::query!(
            "select m.role, s.expires_at from sessions s \
             join memberships m on m.tenant_id = s.tenant_id and m.user_id = s.user_id \
             where s.id = $1 and s.user_id = $2 and s.tenant_id = $3 \
               and s.ended_at is null and s.expires_at > $4",
            session.uuid(),
            user.uuid(),
            tenant.uuid(),
            now
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| Ok((role(&row.role)?, row.expires_at)))
            .transpose()
    }

    /// Ends a session: its tokens are refused from now on. `None`: the session had ended already.
    pub async fn end_session(
        &mut self,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> Result<Option<SessionRecord>> {
        let ended = sqlx::query!(
            "update sessions set ended_at = $2 where id = $1 and ended_at is null \
             returning user_id as \"user: UserId\", tenant_id as \"tenant: TenantId\"",
            session.uuid(),
            now
        )
        .fetch_optional(self.connection())
        .await?;
        let Some(ended) = ended else {
            return Ok(None);
        };
        self.access_changed(ended.user.uuid()).await?;
        Ok(Some(SessionRecord {
            id: session,
            user: ended.user,
            tenant: ended.tenant,
        }))
    }

    /// Stores the hash of a session's newest refresh token.
    pub async fn add_refresh_token(
        &mut self,
        session: SessionId,
        hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "insert into refresh_tokens (token_hash, session_id, created_at) values ($1, $2, $3)",
            hash,
            session.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Uses a refresh token, which is valid once. Of two concurrent calls the row lock lets one through. The other
    /// call finds the token used and ends the session, so the caller must commit in every case.
    pub async fn use_refresh_token(
        &mut self,
        hash: &[u8],
        device: &Device,
        now: DateTime<Utc>,
    ) -> Result<RefreshTokenUse> {
        let accepted = sqlx::query!(
            "update refresh_tokens t set used_at = $2 from sessions s \
             join memberships m on m.tenant_id = s.tenant_id and m.user_id = s.user_id \
             where t.token_hash = $1 and t.used_at is null and s.id = t.session_id \
               and s.ended_at is null and s.expires_at > $2 \
             returning s.id, s.user_id, s.tenant_id",
            hash,
            now
        )
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = accepted else {
            return self.refused_refresh_token(hash, now).await;
        };
        let session = SessionRecord {
            id: SessionId::trusted(row.id),
            user: UserId::trusted(row.user_id),
            tenant: TenantId::trusted(row.tenant_id),
        };
        self.prolong_session(session.id, device, now).await?;
        Ok(RefreshTokenUse::Accepted(session))
    }

    /// The reason why a refresh token was not accepted. A token that was used before ends its session.
    async fn refused_refresh_token(
        &mut self,
        hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<RefreshTokenUse> {
        let found = sqlx::query!(
            "select session_id, used_at is not null as \"used!\" from refresh_tokens \
             where token_hash = $1",
            hash
        )
        .fetch_optional(self.connection())
        .await?;
        match found {
            None => Ok(RefreshTokenUse::Unknown),
            Some(token) if token.used => {
                let session = SessionId::trusted(token.session_id);
                Ok(RefreshTokenUse::Reused(
                    self.end_session(session, now).await?,
                ))
            }
            Some(_) => Ok(RefreshTokenUse::Ended),
        }
    }

    /// Postpones the end of a used session, up to the maximum age of a session.
    async fn prolong_session(
        &mut self,
        session: SessionId,
        device: &Device,
        now: DateTime<Utc>,
    ) -> Result<()> {
        sqlx::query!(
            "update sessions set last_used_at = $4, address = $5, user_agent = $6, expires_at = \
               least($2::timestamptz, coalesce(signed_in_at, created_at) + make_interval(days => $3::int)) \
             where id = $1",
            session.uuid(),
            now + TimeDelta::days(SESSION_IDLE_DAYS),
            SESSION_LONGEST_DAYS,
            now,
            device.address.map(|address| address.to_canonical().to_string()),
            device.user_agent,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

/// The channel of changes of access.
pub const ACCESS_CHANNEL: &str = "xboard_access";

impl SystemTx {
    /// Reports, after the commit and to every process, that the access of a user, or of every member of a tenant, has
    /// changed: cached results of [`principal_role`](Self::principal_role) are invalid. Every statement that ends a
    /// session, changes a membership or a password, or deletes a user or a tenant calls this.
    pub(super) async fn access_changed(&mut self, whose: Uuid) -> Result<()> {
        notify(self.connection(), ACCESS_CHANNEL, &whose.to_string()).await
    }
}

pub(super) fn role(code: &str) -> Result<Role> {
    Role::from_code(code).ok_or_else(|| DbError::Corrupt(format!("memberships.role is {code:?}")))
}

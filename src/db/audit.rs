//! The audit log of a shop. An entry is inserted in the transaction of the logged action. The owner of the shop reads
//! the log. Old entries are deleted; no entry is ever updated.

use chrono::{DateTime, Utc};

use super::keyset::{Keyset, end};
use super::{DbError, Result, TenantTx};
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::ids::AuditEntryId;

/// A stored entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditEntryId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The action.
    pub action: Action,
    /// Whether the action was allowed.
    pub succeeded: bool,
    /// The user or program that acted.
    pub actor: Actor,
    /// The object of the action.
    pub subject: Option<String>,
    /// The network address of the client.
    pub address: Option<String>,
}

struct Stored {
    id: AuditEntryId,
    at: DateTime<Utc>,
    action: String,
    succeeded: bool,
    actor_kind: String,
    actor_email: Option<String>,
    subject: Option<String>,
    address: Option<String>,
}

impl TryFrom<Stored> for AuditRow {
    type Error = DbError;

    fn try_from(row: Stored) -> Result<Self> {
        let action = Action::from_code(&row.action)
            .ok_or_else(|| DbError::Corrupt(format!("audit_log.action is {:?}", row.action)))?;
        let actor = match (row.actor_kind.as_str(), row.actor_email) {
            ("USER", Some(email)) => Actor::User(email),
            ("OPERATOR", _) => Actor::Operator,
            ("SHOPIFY", _) => Actor::Shopify,
            _ => Actor::Program,
        };
        Ok(Self {
            id: row.id,
            at: row.at,
            action,
            succeeded: row.succeeded,
            actor,
            subject: row.subject,
            address: row.address,
        })
    }
}

impl TenantTx {
    /// Logs an action of this transaction, or its refusal.
    pub async fn note(&mut self, entry: &Entry, now: DateTime<Utc>) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "insert into audit_log (tenant_id, id, at, action, succeeded, actor_kind, actor_email, subject, address) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            tenant,
            AuditEntryId::generate().uuid(),
            now,
            entry.action.code(),
            entry.succeeded,
            entry.actor.kind(),
            entry.actor.email(),
            entry.subject.as_deref(),
            entry.address.map(|address| address.to_canonical().to_string()),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Logs an attempt, unless an equal entry was written after `since`: a program that repeats an attempt does not
    /// fill the log.
    pub async fn note_once_since(
        &mut self,
        entry: &Entry,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        let noted = sqlx::query_scalar!(
            "select exists (select from audit_log where tenant_id = $1 and at > $2 and action = $3 \
               and actor_email is not distinct from $4 and subject is not distinct from $5) as \"noted!\"",
            tenant,
            since,
            entry.action.code(),
            entry.actor.email(),
            entry.subject.as_deref(),
        )
        .fetch_one(self.connection())
        .await?;
        if noted {
            return Ok(());
        }
        self.note(entry, now).await
    }

    /// A page of entries in the order of their time.
    pub async fn audit_log(
        &mut self,
        keys: &Keyset<(DateTime<Utc>, AuditEntryId)>,
    ) -> Result<Vec<AuditRow>> {
        let tenant = self.tenant().uuid();
        let (above, above_id) = end(keys.above.as_ref());
        let (below, below_id) = end(keys.below.as_ref());
        let rows = sqlx::query_as!(
            Stored,
            "select id as \"id: AuditEntryId\", at, action, succeeded, actor_kind, actor_email, subject, address \
             from audit_log where tenant_id = $1 \
               and ($2::timestamptz is null or (at, id) > ($2, $3::uuid)) \
               and ($4::timestamptz is null or (at, id) < ($4, $5::uuid)) \
             order by case when $6 then at end desc, case when $6 then id end desc, at, id limit $7",
            tenant,
            above,
            above_id.map(AuditEntryId::uuid),
            below,
            below_id.map(AuditEntryId::uuid),
            keys.descending,
            keys.limit
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The number of entries.
    pub async fn count_audit_log(&mut self) -> Result<i64> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select count(*) as \"count!\" from audit_log where tenant_id = $1",
            tenant
        )
        .fetch_one(self.connection())
        .await?)
    }

    /// Deletes entries from before an instant and returns their number.
    pub async fn prune_audit_log(&mut self, before: DateTime<Utc>) -> Result<u64> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query!(
            "delete from audit_log where tenant_id = $1 and at < $2",
            tenant,
            before
        )
        .execute(self.connection())
        .await?
        .rows_affected())
    }
}

//! The audit log as a list.

use chrono::{DateTime, Utc};

use crate::db::audit::AuditRow;
use crate::db::keyset::Keyset;
use crate::db::{Result, TenantTx};
use crate::domain::ids::AuditEntryId;
use crate::graphql::pagination::Listing;

/// The entries of the audit log, newest first.
pub(in crate::graphql) struct AuditLog;

impl Listing for AuditLog {
    type Key = (DateTime<Utc>, AuditEntryId);
    type Row = AuditRow;

    fn name(&self) -> String {
        "auditLog".to_owned()
    }

    fn key(row: &AuditRow) -> Self::Key {
        (row.at, row.id)
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> Result<Vec<AuditRow>> {
        transaction.audit_log(keys).await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        transaction.count_audit_log().await
    }
}

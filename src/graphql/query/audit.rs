//! The audit log.

use async_graphql::{Context, Object};

use crate::graphql::error::ApiError;
use crate::graphql::lists::AuditLog;
use crate::graphql::pagination::{Connection, PageArguments, connect, page_cost};
use crate::graphql::permissions::permit;
use crate::graphql::types::AuditEntry;

/// Queries for the audit log.
#[derive(Default)]
pub(super) struct AuditQueries;

#[Object]
impl AuditQueries {
    /// The recorded actions on the shop, its members and their sessions, newest first. Entries are
    /// kept for a year, unless the operator has configured another retention. Requires the role
    /// owner (`FORBIDDEN`).
    #[graphql(complexity = "10 + page_cost(first, None, child_complexity)")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of entries to return: 1 to 100, 20 by default.")]
        first: Option<i32>,
        #[graphql(desc = "Return only entries after this cursor.")] after: Option<String>,
    ) -> Result<Connection<AuditEntry>, ApiError> {
        permit(ctx)?;
        let page = PageArguments::forward(first, after);
        connect(ctx, &AuditLog, &page, AuditEntry::new).await
    }
}

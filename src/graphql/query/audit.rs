//! What was done, and by whom.

use async_graphql::{Context, Object};

use crate::graphql::error::ApiError;
use crate::graphql::lists::AuditLog;
use crate::graphql::pagination::{Connection, PageArguments, connect, page_cost};
use crate::graphql::permissions::permit;
use crate::graphql::types::AuditEntry;

/// Questions about what was done.
#[derive(Default)]
pub(super) struct AuditQueries;

#[Object]
impl AuditQueries {
    /// What was done to the store, its members and their sessions, by whom and from where, the newest first.
    /// Entries are kept for a year, unless the operator decided otherwise. For owners: `FORBIDDEN` to others.
    #[graphql(complexity = "10 + page_cost(first, None, child_complexity)")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many entries to give: 1 to 100, 20 when nothing is said.")]
        first: Option<i32>,
        #[graphql(desc = "Go on behind the entry with this cursor.")] after: Option<String>,
    ) -> Result<Connection<AuditEntry>, ApiError> {
        permit(ctx)?;
        let page = PageArguments::forward(first, after);
        connect(ctx, &AuditLog, &page, AuditEntry::new).await
    }
}

//! Bulk operations: Shopify runs one query over the whole shop and writes the result to a file.

use std::fmt;

use chrono::{DateTime, Utc};

use super::error::{ShopifyError, sanitized};
use super::queries;
use super::shop_client::ShopClient;
use crate::domain::sync::ObjectKind;

/// A started bulk operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkStarted {
    /// The operation's gid. It finds the operation again after a restart.
    pub gid: String,
    /// The time Shopify created the operation.
    pub created_at: DateTime<Utc>,
}

/// Why a bulk operation was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartBulkError {
    /// Other operations are running. Try again later.
    #[error("the shop is running the maximum number of bulk operations: {0}")]
    Busy(String),
    /// Shopify rejects this query. Fetch the objects page by page instead.
    #[error("Shopify rejected the bulk query: {0}")]
    Rejected(String),
    /// The request failed.
    #[error(transparent)]
    Failed(#[from] ShopifyError),
}

/// The state of a bulk operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkState {
    /// Not started.
    Created,
    /// In progress.
    Running,
    /// Finished. The result is at the URL.
    Completed,
    /// Failed.
    Failed,
    /// Being cancelled.
    Canceling,
    /// Cancelled.
    Canceled,
    /// Shopify has deleted the result.
    Expired,
    /// A state that this version does not know.
    Unknown,
}

/// Why a bulk operation failed: Shopify's `BulkOperationErrorCode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkErrorCode {
    /// The app may not read something that the query requests.
    AccessDenied,
    /// Shopify failed.
    InternalServerError,
    /// Shopify took too long.
    Timeout,
    /// A code that this version does not know.
    Other(String),
}

impl BulkErrorCode {
    fn parse(code: &str) -> Self {
        match code {
            "ACCESS_DENIED" => Self::AccessDenied,
            "INTERNAL_SERVER_ERROR" => Self::InternalServerError,
            "TIMEOUT" => Self::Timeout,
            other => Self::Other(sanitized(other, 64)),
        }
    }
}

impl fmt::Display for BulkErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessDenied => "ACCESS_DENIED",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
            Self::Timeout => "TIMEOUT",
            Self::Other(code) => code,
        })
    }
}

/// The status of a bulk operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkStatus {
    /// The state.
    pub status: BulkState,
    /// The error code, if the operation failed.
    pub error_code: Option<BulkErrorCode>,
    /// The number of lines written.
    pub object_count: i64,
    /// The number of written lines without a parent.
    pub root_object_count: i64,
    /// The size of the file in bytes.
    pub file_size: Option<i64>,
    /// The URL of the file. `None` before the operation has finished, and if the file is empty.
    pub url: Option<String>,
    /// The URL of a partial file, if the operation failed.
    pub partial_url: Option<String>,
    /// The time Shopify created the operation.
    pub created_at: DateTime<Utc>,
}

impl BulkState {
    fn parse(word: &str) -> Self {
        match word {
            "CREATED" => Self::Created,
            "RUNNING" => Self::Running,
            "COMPLETED" => Self::Completed,
            "FAILED" => Self::Failed,
            "CANCELING" => Self::Canceling,
            "CANCELED" => Self::Canceled,
            "EXPIRED" => Self::Expired,
            _ => Self::Unknown,
        }
    }
}

/// The bulk query for a kind, without comments.
pub(super) fn bulk_query(kind: ObjectKind) -> String {
    let file = match kind {
        ObjectKind::Customers => include_str!("../../shopify_queries/bulk_customers.graphql"),
        ObjectKind::Products => include_str!("../../shopify_queries/bulk_products.graphql"),
        ObjectKind::Orders => include_str!("../../shopify_queries/bulk_orders.graphql"),
    };
    let mut query = String::with_capacity(file.len());
    for line in file
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        query.push_str(line);
        query.push('\n');
    }
    query
}

impl ShopClient {
    /// Starts the bulk query for a kind.
    ///
    /// The request is repeated only if it was certainly not executed: without a connection, with an
    /// exhausted query budget or with a rejected token. A lost response is an error. The operation
    /// it may have started takes one of the shop's five slots until it ends, and its result is
    /// never read.
    pub async fn start_bulk(&self, kind: ObjectKind) -> Result<BulkStarted, StartBulkError> {
        let variables = queries::bulk_run::Variables {
            query: bulk_query(kind),
        };
        let answer = self.mutate::<queries::BulkRun>(variables).await?;
        let payload = answer.data.bulk_operation_run_query;
        let nothing = || ShopifyError::Unreadable("a bulk operation is missing".to_owned());
        let Some(payload) = payload else {
            return Err(match answer.denied.error() {
                Some(denied) => StartBulkError::Rejected(denied.to_string()),
                None => StartBulkError::Failed(nothing()),
            });
        };
        if let Some(first) = payload.user_errors.first() {
            let busy = payload.user_errors.iter().any(|error| {
                matches!(
                    error.code.as_deref(),
                    Some("OPERATION_IN_PROGRESS" | "LIMIT_REACHED")
                )
            });
            let message = sanitized(&first.message, 500);
            return Err(if busy {
                StartBulkError::Busy(message)
            } else {
                StartBulkError::Rejected(message)
            });
        }
        let operation = payload.bulk_operation.ok_or_else(nothing)?;
        Ok(BulkStarted {
            gid: operation.id,
            created_at: operation.created_at,
        })
    }

    /// The status of a bulk operation. `None` if Shopify does not have it.
    pub async fn bulk_status(&self, gid: &str) -> Result<Option<BulkStatus>, ShopifyError> {
        let variables = queries::bulk_status::Variables { id: gid.to_owned() };
        let answer = self.query::<queries::BulkStatus>(variables).await?;
        Ok(answer.data.bulk_operation.map(|operation| BulkStatus {
            status: BulkState::parse(&operation.status),
            error_code: operation.error_code.as_deref().map(BulkErrorCode::parse),
            object_count: operation.object_count.0,
            root_object_count: operation.root_object_count.0,
            file_size: operation.file_size.map(|size| size.0),
            url: operation.url,
            partial_url: operation.partial_data_url,
            created_at: operation.created_at,
        }))
    }

    /// Cancels a bulk operation. The operation keeps its slot until it has stopped. Cancelling an
    /// ended operation fails with `UserErrors`.
    pub async fn cancel_bulk(&self, gid: &str) -> Result<(), ShopifyError> {
        let variables = queries::bulk_cancel::Variables { id: gid.to_owned() };
        let answer = self.query::<queries::BulkCancel>(variables).await?;
        let errors = answer
            .data
            .bulk_operation_cancel
            .map(|payload| payload.user_errors)
            .unwrap_or_default();
        match errors.first() {
            Some(error) => Err(ShopifyError::UserErrors(sanitized(&error.message, 500))),
            None => Ok(()),
        }
    }
}

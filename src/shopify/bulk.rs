//! Bulk operations: Shopify runs one query over the whole store and leaves the result as a file.

use chrono::{DateTime, Utc};

use super::error::{ShopifyError, shown};
use super::queries;
use super::store::{Repeat, Store};
use crate::domain::sync::ObjectKind;

/// A bulk operation that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkStarted {
    /// Its gid: by this it is found again after a restart.
    pub gid: String,
    /// When Shopify took it in.
    pub created_at: DateTime<Utc>,
}

/// Why a bulk operation was not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkRefusal {
    /// Others are under way: try again later.
    #[error("the store runs as many bulk operations as it allows: {0}")]
    Busy(String),
    /// Shopify does not take this query: page through the store instead.
    #[error("the store refused the bulk query: {0}")]
    Refused(String),
    /// The store could not be asked.
    #[error(transparent)]
    Failed(#[from] ShopifyError),
}

/// How far a bulk operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkState {
    /// Not begun.
    Created,
    /// Under way.
    Running,
    /// Done; the result is at the url.
    Completed,
    /// Ended by an error.
    Failed,
    /// Being stopped.
    Canceling,
    /// Stopped.
    Canceled,
    /// Its result is no longer kept.
    Expired,
    /// A word that this version does not know.
    Unknown,
}

/// What Shopify says of a bulk operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkStatus {
    /// How far it is.
    pub status: BulkState,
    /// Why it failed.
    pub error_code: Option<String>,
    /// How many lines it has written.
    pub object_count: i64,
    /// How many of them are no children.
    pub root_object_count: i64,
    /// How long the file is, in bytes.
    pub file_size: Option<i64>,
    /// Where the file is; null while there is none, and when it would be empty.
    pub url: Option<String>,
    /// Where the part is that was written before it failed.
    pub partial_url: Option<String>,
    /// When Shopify took it in.
    pub created_at: DateTime<Utc>,
}

impl BulkState {
    fn from_word(word: &str) -> Self {
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

/// The bulk query of a kind, without its comments.
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

impl Store {
    /// Starts the bulk query of a kind.
    ///
    /// It is sent again only when it surely was not carried out: after no connection, a full bucket or a
    /// refused token. A lost answer is an error; the operation it may have started takes one of the store's
    /// five places until it ends, and its result is never read.
    pub async fn start_bulk(&self, kind: ObjectKind) -> Result<BulkStarted, BulkRefusal> {
        let variables = queries::bulk_run::Variables {
            query: bulk_query(kind),
        };
        let answer = self
            .send::<queries::BulkRun>(variables, Repeat::UnlessCarriedOut)
            .await?;
        let payload = answer.data.bulk_operation_run_query;
        let nothing = || ShopifyError::Unreadable("no bulk operation".to_owned());
        let Some(payload) = payload else {
            return Err(match answer.denied.error() {
                Some(denied) => BulkRefusal::Refused(denied.to_string()),
                None => BulkRefusal::Failed(nothing()),
            });
        };
        if let Some(first) = payload.user_errors.first() {
            let busy = payload.user_errors.iter().any(|error| {
                matches!(
                    error.code.as_deref(),
                    Some("OPERATION_IN_PROGRESS" | "LIMIT_REACHED")
                )
            });
            let message = shown(&first.message, 500);
            return Err(if busy {
                BulkRefusal::Busy(message)
            } else {
                BulkRefusal::Refused(message)
            });
        }
        let operation = payload.bulk_operation.ok_or_else(nothing)?;
        Ok(BulkStarted {
            gid: operation.id,
            created_at: operation.created_at,
        })
    }

    /// How far a bulk operation is; `None` when the store does not know it.
    pub async fn bulk_status(&self, gid: &str) -> Result<Option<BulkStatus>, ShopifyError> {
        let variables = queries::bulk_status::Variables { id: gid.to_owned() };
        let answer = self.ask::<queries::BulkStatus>(variables).await?;
        Ok(answer.data.bulk_operation.map(|operation| BulkStatus {
            status: BulkState::from_word(&operation.status),
            error_code: operation.error_code,
            object_count: operation.object_count.0,
            root_object_count: operation.root_object_count.0,
            file_size: operation.file_size.map(|size| size.0),
            url: operation.url,
            partial_url: operation.partial_data_url,
            created_at: operation.created_at,
        }))
    }

    /// Stops a bulk operation. It goes on for a while, and keeps its place until it has stopped. One that has
    /// already ended is refused, as `UserErrors`.
    pub async fn cancel_bulk(&self, gid: &str) -> Result<(), ShopifyError> {
        let variables = queries::bulk_cancel::Variables { id: gid.to_owned() };
        let answer = self.ask::<queries::BulkCancel>(variables).await?;
        let errors = answer
            .data
            .bulk_operation_cancel
            .map(|payload| payload.user_errors)
            .unwrap_or_default();
        match errors.first() {
            Some(error) => Err(ShopifyError::UserErrors(shown(&error.message, 500))),
            None => Ok(()),
        }
    }
}

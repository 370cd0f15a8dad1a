//! Bulk operations: refused or accepted, run on a snapshot, written to a file line by line.

mod book;
mod job;
mod run;
mod validate;

pub(crate) use book::{BulkBook, Cancelled, Download};
pub use job::{BulkFault, BulkScript};
pub(crate) use job::{Job, start};
pub(crate) use validate::{BulkPlan, check};

use crate::clock::Moment;
use crate::webhooks::Subscription;

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BulkStatus {
    Created,
    Running,
    Completed,
    Failed,
    Canceling,
    Canceled,
}

impl BulkStatus {
    /// The name in Shopify's schema.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Canceling => "CANCELING",
            Self::Canceled => "CANCELED",
        }
    }

    /// Whether it holds one of the app's places.
    pub(crate) const fn is_running(self) -> bool {
        matches!(self, Self::Created | Self::Running | Self::Canceling)
    }
}

/// An operation as clients see it.
#[derive(Clone, Debug)]
pub(crate) struct BulkRecord {
    pub(crate) id: u64,
    pub(crate) status: BulkStatus,
    pub(crate) error_code: Option<String>,
    pub(crate) created_at: Moment,
    pub(crate) completed_at: Option<Moment>,
    pub(crate) object_count: u64,
    pub(crate) root_object_count: u64,
    pub(crate) file_size: Option<u64>,
    pub(crate) url: Option<String>,
    pub(crate) partial_data_url: Option<String>,
}

/// Which mutation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PayloadOf {
    #[default]
    RunBulk,
    CancelBulk,
    Subscribe,
    Unsubscribe,
}

/// What a mutation gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Payload {
    pub(crate) of: PayloadOf,
    pub(crate) operation: Option<BulkRecord>,
    pub(crate) subscription: Option<Subscription>,
    pub(crate) deleted_subscription: Option<String>,
    pub(crate) errors: Vec<UserError>,
}

/// Why a mutation did nothing.
#[derive(Clone, Debug)]
pub(crate) struct UserError {
    pub(crate) field: Option<&'static str>,
    pub(crate) message: String,
    /// None for a mutation whose errors have no code.
    pub(crate) code: Option<&'static str>,
}

impl UserError {
    /// An error of the bulk query itself.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            field: Some("query"),
            message: message.into(),
            code: Some("INVALID"),
        }
    }
}

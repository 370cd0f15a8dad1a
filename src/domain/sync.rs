//! The enums of a sync: kinds of objects, modes, triggers and states.

use super::codes::codes;

codes! {
    /// The kinds of objects that a sync fetches.
    ObjectKind {
        /// Customers.
        Customers = "CUSTOMERS",
        /// Products with their variants.
        Products = "PRODUCTS",
        /// Orders with their line items and their ledger.
        Orders = "ORDERS",
    }
}

codes! {
    /// How much a sync fetches.
    SyncMode {
        /// Only changes since the last sync.
        Incremental = "INCREMENTAL",
        /// Everything.
        Full = "FULL",
    }
}

codes! {
    /// The trigger of a sync.
    SyncTrigger {
        /// The shop was connected.
        Register = "REGISTER",
        /// A member requested it.
        Manual = "MANUAL",
        /// A webhook requested it.
        Webhook = "WEBHOOK",
        /// The regular schedule.
        Schedule = "SCHEDULE",
    }
}

codes! {
    /// The status of a sync.
    SyncStatus {
        /// Waiting for a worker.
        Queued = "QUEUED",
        /// In progress.
        Running = "RUNNING",
        /// Finished successfully.
        Succeeded = "SUCCEEDED",
        /// Failed; `error` says why.
        Failed = "FAILED",
        /// Stopped because the shop was disconnected.
        Cancelled = "CANCELLED",
    }
}

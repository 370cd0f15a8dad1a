//! The words of a sync: what kinds of objects there are, how far a run is and why it was started.

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The value as the database and the API write it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The value with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }
    };
}

codes! {
    /// The kinds of objects that a sync fetches.
    ObjectKind {
        /// Customers.
        Customers = "CUSTOMERS",
        /// Products with their variants.
        Products = "PRODUCTS",
        /// Orders with their lines and their ledger.
        Orders = "ORDERS",
    }
}

codes! {
    /// How much a sync fetches.
    SyncMode {
        /// What changed since the last one.
        Incremental = "INCREMENTAL",
        /// Everything.
        Full = "FULL",
    }
}

codes! {
    /// What started a sync.
    SyncTrigger {
        /// The store was connected.
        Register = "REGISTER",
        /// A person asked for it.
        Manual = "MANUAL",
        /// A webhook asked for it.
        Webhook = "WEBHOOK",
        /// It was time.
        Schedule = "SCHEDULE",
    }
}

codes! {
    /// How far a sync is.
    SyncStatus {
        /// Waiting for a worker.
        Queued = "QUEUED",
        /// Under way.
        Running = "RUNNING",
        /// Everything is in.
        Succeeded = "SUCCEEDED",
        /// Given up; `error` says why.
        Failed = "FAILED",
        /// Stopped because the store was disconnected.
        Cancelled = "CANCELLED",
    }
}

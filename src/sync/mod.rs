//! Everything between Shopify and the database: connecting a shop, its initial backfill, incremental syncs, webhooks,
//! and the worker that runs them. Each step can be interrupted at any point and repeated without harm.

mod backfill;
mod connect;
mod disconnect;
#[cfg(test)]
pub(crate) mod fuzz;
mod incremental;
mod installs;
mod keys;
mod maintenance;
mod privacy;
mod reconcile;
mod refetch;
mod run;
mod scheduler;
mod subscriptions;
mod time_zone;
mod tokens;
mod webhooks;
pub mod worker;

pub use backfill::stage_file;
pub use connect::ConnectError;
pub use installs::{Consent, InstallError, Installed};
pub use keys::Rotation;
pub use run::SyncError;
pub use webhooks::{Delivery, Received};

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Notify;

use crate::auth::encryption::Encryption;
use crate::db::Database;
use crate::domain::clock::Clock;
use crate::shopify::Shopify;

/// Settings of syncs, webhooks and the worker. Production uses the defaults.
#[derive(Clone, Copy, Debug)]
pub struct SyncConfig {
    /// How often each shop is synced without a request; `None`: never.
    pub sync_interval: Option<Duration>,
    /// How often the [maintenance](SyncService::queue_maintenance) of each shop runs; `None`: never.
    pub maintenance_interval: Option<Duration>,
    /// How many jobs one process runs at a time.
    pub concurrency: usize,
    /// How long a claim lasts without renewal.
    pub lease: Duration,
    /// How many objects one transaction of the initial backfill writes.
    pub merge_chunk: i64,
    /// The first delay between two polls of a bulk operation; it doubles up to `bulk_poll_max`.
    pub bulk_poll_min: Duration,
    /// The longest delay between two polls of a bulk operation.
    pub bulk_poll_max: Duration,
    /// A bulk operation without progress for this time is cancelled and started again.
    pub bulk_stall: Duration,
    /// The delay before a failed job is retried; it doubles with each attempt.
    pub retry_base: Duration,
    /// The longest time from one refetch batch of a shop to the next. The first is a sixteenth of it, then it doubles.
    pub refetch_pause: Duration,
    /// How many changed objects one batch fetches.
    pub refetch_batch: i64,
    /// How long the refetch job of one shop runs before jobs of other shops come first.
    pub refetch_time_slice: Duration,
    /// How often a job is attempted without progress before it fails. An attempt that ends with its process counts.
    pub max_attempts: i32,
    /// How long entries of the audit log are kept.
    pub audit_retention: TimeDelta,
    /// How many look-ups of signing keys a second one process makes for deliveries that no cached key and not the
    /// operator's app has signed.
    pub max_unverified_lookups: NonZeroU32,
}

const MAX_UNVERIFIED_LOOKUPS: NonZeroU32 = NonZeroU32::new(200).unwrap();

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            sync_interval: Some(Duration::from_mins(5)),
            maintenance_interval: Some(Duration::from_hours(24)),
            concurrency: 4,
            lease: Duration::from_secs(20),
            merge_chunk: 3_000,
            bulk_poll_min: Duration::from_millis(200),
            bulk_poll_max: Duration::from_secs(5),
            bulk_stall: Duration::from_mins(30),
            retry_base: Duration::from_secs(2),
            refetch_pause: Duration::from_secs(1),
            refetch_batch: 500,
            refetch_time_slice: Duration::from_secs(10),
            max_attempts: 8,
            audit_retention: TimeDelta::days(365),
            max_unverified_lookups: MAX_UNVERIFIED_LOOKUPS,
        }
    }
}

/// The service behind syncs, webhooks and jobs; cheap to clone.
#[derive(Clone, Debug)]
pub struct SyncService {
    database: Database,
    shopify: Shopify,
    encryption: Arc<Encryption>,
    clock: Clock,
    config: SyncConfig,
    signing_keys: Arc<webhooks::SigningKeys>,
    batcher: Arc<webhooks::DeliveryBatcher<webhooks::ObjectDelivery>>,
    bulk_finished: Arc<Notify>,
    /// The URL at which Shopify reaches this program, without a slash at the end.
    public_url: Option<Arc<str>>,
}

impl SyncService {
    /// Creates the service; nothing is started.
    #[must_use]
    pub fn new(
        database: Database,
        shopify: Shopify,
        encryption: Arc<Encryption>,
        clock: Clock,
        config: SyncConfig,
        public_url: Option<String>,
    ) -> Self {
        Self {
            database,
            shopify,
            encryption,
            clock,
            config,
            signing_keys: Arc::new(webhooks::SigningKeys::new(config.max_unverified_lookups)),
            batcher: Arc::default(),
            bulk_finished: Arc::default(),
            public_url: public_url.map(Into::into),
        }
    }

    /// Whether browsers reach this program over https.
    #[must_use]
    pub fn is_public_https(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }
}

//! What to fetch and when: connecting a store, its first backfill, incremental syncs, and the worker that
//! carries them out. Everything here can be interrupted at any point and done again without harm.

mod backfill;
mod connect;
mod disconnect;
#[cfg(test)]
pub(crate) mod fuzz;
mod hints;
mod incremental;
mod installs;
mod keys;
mod places;
mod privacy;
mod reconcile;
mod run;
mod subscriptions;
mod time_zone;
mod tokens;
mod upkeep;
mod webhooks;
pub mod worker;

pub use backfill::stage_file;
pub use connect::ConnectError;
pub use installs::{Consent, InstallError, Installed};
pub use keys::Rotation;
pub use run::SyncError;
pub use webhooks::{Delivery, Received};

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Notify;

use crate::auth::sealer::Sealer;
use crate::db::Database;
use crate::domain::clock::Clock;
use crate::shopify::Shopify;

/// How ingestion behaves. The defaults are what production uses.
#[derive(Clone, Copy, Debug)]
pub struct SyncConfig {
    /// How often each store is synced without being asked; `None`: never.
    pub sync_interval: Option<Duration>,
    /// How often each store's webhooks are looked after and its ids are compared; `None`: never.
    pub upkeep_interval: Option<Duration>,
    /// How many jobs one process works on at a time.
    pub concurrency: usize,
    /// How long a claimed job is safe from other workers without a sign of life.
    pub lease: Duration,
    /// How many orders, customers or products are merged in one transaction of a backfill.
    pub merge_chunk: i64,
    /// The first wait between two looks at a bulk operation; it doubles up to `bulk_poll_max`.
    pub bulk_poll_min: Duration,
    /// The longest wait between two looks at a bulk operation.
    pub bulk_poll_max: Duration,
    /// A bulk operation that writes nothing for so long is cancelled and begun anew.
    pub bulk_stall: Duration,
    /// The wait before a failed job is tried again; it doubles with each attempt.
    pub retry_base: Duration,
    /// The time between two rounds of fetching what webhooks named, within which mentions gather, once there were
    /// several in a row; the first is a sixteenth of it, and it doubles.
    pub hint_window: Duration,
    /// How many objects that webhooks named are fetched in one round.
    pub hint_round: i32,
    /// How long one store's rounds go on before other stores' jobs have their turn.
    pub hint_turn: Duration,
    /// How often a job is tried before its run counts as failed.
    pub max_attempts: i32,
    /// How long the entries of an audit log are kept.
    pub audit_kept: TimeDelta,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            sync_interval: Some(Duration::from_mins(5)),
            upkeep_interval: Some(Duration::from_hours(24)),
            concurrency: 4,
            lease: Duration::from_secs(20),
            merge_chunk: 3_000,
            bulk_poll_min: Duration::from_millis(200),
            bulk_poll_max: Duration::from_secs(5),
            bulk_stall: Duration::from_mins(30),
            retry_base: Duration::from_secs(2),
            hint_window: Duration::from_secs(1),
            hint_round: 500,
            hint_turn: Duration::from_secs(10),
            max_attempts: 8,
            audit_kept: TimeDelta::days(365),
        }
    }
}

/// Everything ingestion needs; cheap to clone.
#[derive(Clone, Debug)]
pub struct SyncService {
    database: Database,
    shopify: Shopify,
    sealer: Arc<Sealer>,
    clock: Clock,
    config: SyncConfig,
    signers: Arc<webhooks::Signers>,
    mentions: Arc<webhooks::Gathering<webhooks::Mention>>,
    bulk_finished: Arc<Notify>,
    handover: places::Handover,
    /// Where Shopify reaches this program; no slash at the end.
    public_url: Option<Arc<str>>,
}

impl SyncService {
    /// Brings the parts together; nothing is started.
    #[must_use]
    pub fn new(
        database: Database,
        shopify: Shopify,
        sealer: Arc<Sealer>,
        clock: Clock,
        config: SyncConfig,
        public_url: Option<String>,
    ) -> Self {
        Self {
            database,
            shopify,
            sealer,
            clock,
            config,
            signers: Arc::default(),
            mentions: Arc::default(),
            bulk_finished: Arc::default(),
            handover: places::Handover::default(),
            public_url: public_url.map(Into::into),
        }
    }

    /// Whether browsers reach this program by https.
    #[must_use]
    pub fn is_public_https(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }
}

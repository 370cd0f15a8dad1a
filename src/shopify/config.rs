//! How the store is asked: which version, how patiently.

use std::time::Duration;

use super::install::InstallableApp;

/// How Shopify is reached.
#[derive(Clone, Debug)]
pub struct ShopifyConfig {
    /// The Admin API version: `2026-10`.
    pub api_version: String,
    /// Replaces `https://{domain}` in tests and demos; `{shop}` in it stands for the domain's first label.
    pub base_url: Option<String>,
    /// The operator's own app, which merchants install.
    pub app: Option<InstallableApp>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a whole answer of the API may take.
    pub request_timeout: Duration,
    /// How long a download may stand still.
    pub read_timeout: Duration,
    /// How failures are met.
    pub retry: RetryPolicy,
    /// How many lines of a bulk result make a batch.
    pub batch_lines: usize,
    /// How long a line of a bulk result may be, in bytes.
    pub longest_line: usize,
}

/// How failures are met that pass by.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// How many times a request is repeated.
    pub repeats: usize,
    /// The first pause; each further one is twice as long, with jitter.
    pub first_pause: Duration,
    /// No pause is longer. A store that asks for a longer one is left to the caller.
    pub longest_pause: Duration,
    /// The shortest pause when the store's query budget is empty.
    pub throttle_floor: Duration,
    /// How long one request may wait for the store's query budget in all.
    pub throttle_limit: Duration,
}

impl Default for ShopifyConfig {
    fn default() -> Self {
        Self {
            api_version: "2026-10".to_owned(),
            base_url: None,
            app: None,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_mins(1),
            read_timeout: Duration::from_mins(1),
            retry: RetryPolicy::default(),
            batch_lines: 500,
            longest_line: 16 * 1024 * 1024,
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            repeats: 5,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_mins(1),
            throttle_floor: Duration::from_secs(1),
            throttle_limit: Duration::from_mins(5),
        }
    }
}

impl RetryPolicy {
    /// The pauses between the attempts, one after the other.
    pub(super) fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        use backon::BackoffBuilder;
        backon::ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .with_max_times(self.repeats)
            .with_jitter()
            .build()
    }
}

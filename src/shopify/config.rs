//! Settings of the client: API version, timeouts and retries.

use std::time::Duration;

use super::oauth::InstallableApp;

/// Settings of the client.
#[derive(Clone, Debug)]
pub struct ShopifyConfig {
    /// The Admin API version: `2026-10`.
    pub api_version: String,
    /// Replaces `https://{domain}` in tests and demos. `{shop}` stands for the first label of the
    /// domain.
    pub base_url: Option<String>,
    /// The operator's own app, which merchants install from Shopify.
    pub app: Option<InstallableApp>,
    /// The timeout for connecting.
    pub connect_timeout: Duration,
    /// The timeout for a whole API response.
    pub request_timeout: Duration,
    /// The timeout for each read of a download.
    pub read_timeout: Duration,
    /// The retry policy.
    pub retry: RetryPolicy,
    /// The number of lines in a batch of a bulk result.
    pub batch_lines: usize,
    /// The maximum size of a line of a bulk result, in bytes.
    pub max_line_bytes: usize,
}

/// How transient failures are retried.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The maximum number of retries of one request.
    pub max_retries: usize,
    /// The delay before the first retry. It doubles with each retry, with jitter.
    pub initial_delay: Duration,
    /// The maximum delay. If Shopify asks for a longer one, the request fails.
    pub max_delay: Duration,
    /// The minimum delay if the query budget is exhausted.
    pub min_throttle_delay: Duration,
    /// The maximum total time that one request waits for the query budget.
    pub max_throttle_wait: Duration,
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
            max_line_bytes: 16 * 1024 * 1024,
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 5,
            initial_delay: Duration::from_millis(500),
            max_delay: Duration::from_mins(1),
            min_throttle_delay: Duration::from_secs(1),
            max_throttle_wait: Duration::from_mins(5),
        }
    }
}

impl RetryPolicy {
    /// The delays between the attempts.
    pub(super) fn delays(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        use backon::BackoffBuilder;
        backon::ExponentialBuilder::default()
            .with_min_delay(self.initial_delay)
            .with_max_delay(self.max_delay)
            .with_max_times(self.max_retries)
            .with_jitter()
            .build()
    }
}

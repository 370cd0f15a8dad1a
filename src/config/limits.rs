//! The settings of the API limits. `docs/limits.md` explains them.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// The limits as configured by the operator.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits of the API")]
pub struct LimitSettings {
    /// Maximum size of a request body, in bytes
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 262_144,
        value_name = "BYTES"
    )]
    pub xboard_limit_body: usize,

    /// Maximum size of a document, in bytes
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 65_536,
        value_name = "BYTES"
    )]
    pub xboard_limit_characters: usize,

    /// Maximum number of tokens in a document
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 5_000,
        value_name = "TOKENS"
    )]
    pub xboard_limit_tokens: usize,

    /// Maximum nesting depth of fields. Introspection queries of tools need 15
    #[arg(long, env, global = true, default_value_t = 15, value_name = "LEVELS")]
    pub xboard_limit_depth: usize,

    /// Maximum cost of an operation
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 10_000,
        value_name = "POINTS"
    )]
    pub xboard_limit_complexity: usize,

    /// Maximum number of fields in an operation, with fragments expanded
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 2_000,
        value_name = "FIELDS"
    )]
    pub xboard_limit_fields: usize,

    /// Maximum number of aliases in an operation
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 100,
        value_name = "ALIASES"
    )]
    pub xboard_limit_aliases: usize,

    /// Maximum number of root fields in an operation
    #[arg(long, env, global = true, default_value_t = 40, value_name = "FIELDS")]
    pub xboard_limit_root_fields: usize,

    /// Maximum number of directives in a document
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 50,
        value_name = "DIRECTIVES"
    )]
    pub xboard_limit_directives: usize,

    /// Maximum number of repeated response names within one selection set
    #[arg(long, env, global = true, default_value_t = 20, value_name = "FIELDS")]
    pub xboard_limit_duplicate_fields: usize,

    /// Time limit of an operation, in seconds
    #[arg(long, env, global = true, default_value = "15", value_name = "SECONDS")]
    pub xboard_operation_seconds: NonZeroU32,

    /// Maximum number of concurrent operations per tenant. Further operations wait
    #[arg(
        long,
        env,
        global = true,
        default_value = "16",
        value_name = "OPERATIONS"
    )]
    pub xboard_operations_at_once: NonZeroU32,

    /// Maximum number of open subscriptions per tenant, and of concurrent operations per WebSocket
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 500,
        value_name = "SUBSCRIPTIONS"
    )]
    pub xboard_limit_subscriptions: usize,

    /// Capacity of a tenant's token bucket, in points. 0 turns the rate limit off
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 100_000,
        value_name = "POINTS"
    )]
    pub xboard_budget: u64,

    /// Points that a tenant's token bucket gains per second
    #[arg(
        long,
        env,
        global = true,
        default_value = "10000",
        value_name = "POINTS"
    )]
    pub xboard_budget_per_second: NonZeroU64,

    /// Size of the response cache, in bytes. 0 turns it off
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 67_108_864,
        value_name = "BYTES"
    )]
    pub xboard_answer_cache: u64,

    /// Size of the cache of sales timelines, in bytes
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 134_217_728,
        value_name = "BYTES"
    )]
    pub xboard_figures_cache: u64,

    /// Size of the document cache, in bytes. 0 turns off the cache and automatic persisted queries
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 16_777_216,
        value_name = "BYTES"
    )]
    pub xboard_document_cache: u64,

    /// Directory or manifest of persisted documents. Only these are executed
    #[arg(long, env, global = true, value_name = "PATH")]
    pub xboard_persisted_documents: Option<PathBuf>,
}

impl LimitSettings {
    /// The timeout of an operation.
    #[must_use]
    pub fn operation_timeout(&self) -> Duration {
        Duration::from_secs(self.xboard_operation_seconds.get().into())
    }

    /// The safelist; `None`: all documents are executed.
    #[must_use]
    pub fn persisted_documents(&self) -> Option<PathBuf> {
        self.xboard_persisted_documents
            .clone()
            .filter(|path| !path.as_os_str().is_empty())
    }
}

//! The settings of the API's limits: see `docs/limits.md` for what each one counts.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// The limits as the operator wrote them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits of the API")]
pub struct LimitSettings {
    /// The most bytes of a request's body
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 262_144,
        value_name = "BYTES"
    )]
    pub xboard_limit_body: usize,

    /// The most bytes of a document's text
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 65_536,
        value_name = "BYTES"
    )]
    pub xboard_limit_characters: usize,

    /// The most tokens of a document
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 5_000,
        value_name = "TOKENS"
    )]
    pub xboard_limit_tokens: usize,

    /// How deep fields may nest; tools that read the schema need 15
    #[arg(long, env, global = true, default_value_t = 15, value_name = "LEVELS")]
    pub xboard_limit_depth: usize,

    /// What one operation may cost
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 10_000,
        value_name = "POINTS"
    )]
    pub xboard_limit_complexity: usize,

    /// The most fields of an operation, with its fragments written out
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 2_000,
        value_name = "FIELDS"
    )]
    pub xboard_limit_fields: usize,

    /// The most aliases of an operation
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 100,
        value_name = "ALIASES"
    )]
    pub xboard_limit_aliases: usize,

    /// The most fields at the root of an operation
    #[arg(long, env, global = true, default_value_t = 40, value_name = "FIELDS")]
    pub xboard_limit_root_fields: usize,

    /// The most directives of a document
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 50,
        value_name = "DIRECTIVES"
    )]
    pub xboard_limit_directives: usize,

    /// The most fields that are there again under the same name
    #[arg(long, env, global = true, default_value_t = 20, value_name = "FIELDS")]
    pub xboard_limit_duplicate_fields: usize,

    /// How long one operation may take
    #[arg(long, env, global = true, default_value = "15", value_name = "SECONDS")]
    pub xboard_operation_seconds: NonZeroU32,

    /// How many operations of one store are carried out at once; more wait for their turn
    #[arg(
        long,
        env,
        global = true,
        default_value = "16",
        value_name = "OPERATIONS"
    )]
    pub xboard_operations_at_once: NonZeroU32,

    /// The most subscriptions of one store that are open at once, and the most operations over one socket
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 500,
        value_name = "SUBSCRIPTIONS"
    )]
    pub xboard_limit_subscriptions: usize,

    /// What a store may spend at once; 0 turns the limit off
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 100_000,
        value_name = "POINTS"
    )]
    pub xboard_budget: u64,

    /// What a store gets back each second
    #[arg(
        long,
        env,
        global = true,
        default_value = "10000",
        value_name = "POINTS"
    )]
    pub xboard_budget_per_second: NonZeroU64,

    /// How many bytes of answers are kept, to be given again until the store's data changes; 0 turns that off
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 67_108_864,
        value_name = "BYTES"
    )]
    pub xboard_answer_cache: u64,

    /// How many bytes of stores' daily figures are kept, to make answers from
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 134_217_728,
        value_name = "BYTES"
    )]
    pub xboard_figures_cache: u64,

    /// How many bytes of documents are kept for clients that send only their hashes; 0 turns that off
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 16_777_216,
        value_name = "BYTES"
    )]
    pub xboard_persisted_queries: usize,

    /// A directory or manifest of documents: only these are carried out, and no others
    #[arg(long, env, global = true, value_name = "PATH")]
    pub xboard_trusted_documents: Option<PathBuf>,
}

impl LimitSettings {
    /// How long one operation may take.
    #[must_use]
    pub fn operation_timeout(&self) -> Duration {
        Duration::from_secs(self.xboard_operation_seconds.get().into())
    }

    /// The file or directory of the documents that may be carried out; none: all may.
    #[must_use]
    pub fn trusted_documents(&self) -> Option<PathBuf> {
        self.xboard_trusted_documents
            .clone()
            .filter(|path| !path.as_os_str().is_empty())
    }
}

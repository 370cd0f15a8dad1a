//! The GraphQL schema. Resolvers convert arguments to domain values, read through the operation's
//! snapshot and convert the results. They contain no SQL and no definitions of figures.

pub mod context;
mod cost;
mod cursor;
mod dataloaders;
mod document;
pub mod error;
mod extension;
#[cfg(test)]
pub(crate) mod fuzz;
pub mod ids;
mod inputs;
mod limits;
mod lists;
mod mutation;
mod numbers;
mod pagination;
pub mod permissions;
mod query;
pub mod read_snapshot;
pub mod refresh_tokens;
mod response_format;
pub mod scalars;
mod subscription;
pub mod types;

use std::sync::Arc;

use async_graphql::Schema;

pub use cost::{BucketConfig, BucketStatus, RateLimitKey, TokenBuckets};
pub use document::{DocumentCache, ParsedDocument, sha256_hex};
pub use limits::Limits;
pub use mutation::{Mutation, MutationContext};
pub use query::Query;
pub use subscription::SubscriptionRoot;

use crate::cache::invalidation::Invalidation;

/// The schema.
pub type XBoardSchema = Schema<Query, Mutation, SubscriptionRoot>;

/// Builds the schema. Without a mutation context, mutations fail with an internal error; that
/// suffices for reading the schema. Without introspection, error messages do not suggest names of
/// the schema either.
#[must_use]
pub fn build_schema(
    limits: Limits,
    introspection: bool,
    documents: Arc<DocumentCache>,
    buckets: Arc<TokenBuckets>,
    mutations: Option<MutationContext>,
    invalidation: Option<Invalidation>,
) -> XBoardSchema {
    let mut builder = Schema::build(Query::default(), Mutation::default(), SubscriptionRoot)
        .extension(extension::OperationPolicy::new(limits, documents, buckets));
    if let Some(mutations) = mutations {
        builder = builder.data(mutations);
    }
    if let Some(invalidation) = invalidation {
        builder = builder.data(invalidation);
    }
    if introspection {
        builder.finish()
    } else {
        builder
            .disable_introspection()
            .disable_suggestions()
            .finish()
    }
}

/// The schema in SDL, as in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    Schema::build(Query::default(), Mutation::default(), SubscriptionRoot)
        .finish()
        .sdl()
}

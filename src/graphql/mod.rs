//! The one GraphQL schema: what every frontend may ask. Resolvers turn arguments into domain values, read
//! through the operation's snapshot and hand domain values back; they hold no SQL and no rule of a figure.

mod completion;
mod connection;
pub mod context;
mod cursor;
pub mod error;
mod extension;
pub mod ids;
mod inputs;
mod lists;
pub mod live;
mod loaders;
mod mutation;
mod numbers;
mod query;
pub mod scalars;
pub mod snapshot;
mod subscription;
pub mod types;

use std::sync::Arc;

use async_graphql::Schema;

pub use mutation::{Mutation, MutationContext};
pub use query::Query;
pub use subscription::SubscriptionRoot;

use self::live::Live;

/// The schema that is served.
pub type XBoardSchema = Schema<Query, Mutation, SubscriptionRoot>;

/// How much one operation may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep selections may nest. The introspection query of common tools needs 15.
    pub depth: usize,
    /// How many fields it may touch, where a field below a list counts once per item asked for.
    pub complexity: usize,
    /// How many directives one field may carry.
    pub directives: usize,
    /// How deep the text may nest before it is parsed any further.
    pub recursive_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 15,
            complexity: 10_000,
            directives: 5,
            recursive_depth: 32,
        }
    }
}

/// Builds the schema. Without a context of their own its mutations answer with an internal error: enough for
/// reading the schema.
#[must_use]
pub fn build_schema(
    limits: Limits,
    introspection: bool,
    mutations: Option<MutationContext>,
    live: Option<Live>,
) -> XBoardSchema {
    let shape = Arc::new(completion::Shape::of(&sdl()));
    let mut builder = Schema::build(Query::default(), Mutation::default(), SubscriptionRoot)
        .extension(extension::ErrorCodesFactory)
        .extension(completion::CompletionFactory(shape))
        .limit_depth(limits.depth)
        .limit_complexity(limits.complexity)
        .limit_directives(limits.directives)
        .limit_recursive_depth(limits.recursive_depth);
    if let Some(mutations) = mutations {
        builder = builder.data(mutations);
    }
    if let Some(live) = live {
        builder = builder.data(live);
    }
    if introspection {
        builder.finish()
    } else {
        builder.disable_introspection().finish()
    }
}

/// The schema in its own language: what `schema.graphql` holds.
#[must_use]
pub fn sdl() -> String {
    Schema::build(Query::default(), Mutation::default(), SubscriptionRoot)
        .finish()
        .sdl()
}

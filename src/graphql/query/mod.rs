//! What can be asked.

mod accounts;

use async_graphql::MergedObject;

/// Everything that can be read. The store is the one that the token speaks for; it is never an argument.
#[derive(MergedObject, Default)]
pub struct Query(accounts::AccountQueries);

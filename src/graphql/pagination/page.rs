//! The arguments of a page.

use async_graphql::Context;
use serde::de::DeserializeOwned;

use crate::domain::ids::TenantId;
use crate::graphql::cursor;
use crate::graphql::error::ApiError;

/// The default number of items of a page.
pub(in crate::graphql) const DEFAULT_PAGE_SIZE: i32 = 20;
/// The maximum number of items of a page.
pub(in crate::graphql) const MAX_PAGE_SIZE: i32 = 100;

/// The arguments of a page, as sent by the client.
#[derive(Clone, Debug, Default)]
pub(in crate::graphql) struct PageArguments {
    pub(in crate::graphql) first: Option<i32>,
    pub(in crate::graphql) after: Option<String>,
    pub(in crate::graphql) last: Option<i32>,
    pub(in crate::graphql) before: Option<String>,
}

impl PageArguments {
    pub(in crate::graphql) fn forward(first: Option<i32>, after: Option<String>) -> Self {
        Self {
            first,
            after,
            ..Self::default()
        }
    }
}

/// The cost of a page in the operation's complexity: the cost of an item times the number of items.
pub(in crate::graphql) fn page_cost(first: Option<i32>, last: Option<i32>, item: usize) -> usize {
    let items = first
        .or(last)
        .unwrap_or(DEFAULT_PAGE_SIZE)
        .clamp(1, MAX_PAGE_SIZE);
    usize::try_from(items)
        .unwrap_or(1)
        .saturating_mul(item)
        .saturating_add(1)
}

/// Checks a number of items.
pub(in crate::graphql) fn validate_page_size(
    field: &'static str,
    count: i32,
) -> Result<i64, ApiError> {
    if (1..=MAX_PAGE_SIZE).contains(&count) {
        Ok(i64::from(count))
    } else {
        Err(ApiError::bad_input(
            field,
            format!("`{field}` must be between 1 and {MAX_PAGE_SIZE}, not {count}."),
        ))
    }
}

/// A validated page request: direction, size and bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::graphql) struct Page<K> {
    pub(in crate::graphql) backward: bool,
    pub(in crate::graphql) count: i64,
    pub(in crate::graphql) after: Option<K>,
    pub(in crate::graphql) before: Option<K>,
}

impl<K: DeserializeOwned> Page<K> {
    pub(in crate::graphql) fn from_arguments(
        arguments: &PageArguments,
        name: &str,
        tenant: TenantId,
    ) -> Result<Self, ApiError> {
        let (backward, count) = match (arguments.first, arguments.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::bad_input(
                    "last",
                    "Use either `first` or `last`, not both.",
                ));
            }
            (None, Some(last)) => (true, validate_page_size("last", last)?),
            (first, None) => (
                false,
                validate_page_size("first", first.unwrap_or(DEFAULT_PAGE_SIZE))?,
            ),
        };
        let key = |field, text: Option<&String>| {
            text.map(|text| {
                cursor::decode(name, tenant, text).ok_or_else(|| {
                    ApiError::bad_input(
                        field,
                        format!("`{field}` is not a cursor of this list in this sort order."),
                    )
                })
            })
            .transpose()
        };
        Ok(Self {
            backward,
            count,
            after: key("after", arguments.after.as_ref())?,
            before: key("before", arguments.before.as_ref())?,
        })
    }
}

/// The parts of a connection that the operation selects.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one selected field")]
pub(in crate::graphql) struct PageRequest {
    pub(in crate::graphql) total_count: bool,
    pub(in crate::graphql) next: bool,
    pub(in crate::graphql) previous: bool,
    pub(in crate::graphql) rows: bool,
}

impl PageRequest {
    pub(in crate::graphql) fn from_context(ctx: &Context<'_>) -> Self {
        let connection = ctx.look_ahead();
        let page_info = connection.field("pageInfo");
        Self {
            total_count: connection.field("totalCount").exists(),
            next: page_info.field("hasNextPage").exists(),
            previous: page_info.field("hasPreviousPage").exists(),
            rows: page_info.exists()
                || connection.field("nodes").exists()
                || connection.field("edges").exists(),
        }
    }
}

//! Which page a client asks for.

use async_graphql::Context;
use serde::de::DeserializeOwned;

use crate::domain::ids::TenantId;
use crate::graphql::cursor;
use crate::graphql::error::ApiError;

/// How many items a page holds when nothing is said.
pub(in crate::graphql) const DEFAULT_PAGE: i32 = 20;
/// How many items a page holds at most.
pub(in crate::graphql) const LARGEST_PAGE: i32 = 100;

/// What a client says of the page it wants.
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

/// What the page is worth in the operation's complexity: each item costs what is asked of it.
pub(in crate::graphql) fn page_cost(first: Option<i32>, last: Option<i32>, item: usize) -> usize {
    let items = first
        .or(last)
        .unwrap_or(DEFAULT_PAGE)
        .clamp(1, LARGEST_PAGE);
    usize::try_from(items)
        .unwrap_or(1)
        .saturating_mul(item)
        .saturating_add(1)
}

/// A number of items that a client may ask for.
pub(in crate::graphql) fn checked_count(field: &'static str, count: i32) -> Result<i64, ApiError> {
    if (1..=LARGEST_PAGE).contains(&count) {
        Ok(i64::from(count))
    } else {
        Err(ApiError::bad_input(
            field,
            format!("`{field}` must be from 1 to {LARGEST_PAGE}, not {count}."),
        ))
    }
}

/// A page that was asked for: which way, how much, from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::graphql) struct Page<K> {
    pub(in crate::graphql) backward: bool,
    pub(in crate::graphql) count: i64,
    pub(in crate::graphql) after: Option<K>,
    pub(in crate::graphql) before: Option<K>,
}

impl<K: DeserializeOwned> Page<K> {
    pub(in crate::graphql) fn read(
        arguments: &PageArguments,
        name: &str,
        tenant: TenantId,
    ) -> Result<Self, ApiError> {
        let (backward, count) = match (arguments.first, arguments.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::bad_input(
                    "last",
                    "Give `first` or `last`, not both.",
                ));
            }
            (None, Some(last)) => (true, checked_count("last", last)?),
            (first, None) => (
                false,
                checked_count("first", first.unwrap_or(DEFAULT_PAGE))?,
            ),
        };
        let key = |field, text: Option<&String>| {
            text.map(|text| {
                cursor::decode(name, tenant, text).ok_or_else(|| {
                    ApiError::bad_input(
                        field,
                        format!("`{field}` is not a cursor of this list in this order."),
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

/// What of a connection the client wants to know.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one selected field")]
pub(in crate::graphql) struct Wanted {
    pub(in crate::graphql) total_count: bool,
    pub(in crate::graphql) next: bool,
    pub(in crate::graphql) previous: bool,
    pub(in crate::graphql) rows: bool,
}

impl Wanted {
    pub(in crate::graphql) fn of(ctx: &Context<'_>) -> Self {
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

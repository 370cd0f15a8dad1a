//! Lists the Relay way: what every connection of the schema has in common. A list says how its rows are read
//! between two keys; this says which rows a page holds and what lies around it.

use std::future::Future;

use async_graphql::{Context, OutputType, SimpleObject};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cursor;
use super::error::ApiError;
use super::types::{Customer, LineItem, Order, Product, SyncRun};
use crate::db::keyset::Keyset;
use crate::db::{Result as DbResult, TenantTx};
use crate::domain::ids::TenantId;

/// How many items a page holds when nothing is said.
pub(super) const DEFAULT_PAGE: i32 = 20;
/// How many items a page holds at most.
pub(super) const LARGEST_PAGE: i32 = 100;

/// One page of a list.
#[derive(Debug, SimpleObject)]
#[graphql(concrete(name = "OrderConnection", params(Order)))]
#[graphql(concrete(name = "CustomerConnection", params(Customer)))]
#[graphql(concrete(name = "ProductConnection", params(Product)))]
#[graphql(concrete(name = "LineItemConnection", params(LineItem)))]
#[graphql(concrete(name = "SyncRunConnection", params(SyncRun)))]
pub(crate) struct Connection<N: OutputType + Clone>
where
    Edge<N>: OutputType,
{
    /// The items of this page with their cursors, in the list's order whichever way it is paged through.
    edges: Vec<Edge<N>>,
    /// The same items without their cursors.
    nodes: Vec<N>,
    /// Whether there is more, and the cursors to ask for it with.
    page_info: PageInfo,
    /// How many items the whole list holds, with its filter, whatever the page. Counted only when asked for.
    total_count: i32,
}

/// An item of a list.
#[derive(Debug, SimpleObject)]
#[graphql(concrete(name = "OrderEdge", params(Order)))]
#[graphql(concrete(name = "CustomerEdge", params(Customer)))]
#[graphql(concrete(name = "ProductEdge", params(Product)))]
#[graphql(concrete(name = "LineItemEdge", params(LineItem)))]
#[graphql(concrete(name = "SyncRunEdge", params(SyncRun)))]
pub(crate) struct Edge<N: OutputType + Clone> {
    /// Where the item stands in the list: `after` or `before` go on from there. Good only for the same list in
    /// the same order.
    cursor: String,
    /// The item.
    node: N,
}

/// What lies around a page.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct PageInfo {
    /// Whether the list goes on behind this page.
    has_next_page: bool,
    /// Whether the list holds anything before this page.
    has_previous_page: bool,
    /// The cursor of the first item of the page: ask for what is `before` it. Null when the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the last item of the page: ask for what is `after` it. Null when the page is empty.
    end_cursor: Option<String>,
}

/// What a client says of the page it wants.
#[derive(Clone, Debug, Default)]
pub(super) struct PageArguments {
    pub(super) first: Option<i32>,
    pub(super) after: Option<String>,
    pub(super) last: Option<i32>,
    pub(super) before: Option<String>,
}

impl PageArguments {
    pub(super) fn forward(first: Option<i32>, after: Option<String>) -> Self {
        Self {
            first,
            after,
            ..Self::default()
        }
    }
}

/// What the page is worth in the operation's complexity: each item costs what is asked of it.
pub(super) fn page_cost(first: Option<i32>, last: Option<i32>, item: usize) -> usize {
    let items = first
        .or(last)
        .unwrap_or(DEFAULT_PAGE)
        .clamp(1, LARGEST_PAGE);
    usize::try_from(items).unwrap_or(1) * item + 1
}

/// A number of items that a client may ask for.
pub(super) fn checked_count(field: &'static str, count: i32) -> Result<i64, ApiError> {
    if (1..=LARGEST_PAGE).contains(&count) {
        Ok(i64::from(count))
    } else {
        Err(ApiError::bad_input(
            field,
            format!("`{field}` must be from 1 to {LARGEST_PAGE}, not {count}."),
        ))
    }
}

/// A list that is ordered by a key.
pub(super) trait Listing: Send + Sync {
    /// What the list is ordered by; ends in something unique.
    type Key: Clone + Serialize + DeserializeOwned + Send + Sync;
    /// What it holds.
    type Row: Send;

    /// The list and its order, as cursors name it.
    fn name(&self) -> String;
    /// Whether the greatest key comes first.
    fn descending(&self) -> bool {
        true
    }
    /// The key of a row.
    fn key(row: &Self::Row) -> Self::Key;
    /// The rows of a stretch of the list.
    fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> impl Future<Output = DbResult<Vec<Self::Row>>> + Send;
    /// How many rows there are.
    fn count(&self, transaction: &mut TenantTx) -> impl Future<Output = DbResult<i64>> + Send;
}

/// A page that was asked for: which way, how much, from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page<K> {
    backward: bool,
    count: i64,
    after: Option<K>,
    before: Option<K>,
}

impl<K: DeserializeOwned> Page<K> {
    pub(super) fn read(
        arguments: &PageArguments,
        list: &str,
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
                cursor::decode(list, tenant, text).ok_or_else(|| {
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

impl<K> Page<K> {
    pub(super) const fn count(&self) -> i64 {
        self.count
    }
}

/// What of a connection the client wants to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    total_count: bool,
    next: bool,
    previous: bool,
    rows: bool,
}

impl Wanted {
    pub(super) fn of(ctx: &Context<'_>) -> Self {
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

impl Wanted {
    pub(super) const fn rows(self) -> bool {
        self.rows
    }

    pub(super) const fn total_count(self) -> bool {
        self.total_count
    }
}

/// A page with what lies around it, before its rows become nodes.
pub(super) struct Slice<R> {
    pub(super) rows: Vec<R>,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
    pub(super) total: i64,
}

impl<R> Slice<R> {
    /// The first page of a list, from its first rows: one more of them than the page holds, if there are.
    pub(super) fn first(mut rows: Vec<R>, total: i64, count: i64) -> Self {
        let has_next = i64::try_from(rows.len()).is_ok_and(|read| read > count);
        if has_next {
            rows.pop();
        }
        Self {
            rows,
            has_next,
            has_previous: false,
            total,
        }
    }
}

/// Reads a page of a list.
pub(super) async fn read_page<L: Listing>(
    list: &L,
    transaction: &mut TenantTx,
    page: &Page<L::Key>,
    wanted: Wanted,
) -> Result<Slice<L::Row>, ApiError> {
    let total = if wanted.total_count {
        list.count(transaction).await?
    } else {
        0
    };
    if !wanted.rows {
        return Ok(Slice {
            rows: Vec::new(),
            has_next: false,
            has_previous: false,
            total,
        });
    }
    let (after, before) = (page.after.clone(), page.before.clone());
    let keys = keyset(list, after, before, page.backward, page.count + 1);
    let mut rows = list.rows(transaction, &keys).await?;
    let more = i64::try_from(rows.len()).is_ok_and(|read| read > page.count);
    if more {
        rows.pop();
    }
    if page.backward {
        rows.reverse();
    }
    let has_next = has_next(list, transaction, page, wanted, more, &rows).await?;
    let has_previous = has_previous(list, transaction, page, wanted, more, &rows).await?;
    Ok(Slice {
        rows,
        has_next,
        has_previous,
        total,
    })
}

/// Ahead of the reading direction the row that was read too many tells. A bound on that side, or the side that
/// the page was reached from, has to be looked behind: the cursor may be of a row that is gone.
async fn has_next<L: Listing>(
    list: &L,
    transaction: &mut TenantTx,
    page: &Page<L::Key>,
    wanted: Wanted,
    more: bool,
    rows: &[L::Row],
) -> Result<bool, ApiError> {
    if more && !page.backward {
        return Ok(true);
    }
    if page.before.is_none() || !wanted.next {
        return Ok(false);
    }
    let end = rows.last().map(L::key).or_else(|| page.after.clone());
    exists(list, transaction, keyset(list, end, None, false, 1)).await
}

/// The same on the other side.
async fn has_previous<L: Listing>(
    list: &L,
    transaction: &mut TenantTx,
    page: &Page<L::Key>,
    wanted: Wanted,
    more: bool,
    rows: &[L::Row],
) -> Result<bool, ApiError> {
    if more && page.backward {
        return Ok(true);
    }
    if page.after.is_none() || !wanted.previous {
        return Ok(false);
    }
    let start = rows.first().map(L::key).or_else(|| page.before.clone());
    exists(list, transaction, keyset(list, None, start, true, 1)).await
}

async fn exists<L: Listing>(
    list: &L,
    transaction: &mut TenantTx,
    keys: Keyset<L::Key>,
) -> Result<bool, ApiError> {
    Ok(!list.rows(transaction, &keys).await?.is_empty())
}

/// The rows after one key and before another, in the list's order or against it.
fn keyset<L: Listing>(
    list: &L,
    after: Option<L::Key>,
    before: Option<L::Key>,
    backward: bool,
    limit: i64,
) -> Keyset<L::Key> {
    let (above, below) = if list.descending() {
        (before, after)
    } else {
        (after, before)
    };
    Keyset {
        above,
        below,
        descending: list.descending() != backward,
        limit,
    }
}

impl<N: OutputType + Clone> Connection<N>
where
    Edge<N>: OutputType,
{
    /// The page as the API shows it.
    pub(super) fn new<R, K: Serialize>(
        slice: Slice<R>,
        list: &str,
        tenant: TenantId,
        key: impl Fn(&R) -> K,
        node: impl Fn(R) -> N,
    ) -> Result<Self, ApiError> {
        let total_count = super::numbers::int(slice.total)?;
        let edges: Vec<_> = slice
            .rows
            .into_iter()
            .map(|row| Edge {
                cursor: cursor::encode(list, tenant, &key(&row)),
                node: node(row),
            })
            .collect();
        let page_info = PageInfo {
            has_next_page: slice.has_next,
            has_previous_page: slice.has_previous,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Ok(Self {
            nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
            edges,
            page_info,
            total_count,
        })
    }
}

/// Reads a page of a list of the caller's store, from the operation's snapshot.
pub(super) async fn connect<L: Listing, N: OutputType + Clone>(
    ctx: &Context<'_>,
    list: &L,
    arguments: &PageArguments,
    node: impl Fn(TenantId, L::Row) -> N,
) -> Result<Connection<N>, ApiError>
where
    Edge<N>: OutputType,
{
    let request = super::context::RequestContext::of(ctx)?;
    let tenant = request.require_principal()?.tenant;
    let name = list.name();
    let page = Page::read(arguments, &name, tenant)?;
    let mut reading = request.read().await?;
    let slice = read_page(list, reading.transaction(), &page, Wanted::of(ctx)).await?;
    drop(reading);
    Connection::new(slice, &name, tenant, L::key, |row| node(tenant, row))
}

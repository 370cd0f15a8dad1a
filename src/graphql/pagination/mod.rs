//! Connections as in the Relay specification. A [`Listing`] reads its rows between two keys; this
//! module decides which rows a page contains and whether there are more.

mod page;
mod read;

use async_graphql::{Context, OutputType, SimpleObject};
use serde::Serialize;

pub(super) use page::{
    MAX_PAGE_SIZE, Page, PageArguments, PageRequest, page_cost, validate_page_size,
};
pub(super) use read::{Listing, PageRows, read_page};

use super::context::RequestContext;
use super::cursor;
use super::error::ApiError;
use super::numbers::to_graphql_int;
use super::read_snapshot::ReadSnapshot;
use super::types::{AuditEntry, Customer, LineItem, Order, Product, SyncRun};
use crate::domain::ids::TenantId;

/// One page of a list.
#[derive(Debug, SimpleObject)]
#[graphql(concrete(name = "OrderConnection", params(Order)))]
#[graphql(concrete(name = "CustomerConnection", params(Customer)))]
#[graphql(concrete(name = "ProductConnection", params(Product)))]
#[graphql(concrete(name = "LineItemConnection", params(LineItem)))]
#[graphql(concrete(name = "SyncRunConnection", params(SyncRun)))]
#[graphql(concrete(name = "AuditEntryConnection", params(AuditEntry)))]
pub(crate) struct Connection<N: OutputType + Clone>
where
    Edge<N>: OutputType,
{
    /// The items of this page with their cursors. They are in the list's order, in both paging
    /// directions.
    edges: Vec<Edge<N>>,
    /// The items of this page without their cursors.
    nodes: Vec<N>,
    /// Whether there are further pages, and the cursors to request them with.
    page_info: PageInfo,
    /// The number of items in the whole list after filtering. Counted only if selected.
    total_count: i32,
}

/// An item of a list with its cursor.
#[derive(Debug, SimpleObject)]
#[graphql(concrete(name = "OrderEdge", params(Order)))]
#[graphql(concrete(name = "CustomerEdge", params(Customer)))]
#[graphql(concrete(name = "ProductEdge", params(Product)))]
#[graphql(concrete(name = "LineItemEdge", params(LineItem)))]
#[graphql(concrete(name = "SyncRunEdge", params(SyncRun)))]
#[graphql(concrete(name = "AuditEntryEdge", params(AuditEntry)))]
pub(crate) struct Edge<N: OutputType + Clone> {
    /// The item's position in the list, for `after` and `before`. Valid only for the same list in
    /// the same sort order.
    cursor: String,
    /// The item.
    node: N,
}

/// Information about the position of a page in its list.
#[derive(Debug, Default, SimpleObject)]
pub(crate) struct PageInfo {
    /// Whether there are items after this page.
    has_next_page: bool,
    /// Whether there are items before this page.
    has_previous_page: bool,
    /// The cursor of the first item of the page, for `before`. Null if the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the last item of the page, for `after`. Null if the page is empty.
    end_cursor: Option<String>,
}

impl<N: OutputType + Clone> Connection<N>
where
    Edge<N>: OutputType,
{
    /// Builds the page from its rows.
    pub(super) fn new<R, K: Serialize>(
        slice: PageRows<R>,
        list: &str,
        tenant: TenantId,
        key: impl Fn(&R) -> K,
        node: impl Fn(R) -> N,
    ) -> Result<Self, ApiError> {
        let total_count = to_graphql_int(slice.total)?;
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

/// Reads a page of a list of the caller's tenant from the operation's snapshot.
pub(super) async fn connect<L: Listing, N: OutputType + Clone>(
    ctx: &Context<'_>,
    list: &L,
    arguments: &PageArguments,
    node: impl Fn(TenantId, L::Row) -> N,
) -> Result<Connection<N>, ApiError>
where
    Edge<N>: OutputType,
{
    let nothing = async |_: &mut ReadSnapshot, _: &[L::Row]| Ok(());
    connect_with(ctx, list, arguments, nothing, |tenant, row, ()| {
        node(tenant, row)
    })
    .await
}

/// Like [`connect`], for nodes that need more than their rows: `read` reads the rest for all rows
/// of the page.
pub(super) async fn connect_with<L: Listing, N: OutputType + Clone, M>(
    ctx: &Context<'_>,
    list: &L,
    arguments: &PageArguments,
    read: impl AsyncFnOnce(&mut ReadSnapshot, &[L::Row]) -> Result<M, ApiError>,
    node: impl Fn(TenantId, L::Row, &M) -> N,
) -> Result<Connection<N>, ApiError>
where
    Edge<N>: OutputType,
{
    let request = RequestContext::of(ctx)?;
    let tenant = request.require_principal()?.tenant;
    let name = list.name();
    let page = Page::from_arguments(arguments, &name, tenant)?;
    let mut reading = request.read().await?;
    let slice = read_page(list, &mut reading, &page, PageRequest::from_context(ctx)).await?;
    let more = read(&mut reading, &slice.rows).await?;
    drop(reading);
    request.refund(ctx, page.count, slice.rows.len());
    Connection::new(slice, &name, tenant, L::key, |row| node(tenant, row, &more))
}

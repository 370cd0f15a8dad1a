//! Lists of a shop's objects.

use async_graphql::{Context, Object};

use crate::db::orders::{OrderFilter, OrderRow};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::inputs::{
    CustomerFilterInput, CustomerSort, OrderFilterInput, OrderSort, ProductFilterInput, ProductSort,
};
use crate::graphql::lists::{
    CustomersByLastOrder, CustomersByOrders, CustomersByTotalSpent, OrdersByTime, OrdersByTotal,
    ProductsByNetSales, ProductsByTitle, ProductsByUnits, SyncRuns,
};
use crate::graphql::pagination::{
    Connection, Listing, PageArguments, connect, connect_with, page_cost,
};
use crate::graphql::permissions::permit;
use crate::graphql::read_snapshot::ReadSnapshot;
use crate::graphql::types::{Customer, Order, Product, SyncRun};

/// Queries for lists of a shop's objects.
#[derive(Default)]
pub(super) struct ListQueries;

#[Object]
impl ListQueries {
    /// The shop's orders, newest first. Includes test orders.
    #[graphql(complexity = "10 + page_cost(Some(first), None, child_complexity)")]
    async fn recent_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of orders to return: 1 to 100.", default = 5)] first: i32,
        #[graphql(desc = "Return only orders after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Order>, ApiError> {
        let list = OrdersByTime {
            name: "recentOrders".to_owned(),
            zone: zone(ctx).await?,
            filter: OrderFilter::default(),
            newest_first: true,
        };
        let page = PageArguments::forward(Some(first), after);
        orders_page(ctx, &list, &page).await
    }

    /// The shop's orders. Includes test orders, but no deleted orders.
    #[graphql(complexity = "10 + page_cost(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "the four arguments of Relay, a filter and a sort order"
    )]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start: 1 to 100, 20 by default.")]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "The number of items to return from the end: 1 to 100. Cannot be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which orders to return. All by default.")] filter: Option<
            OrderFilterInput,
        >,
        #[graphql(desc = "The sort order. `PROCESSED_AT_DESC` by default.")] sort: Option<
            OrderSort,
        >,
    ) -> Result<Connection<Order>, ApiError> {
        let page = PageArguments {
            first,
            after,
            last,
            before,
        };
        let (zone, filter) = order_filter(ctx, filter).await?;
        let by_time = |name: &str, newest_first, zone, filter| OrdersByTime {
            name: name.to_owned(),
            zone,
            filter,
            newest_first,
        };
        match sort.unwrap_or_default() {
            OrderSort::ProcessedAtDesc => {
                let newest = by_time("orders/PROCESSED_AT_DESC", true, zone, filter);
                orders_page(ctx, &newest, &page).await
            }
            OrderSort::ProcessedAtAsc => {
                let oldest = by_time("orders/PROCESSED_AT_ASC", false, zone, filter);
                orders_page(ctx, &oldest, &page).await
            }
            OrderSort::TotalDesc => orders_page(ctx, &OrdersByTotal { zone, filter }, &page).await,
        }
    }

    /// The shop's customers, with and without orders. Does not include deleted customers.
    #[graphql(complexity = "10 + page_cost(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "the four arguments of Relay, a filter and a sort order"
    )]
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start: 1 to 100, 20 by default.")]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "The number of items to return from the end: 1 to 100. Cannot be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which customers to return. All by default.")] filter: Option<
            CustomerFilterInput,
        >,
        #[graphql(desc = "The sort order. `TOTAL_SPENT_DESC` by default.")] sort: Option<
            CustomerSort,
        >,
    ) -> Result<Connection<Customer>, ApiError> {
        let page = PageArguments {
            first,
            after,
            last,
            before,
        };
        let filter = filter.unwrap_or_default().resolve()?;
        let request = RequestContext::of(ctx)?;
        permit(ctx)?;
        let shop = request.read().await?.shop();
        let zone = shop.time_zone.clone();
        let node = |tenant, row| Customer::new(tenant, row, &shop);
        match sort.unwrap_or_default() {
            CustomerSort::TotalSpentDesc => {
                connect(ctx, &CustomersByTotalSpent { zone, filter }, &page, node).await
            }
            CustomerSort::OrdersDesc => {
                connect(ctx, &CustomersByOrders { zone, filter }, &page, node).await
            }
            CustomerSort::LastOrderDesc => {
                connect(ctx, &CustomersByLastOrder { zone, filter }, &page, node).await
            }
        }
    }

    /// The products of the shop's catalogue. Does not include deleted products.
    #[graphql(complexity = "10 + page_cost(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "the four arguments of Relay, a filter and a sort order"
    )]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start: 1 to 100, 20 by default.")]
        first: Option<i32>,
        #[graphql(desc = "Return only items after this cursor.")] after: Option<String>,
        #[graphql(
            desc = "The number of items to return from the end: 1 to 100. Cannot be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "Return only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which products to return. All by default.")] filter: Option<
            ProductFilterInput,
        >,
        #[graphql(desc = "The sort order. `TITLE_ASC` by default.")] sort: Option<ProductSort>,
    ) -> Result<Connection<Product>, ApiError> {
        let page = PageArguments {
            first,
            after,
            last,
            before,
        };
        let filter = filter.unwrap_or_default().resolve()?;
        permit(ctx)?;
        let shop = RequestContext::of(ctx)?.read().await?.shop();
        let node = |tenant, row| Product::new(tenant, row, &shop);
        match sort.unwrap_or_default() {
            ProductSort::TitleAsc => connect(ctx, &ProductsByTitle { filter }, &page, node).await,
            ProductSort::NetSalesDesc => {
                connect(ctx, &ProductsByNetSales { filter }, &page, node).await
            }
            ProductSort::UnitsDesc => connect(ctx, &ProductsByUnits { filter }, &page, node).await,
        }
    }

    /// The shop's sync runs, newest first.
    #[graphql(complexity = "10 + page_cost(first, None, child_complexity)")]
    async fn sync_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of runs to return: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Return only runs after this cursor.")] after: Option<String>,
    ) -> Result<Connection<SyncRun>, ApiError> {
        permit(ctx)?;
        let page = PageArguments::forward(first, after);
        connect(ctx, &SyncRuns, &page, SyncRun::new).await
    }
}

/// A page of orders, with their customers if these are selected.
async fn orders_page<L: Listing<Row = OrderRow>>(
    ctx: &Context<'_>,
    list: &L,
    page: &PageArguments,
) -> Result<Connection<Order>, ApiError> {
    let customers = async |reading: &mut ReadSnapshot, rows: &[OrderRow]| {
        Order::customers_of(ctx, reading, rows).await
    };
    connect_with(ctx, list, page, customers, Order::with_customer).await
}

async fn zone(ctx: &Context<'_>) -> Result<String, ApiError> {
    permit(ctx)?;
    let shop = RequestContext::of(ctx)?.read().await?.shop();
    Ok(shop.time_zone.clone())
}

async fn order_filter(
    ctx: &Context<'_>,
    filter: Option<OrderFilterInput>,
) -> Result<(String, OrderFilter), ApiError> {
    let request = RequestContext::of(ctx)?;
    let tenant = permit(ctx)?.tenant;
    let mut reading = request.read().await?;
    let zone = reading.shop().time_zone.clone();
    let filter = filter
        .unwrap_or_default()
        .resolve(&mut reading, tenant)
        .await?;
    Ok((zone, filter))
}

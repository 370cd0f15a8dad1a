//! Lists below an object. Data loaders read the first pages for all objects of a list at once. A
//! later page has a cursor, so it belongs to one object and is read for that object alone.

use async_graphql::Context;

use super::orders::OrdersByTime;
use crate::db::keyset::Keyset;
use crate::db::line_items::LineItemRow;
use crate::db::orders::OrderFilter;
use crate::db::{Result, TenantTx};
use crate::domain::ids::{CustomerId, LineItemId, OrderId, TenantId};
use crate::domain::money::Currency;
use crate::graphql::context::RequestContext;
use crate::graphql::dataloaders::{FirstLineItems, LineItemCount, NewestOrders, OrderCount};
use crate::graphql::error::ApiError;
use crate::graphql::pagination::{
    Connection, Listing, Page, PageArguments, PageRequest, PageRows, read_page,
};
use crate::graphql::types::{LineItem, Order};

/// The line items of an order.
struct LineItems(OrderId);

impl Listing for LineItems {
    type Key = LineItemId;
    type Row = LineItemRow;

    fn name(&self) -> String {
        format!("order/{}/lineItems", self.0)
    }

    fn descending(&self) -> bool {
        false
    }

    fn key(row: &LineItemRow) -> LineItemId {
        row.id
    }

    async fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<LineItemId>,
    ) -> Result<Vec<LineItemRow>> {
        transaction.line_items(self.0, keys).await
    }

    async fn count(&self, transaction: &mut TenantTx) -> Result<i64> {
        let counts = transaction.count_line_items_of(&[self.0]).await?;
        Ok(counts.first().map_or(0, |(_, count)| *count))
    }
}

/// A page of an order's line items.
pub(in crate::graphql) async fn order_line_items(
    ctx: &Context<'_>,
    tenant: TenantId,
    order: OrderId,
    currency: &Currency,
    arguments: PageArguments,
) -> Result<Connection<LineItem>, ApiError> {
    let request = RequestContext::of(ctx)?;
    let list = LineItems(order);
    let name = list.name();
    let page = Page::from_arguments(&arguments, &name, tenant)?;
    let wanted = PageRequest::from_context(ctx);
    let slice = if arguments.after.is_some() {
        let mut reading = request.read_tenant(tenant).await?;
        read_page(&list, &mut reading, &page, wanted).await?
    } else {
        let limit = page.count + 1;
        let first = FirstLineItems { order, limit };
        let (rows, total) = futures_util::try_join!(
            request.loaders.load_if(wanted.rows, tenant, first),
            request
                .loaders
                .load_if(wanted.total_count, tenant, LineItemCount(order)),
        )?;
        PageRows::first(rows.unwrap_or_default(), total.unwrap_or(0), page.count)
    };
    Connection::new(slice, &name, tenant, LineItems::key, |row| {
        LineItem::new(tenant, row, currency)
    })
}

/// A page of a customer's orders, newest first.
pub(in crate::graphql) async fn customer_orders(
    ctx: &Context<'_>,
    tenant: TenantId,
    customer: CustomerId,
    arguments: PageArguments,
) -> Result<Connection<Order>, ApiError> {
    let request = RequestContext::of(ctx)?;
    let name = format!("customer/{customer}/orders");
    let page = Page::from_arguments(&arguments, &name, tenant)?;
    let wanted = PageRequest::from_context(ctx);
    let slice = if arguments.after.is_some() {
        let mut reading = request.read_tenant(tenant).await?;
        let list = OrdersByTime {
            name: name.clone(),
            zone: reading.shop().time_zone.clone(),
            filter: OrderFilter {
                customer: Some(customer),
                ..OrderFilter::default()
            },
            newest_first: true,
        };
        read_page(&list, &mut reading, &page, wanted).await?
    } else {
        let limit = page.count + 1;
        let newest = NewestOrders { customer, limit };
        let (rows, total) = futures_util::try_join!(
            request.loaders.load_if(wanted.rows, tenant, newest),
            request
                .loaders
                .load_if(wanted.total_count, tenant, OrderCount(customer)),
        )?;
        PageRows::first(rows.unwrap_or_default(), total.unwrap_or(0), page.count)
    };
    Connection::new(slice, &name, tenant, OrdersByTime::key, |row| {
        Order::new(tenant, row)
    })
}

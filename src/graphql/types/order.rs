//! Orders in the API.

use std::collections::HashMap;

use async_graphql::{ComplexObject, Context, ID, SimpleObject};

use super::customer::Customer;
use super::line_item::LineItem;
use super::money::Money;
use super::refund::Refund;
use crate::db::customers::CustomerRow;
use crate::db::orders::OrderRow;
use crate::domain::ids::{CustomerId, OrderId, TenantId};
use crate::domain::money;
use crate::graphql::context::RequestContext;
use crate::graphql::dataloaders::{CustomerById, RefundsOf};
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::lists::order_line_items;
use crate::graphql::pagination::{Connection, PageArguments, page_cost};
use crate::graphql::read_snapshot::ReadSnapshot;
use crate::graphql::scalars::Instant;

/// An order in its current state. Figures such as `overview` and `ordersByDate` are not sums over
/// orders. They are sums over the sales of each order, on the days the sales happened.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Order {
    #[graphql(skip)]
    tenant: TenantId,
    #[graphql(skip)]
    number: OrderId,
    #[graphql(skip)]
    customer_number: Option<CustomerId>,
    /// The customer, if the page was read with its customers.
    #[graphql(skip)]
    read_customer: Option<Box<CustomerRow>>,
    #[graphql(skip)]
    currency: money::Currency,
    /// The order's id, for `node`.
    #[graphql(owned)]
    pub id: ID,
    /// Shopify's numeric id of the order. Unique only within the shop.
    shopify_id: String,
    /// The order's name in the shop, such as `#1001`.
    name: String,
    /// The time the order was placed. The order counts on this day.
    processed_at: Instant,
    /// The time the order was cancelled. Null if it was not.
    cancelled_at: Option<Instant>,
    /// The payment status, in Shopify's words: `PENDING`, `PAID`, `PARTIALLY_REFUNDED`, `REFUNDED`
    /// and others.
    financial_status: Option<String>,
    /// The fulfillment status, in Shopify's words: `UNFULFILLED`, `FULFILLED` and others.
    fulfillment_status: Option<String>,
    /// The sales channel of the order, such as `web` or `pos`.
    source_name: Option<String>,
    /// The discount codes used in the order.
    discount_codes: Vec<String>,
    /// The price of the order when it was placed: after discounts, with taxes and shipping. In the
    /// shop's currency at that time.
    total_price: Money,
    /// Payments received minus payments refunded, up to now. In the shop's currency at the time the
    /// order was placed.
    net_payment: Money,
    /// The tags that the merchant gave the order.
    tags: Vec<String>,
    /// Whether this is a test order. Lists include test orders; figures do not.
    test: bool,
}

impl Order {
    pub(in crate::graphql) fn new(tenant: TenantId, row: OrderRow) -> Self {
        let money = |amount| money::Money::new(amount, row.currency.clone()).into();
        Self {
            tenant,
            number: row.id,
            customer_number: row.customer_id,
            read_customer: None,
            currency: row.currency.clone(),
            id: NodeId::Order(row.id).encode(tenant),
            shopify_id: row.id.to_string(),
            processed_at: Instant(row.processed_at),
            cancelled_at: row.cancelled_at.map(Instant),
            total_price: money(row.total_price),
            net_payment: money(row.net_payment),
            name: row.name,
            financial_status: row.financial_status,
            fulfillment_status: row.fulfillment_status,
            source_name: row.source_name,
            discount_codes: row.discount_codes,
            tags: row.tags,
            test: row.test,
        }
    }
}

/// Customers by id.
pub(in crate::graphql) type Customers = HashMap<CustomerId, CustomerRow>;

impl Order {
    /// The customers of a page of orders, read at once if they are selected.
    pub(in crate::graphql) async fn customers_of(
        ctx: &Context<'_>,
        reading: &mut ReadSnapshot,
        rows: &[OrderRow],
    ) -> Result<Customers, ApiError> {
        let asked = ctx.look_ahead();
        let wanted = asked.field("nodes").field("customer").exists()
            || asked
                .field("edges")
                .field("node")
                .field("customer")
                .exists();
        let ids: Vec<_> = rows.iter().filter_map(|row| row.customer_id).collect();
        if !wanted || ids.is_empty() {
            return Ok(Customers::new());
        }
        let rows = reading.transaction().customers_by_id(&ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// The order with its customer, if the customer was read.
    pub(in crate::graphql) fn with_customer(
        tenant: TenantId,
        row: OrderRow,
        customers: &Customers,
    ) -> Self {
        let customer = row.customer_id.and_then(|id| customers.get(&id));
        Self {
            read_customer: customer.cloned().map(Box::new),
            ..Self::new(tenant, row)
        }
    }
}

#[ComplexObject]
impl Order {
    /// The customer. Null for a guest order. Deleted customers are still returned here.
    async fn customer(&self, ctx: &Context<'_>) -> Result<Option<Customer>, ApiError> {
        let Some(customer) = self.customer_number else {
            return Ok(None);
        };
        let request = RequestContext::of(ctx)?;
        let row = if let Some(row) = &self.read_customer {
            Some(row.as_ref().clone())
        } else {
            let loaders = &request.loaders;
            loaders.load(self.tenant, CustomerById(customer)).await?
        };
        let Some(row) = row else {
            return Ok(None);
        };
        let shop = request.shop_of(self.tenant).await?;
        Ok(Some(Customer::new(self.tenant, row, &shop)))
    }

    /// The order's line items, in ascending order of their Shopify ids.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn line_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of line items to return: 1 to 100, 20 by default.")]
        first: Option<i32>,
        #[graphql(desc = "Return only line items after this cursor.")] after: Option<String>,
    ) -> Result<Connection<LineItem>, ApiError> {
        let page = PageArguments::forward(first, after);
        order_line_items(ctx, self.tenant, self.number, &self.currency, page).await
    }

    /// The order's refunds, earliest first. A refund reduces the figures of the day it was
    /// processed, not of the day of the order.
    async fn refunds(&self, ctx: &Context<'_>) -> Result<Vec<Refund>, ApiError> {
        let loaders = &RequestContext::of(ctx)?.loaders;
        let refunds = loaders.load(self.tenant, RefundsOf(self.number)).await?;
        let refunds = refunds.unwrap_or_default().into_iter();
        Ok(refunds
            .map(|row| Refund::new(self.tenant, &row, &self.currency))
            .collect())
    }
}

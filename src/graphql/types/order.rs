//! Orders as the API shows them.

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
use crate::graphql::lists::line_items_of;
use crate::graphql::pagination::{Connection, PageArguments, page_cost};
use crate::graphql::scalars::Instant;
use crate::graphql::snapshot::Reading;

/// An order, as it stands in the store now. The figures of `overview` and `ordersByDate` are not summed from
/// orders but from the sales that each order agreed to, on the days on which they happened.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Order {
    #[graphql(skip)]
    tenant: TenantId,
    #[graphql(skip)]
    number: OrderId,
    #[graphql(skip)]
    customer_number: Option<CustomerId>,
    /// The customer, where the page was read with its customers.
    #[graphql(skip)]
    read_customer: Option<Box<CustomerRow>>,
    #[graphql(skip)]
    currency: money::Currency,
    /// The order's id, for `node`.
    #[graphql(owned)]
    pub id: ID,
    /// Shopify's own number of the order, unique only inside the store.
    shopify_id: String,
    /// What the merchant calls the order, such as `#1001`.
    name: String,
    /// The instant at which the order was placed: what it is dated by.
    processed_at: Instant,
    /// The instant at which the order was cancelled. Null when it was not.
    cancelled_at: Option<Instant>,
    /// How far the order is paid, as Shopify writes it: `PENDING`, `PAID`, `PARTIALLY_REFUNDED`, `REFUNDED`
    /// and others.
    financial_status: Option<String>,
    /// How far the order is delivered, as Shopify writes it: `UNFULFILLED`, `FULFILLED` and others.
    fulfillment_status: Option<String>,
    /// The channel that the order came through, such as `web` or `pos`.
    source_name: Option<String>,
    /// The discount codes that were used.
    discount_codes: Vec<String>,
    /// What was asked for the order when it was placed, with taxes and shipping, after discounts. In the
    /// currency that the shop had then.
    total_price: Money,
    /// What was paid for the order less what was paid back, up to now. In the currency that the shop had when
    /// the order was placed.
    net_payment: Money,
    /// The tags that the merchant gave the order.
    tags: Vec<String>,
    /// Whether the order only tries out the checkout. Test orders are listed, but are in no figure.
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

/// Customers by their numbers.
pub(in crate::graphql) type Customers = HashMap<CustomerId, CustomerRow>;

impl Order {
    /// The customers of a page of orders, read at once if they are asked for.
    pub(in crate::graphql) async fn customers_of(
        ctx: &Context<'_>,
        reading: &mut Reading,
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
        let rows = reading.customers(&ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// The order with its customer, if that was read.
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
    /// Who placed the order. Null for a guest. A customer who has since been deleted is still named.
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

    /// The lines of the order, in the order in which Shopify numbered them.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn line_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many lines to give: 1 to 100, 20 when nothing is said.")]
        first: Option<i32>,
        #[graphql(desc = "Go on behind the line with this cursor.")] after: Option<String>,
    ) -> Result<Connection<LineItem>, ApiError> {
        let page = PageArguments::forward(first, after);
        line_items_of(ctx, self.tenant, self.number, &self.currency, page).await
    }

    /// The times money went back to the customer, the earliest first. What a refund took off the figures is
    /// dated by the day on which it was processed, not by the day of the order.
    async fn refunds(&self, ctx: &Context<'_>) -> Result<Vec<Refund>, ApiError> {
        let loaders = &RequestContext::of(ctx)?.loaders;
        let refunds = loaders.load(self.tenant, RefundsOf(self.number)).await?;
        let refunds = refunds.unwrap_or_default().into_iter();
        Ok(refunds
            .map(|row| Refund::new(self.tenant, &row, &self.currency))
            .collect())
    }
}

//! Customers in the API.

use async_graphql::{ComplexObject, Context, ID, SimpleObject};

use super::money::Money;
use super::order::Order;
use crate::db::customers::CustomerRow;
use crate::domain::ids::{CustomerId, TenantId};
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::lists::customer_orders;
use crate::graphql::numbers::to_graphql_int;
use crate::graphql::pagination::{Connection, PageArguments, page_cost};
use crate::graphql::read_snapshot::ShopContext;
use crate::graphql::scalars::Instant;

/// A customer of the shop, with all-time totals.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Customer {
    #[graphql(skip)]
    tenant: TenantId,
    #[graphql(skip)]
    number: CustomerId,
    #[graphql(skip)]
    orders_placed: i64,
    /// The customer's id, for `node`.
    #[graphql(owned)]
    pub id: ID,
    /// Shopify's numeric id of the customer. Unique only within the shop.
    shopify_id: String,
    /// The name to display. `Customer` if Shopify has returned no name and no email address.
    display_name: String,
    /// The customer's email address. Null if the customer has none, or if the app may not read it.
    email: Option<String>,
    /// The tags that the merchant gave the customer.
    tags: Vec<String>,
    /// The customer's total sales of all time: net sales plus shipping, taxes, duties and fees,
    /// after returns. In the shop's currency. Test and deleted orders do not count.
    total_spent: Money,
    /// The time of the customer's first order. Null without orders.
    first_order_at: Option<Instant>,
    /// The time of the customer's most recent order. Null without orders.
    last_order_at: Option<Instant>,
}

impl Customer {
    pub(in crate::graphql) fn new(tenant: TenantId, row: CustomerRow, shop: &ShopContext) -> Self {
        let display_name = if row.display_name.is_empty() {
            "Customer".to_owned()
        } else {
            row.display_name
        };
        Self {
            tenant,
            number: row.id,
            orders_placed: row.orders,
            id: NodeId::Customer(row.id).encode(tenant),
            shopify_id: row.id.to_string(),
            display_name,
            email: row.email,
            tags: row.tags,
            total_spent: shop.money(row.total_spent).into(),
            first_order_at: row.first_order_at.map(Instant),
            last_order_at: row.last_order_at.map(Instant),
        }
    }
}

#[ComplexObject]
impl Customer {
    /// The number of the customer's orders of all time that count in the figures: in the shop's
    /// currency, with at least one product. Test and deleted orders do not count.
    #[expect(clippy::unused_async, reason = "resolvers must be async")]
    async fn orders_count(&self) -> Result<i32, ApiError> {
        to_graphql_int(self.orders_placed)
    }

    /// The customer's orders in any currency, newest first. Includes test orders, but no deleted
    /// orders.
    #[graphql(complexity = "page_cost(first, None, child_complexity)")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of orders to return: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Return only orders after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Order>, ApiError> {
        let page = PageArguments::forward(first, after);
        customer_orders(ctx, self.tenant, self.number, page).await
    }
}

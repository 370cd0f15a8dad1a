//! Filters and orders of lists.

use async_graphql::{Enum, ID, InputObject};

use super::dates::{DateRangeInput, resolve_range};
use crate::db::customers::CustomerFilter;
use crate::db::orders::OrderFilter;
use crate::db::products::ProductFilter;
use crate::domain::ids::{CustomerId, ProductId, TenantId};
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::scalars::Day;
use crate::graphql::snapshot::Reading;

/// How long a text to search for may be, in characters.
const LONGEST_SEARCH: usize = 200;
/// Shopify's numbers are positive: nothing has this one.
const NOBODY: i64 = -1;

/// Which orders are meant. Every part that is given has to hold.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "OrderFilter")]
pub(crate) struct OrderFilterInput {
    /// Placed on these days.
    range: Option<DateRangeInput>,
    /// In one of these states of payment, as Shopify writes them: `PAID`, `REFUNDED`. An empty list finds
    /// nothing.
    financial_status: Option<Vec<String>>,
    /// Placed by the customer with this id. An id that is not of a customer of the store finds nothing.
    customer_id: Option<ID>,
    /// With a line of the product with this id. An id that is not of a product of the store finds nothing.
    product_id: Option<ID>,
    /// True for cancelled orders only, false for all others only.
    cancelled: Option<bool>,
    /// With this text somewhere in the order's name or in its customer's name or email address, in capitals or
    /// not. At most 200 characters.
    search: Option<String>,
}

impl OrderFilterInput {
    pub(in crate::graphql) async fn resolve(
        self,
        reading: &mut Reading,
        tenant: TenantId,
    ) -> Result<OrderFilter, ApiError> {
        let range = match self.range {
            Some(range) => Some(resolve_range(reading, Some(range)).await?),
            None => None,
        };
        Ok(OrderFilter {
            range,
            financial_status: self
                .financial_status
                .map(|states| {
                    states
                        .into_iter()
                        .map(|state| word("financialStatus", state))
                        .collect()
                })
                .transpose()?,
            customer: self
                .customer_id
                .map(|id| match NodeId::decode(&id, tenant) {
                    Some(NodeId::Customer(id)) => id,
                    _ => CustomerId::new(NOBODY),
                }),
            product: self.product_id.map(|id| match NodeId::decode(&id, tenant) {
                Some(NodeId::Product(id)) => id,
                _ => ProductId::new(NOBODY),
            }),
            cancelled: self.cancelled,
            search: search(self.search)?,
        })
    }
}

/// How a list of orders is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum OrderSort {
    /// The newest first, by when they were placed.
    #[default]
    ProcessedAtDesc,
    /// The oldest first, by when they were placed.
    ProcessedAtAsc,
    /// The greatest total price first. Orders in several currencies are ordered by the bare amount.
    TotalDesc,
}

/// Which customers are meant. Every part that is given has to hold.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "CustomerFilter")]
pub(crate) struct CustomerFilterInput {
    /// With this text somewhere in the name or the email address, in capitals or not. At most 200 characters.
    search: Option<String>,
    /// With at least so many orders of all time.
    min_orders: Option<i32>,
    /// Whose last order was placed before this day, in the shop's time zone. Customers who never ordered are
    /// not found.
    last_order_before: Option<Day>,
}

impl CustomerFilterInput {
    pub(in crate::graphql) fn resolve(self) -> Result<CustomerFilter, ApiError> {
        Ok(CustomerFilter {
            search: search(self.search)?,
            min_orders: self.min_orders.map(i64::from),
            last_order_before: self.last_order_before.map(|day| day.0),
        })
    }
}

/// How a list of customers is ordered.
#[expect(clippy::enum_variant_names, reason = "the API's names say which way")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum CustomerSort {
    /// Those who spent most of all time first.
    #[default]
    TotalSpentDesc,
    /// Those who ordered most often of all time first.
    OrdersDesc,
    /// Those who ordered last first; those who never did at the end.
    LastOrderDesc,
}

/// Which products are meant. Every part that is given has to hold.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "ProductFilter")]
pub(crate) struct ProductFilterInput {
    /// With this text somewhere in the name, in capitals or not. At most 200 characters.
    search: Option<String>,
    /// In this state, as Shopify writes it: `ACTIVE`, `ARCHIVED`, `DRAFT`.
    status: Option<String>,
    /// Made by exactly this vendor.
    vendor: Option<String>,
    /// Filed under exactly this.
    product_type: Option<String>,
}

impl ProductFilterInput {
    pub(in crate::graphql) fn resolve(self) -> Result<ProductFilter, ApiError> {
        Ok(ProductFilter {
            search: search(self.search)?,
            status: self.status.map(|text| word("status", text)).transpose()?,
            vendor: self.vendor.map(|text| word("vendor", text)).transpose()?,
            product_type: self
                .product_type
                .map(|text| word("productType", text))
                .transpose()?,
        })
    }
}

/// How a list of products is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum ProductSort {
    /// By name, from A to Z.
    #[default]
    TitleAsc,
    /// Those with the greatest net sales of all time first.
    NetSalesDesc,
    /// Those with the most units sold of all time first.
    UnitsDesc,
}

fn search(text: Option<String>) -> Result<Option<String>, ApiError> {
    let text = text.map(|text| text.trim().to_owned());
    match text.filter(|text| !text.is_empty()) {
        Some(text) if text.chars().count() > LONGEST_SEARCH => Err(ApiError::bad_input(
            "search",
            format!("`search` may be at most {LONGEST_SEARCH} characters long."),
        )),
        text => text.map(|text| word("search", text)).transpose(),
    }
}

/// PostgreSQL knows no text with a NUL in it.
fn word(field: &'static str, text: String) -> Result<String, ApiError> {
    if text.contains('\0') {
        let message = format!("`{field}` may not hold a NUL character.");
        return Err(ApiError::bad_input(field, message));
    }
    Ok(text)
}

//! Filters and sort orders of lists.

use async_graphql::{Enum, ID, InputObject};

use super::dates::{DateRangeInput, resolve_range};
use crate::db::customers::CustomerFilter;
use crate::db::orders::OrderFilter;
use crate::db::products::ProductFilter;
use crate::domain::ids::{CustomerId, ProductId, TenantId};
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::read_snapshot::ReadSnapshot;
use crate::graphql::scalars::Day;

/// The maximum length of a search text, in characters.
const MAX_SEARCH_CHARS: usize = 200;
/// An id that matches nothing, because Shopify's ids are positive.
const NO_SUCH_ID: i64 = -1;

/// Filters a list of orders. An order must match all given conditions.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "OrderFilter")]
pub(crate) struct OrderFilterInput {
    /// Match orders placed within this range of days.
    range: Option<DateRangeInput>,
    /// Match orders with one of these payment statuses, in Shopify's words: `PAID`, `REFUNDED`. An
    /// empty list matches nothing.
    financial_status: Option<Vec<String>>,
    /// Match orders of the customer with this id. An id of no customer of the shop matches nothing.
    customer_id: Option<ID>,
    /// Match orders with a line item of the product with this id. An id of no product of the shop
    /// matches nothing.
    product_id: Option<ID>,
    /// True matches only cancelled orders, false only orders that are not cancelled.
    cancelled: Option<bool>,
    /// Match orders with this text in the order's name, or in the customer's name or email address,
    /// ignoring case. At most 200 characters.
    search: Option<String>,
}

impl OrderFilterInput {
    pub(in crate::graphql) async fn resolve(
        self,
        reading: &mut ReadSnapshot,
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
                    _ => CustomerId::new(NO_SUCH_ID),
                }),
            product: self.product_id.map(|id| match NodeId::decode(&id, tenant) {
                Some(NodeId::Product(id)) => id,
                _ => ProductId::new(NO_SUCH_ID),
            }),
            cancelled: self.cancelled,
            search: search(self.search)?,
        })
    }
}

/// The sort order of a list of orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum OrderSort {
    /// By the time the order was placed, newest first.
    #[default]
    ProcessedAtDesc,
    /// By the time the order was placed, oldest first.
    ProcessedAtAsc,
    /// By total price, highest first. Amounts in different currencies are compared without
    /// conversion.
    TotalDesc,
}

/// Filters a list of customers. A customer must match all given conditions.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "CustomerFilter")]
pub(crate) struct CustomerFilterInput {
    /// Match customers with this text in their name or email address, ignoring case. At most 200
    /// characters.
    search: Option<String>,
    /// Match customers with at least this many orders of all time.
    min_orders: Option<i32>,
    /// Match customers whose most recent order was placed before this day, in the shop's time zone.
    /// Customers without orders do not match.
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

/// The sort order of a list of customers.
#[expect(
    clippy::enum_variant_names,
    reason = "the names of the API say the direction"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum CustomerSort {
    /// By total spent of all time, highest first.
    #[default]
    TotalSpentDesc,
    /// By number of orders of all time, highest first.
    OrdersDesc,
    /// By most recent order, newest first. Customers without orders come last.
    LastOrderDesc,
}

/// Filters a list of products. A product must match all given conditions.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "ProductFilter")]
pub(crate) struct ProductFilterInput {
    /// Match products with this text in their name, ignoring case. At most 200 characters.
    search: Option<String>,
    /// Match products with this status, in Shopify's words: `ACTIVE`, `ARCHIVED`, `DRAFT`.
    status: Option<String>,
    /// Match products of exactly this vendor.
    vendor: Option<String>,
    /// Match products of exactly this type.
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

/// The sort order of a list of products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum ProductSort {
    /// By name, from A to Z.
    #[default]
    TitleAsc,
    /// By net sales of all time, highest first.
    NetSalesDesc,
    /// By units sold of all time, highest first.
    UnitsDesc,
}

fn search(text: Option<String>) -> Result<Option<String>, ApiError> {
    let text = text.map(|text| text.trim().to_owned());
    match text.filter(|text| !text.is_empty()) {
        Some(text) if text.chars().count() > MAX_SEARCH_CHARS => Err(ApiError::bad_input(
            "search",
            format!("`search` may have at most {MAX_SEARCH_CHARS} characters."),
        )),
        text => text.map(|text| word("search", text)).transpose(),
    }
}

/// PostgreSQL cannot store a text with a NUL.
fn word(field: &'static str, text: String) -> Result<String, ApiError> {
    if text.contains('\0') {
        let message = format!("`{field}` may not contain a NUL character.");
        return Err(ApiError::bad_input(field, message));
    }
    Ok(text)
}

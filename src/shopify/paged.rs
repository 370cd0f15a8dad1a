//! The answers of the queries, moved into `wire.rs`. Every operation has types of its own for the same
//! fragment; the macros say the same of each. Also: how a page says whether there is a next one.

use std::borrow::Cow;

use super::error::ShopifyError;
use super::queries;
use super::wire::{
    Agreement, Bag, Customer, EmailAddress, LineItem, Order, Product, Reference, Refund, Sale,
    Variant,
};

/// A page's word on the next one.
pub(super) struct PageEnd {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

impl PageEnd {
    /// The cursor of the next page. A store that says there is more, but not where, or that leads back to the
    /// page just read, would lose rows or go on for ever.
    pub(super) fn next(self, read_after: Option<&str>) -> Result<Option<String>, ShopifyError> {
        if !self.has_next_page {
            return Ok(None);
        }
        match self.end_cursor {
            Some(cursor) if Some(cursor.as_str()) != read_after => Ok(Some(cursor)),
            _ => Err(ShopifyError::Unreadable(
                "a page without a way to the next".to_owned(),
            )),
        }
    }
}

macro_rules! page_end {
    ($($info:path),+ $(,)?) => {
        $(impl From<$info> for PageEnd {
            fn from(info: $info) -> Self {
                Self { has_next_page: info.has_next_page, end_cursor: info.end_cursor }
            }
        })+
    };
}

page_end!(
    queries::customer_ids::CustomerIdsCustomersPageInfo,
    queries::product_ids::ProductIdsProductsPageInfo,
    queries::order_ids::OrderIdsOrdersPageInfo,
    queries::products_by_id::ProductsByIdNodesOnProductVariantsPageInfo,
    queries::product_variants::ProductVariantsProductVariantsPageInfo,
    queries::orders_by_id::OrdersByIdNodesOnOrderLineItemsPageInfo,
    queries::orders_by_id::OrdersByIdNodesOnOrderAgreementsPageInfo,
    queries::orders_by_id::OrdersByIdNodesOnOrderAgreementsEdgesNodeSalesPageInfo,
    queries::order_line_items::OrderLineItemsOrderLineItemsPageInfo,
    queries::order_agreements::OrderAgreementsOrderAgreementsPageInfo,
    queries::order_agreements::OrderAgreementsOrderAgreementsEdgesNodeSalesPageInfo,
    queries::agreement_sales::AgreementSalesOrderAgreementsNodesSalesPageInfo,
    queries::webhook_list::WebhookListWebhookSubscriptionsPageInfo,
);

fn named(id: String) -> Reference<'static> {
    Reference { id: Cow::Owned(id) }
}

impl From<queries::customers_by_id::CustomerFields> for Customer<'static> {
    fn from(customer: queries::customers_by_id::CustomerFields) -> Self {
        Self {
            id: Cow::Owned(customer.id),
            display_name: Some(customer.display_name),
            default_email_address: customer.default_email_address.map(|email| EmailAddress {
                email_address: Some(email.email_address),
            }),
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            tags: customer.tags,
        }
    }
}

impl From<queries::unnamed_customers_by_id::UnnamedCustomersByIdNodesOnCustomer>
    for Customer<'static>
{
    fn from(
        customer: queries::unnamed_customers_by_id::UnnamedCustomersByIdNodesOnCustomer,
    ) -> Self {
        Self {
            id: Cow::Owned(customer.id),
            display_name: None,
            default_email_address: None,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            tags: customer.tags,
        }
    }
}

impl From<queries::products_by_id::ProductFields> for Product<'static> {
    fn from(product: queries::products_by_id::ProductFields) -> Self {
        Self {
            id: Cow::Owned(product.id),
            title: product.title,
            status: product.status,
            vendor: product.vendor,
            kind: product.product_type,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

macro_rules! variant {
    ($($operation:ident),+) => {
        $(impl From<queries::$operation::VariantFields> for Variant<'static> {
            fn from(variant: queries::$operation::VariantFields) -> Self {
                Self {
                    parent: None,
                    id: Cow::Owned(variant.id),
                    title: variant.title,
                    sku: variant.sku,
                    price: variant.price,
                    position: variant.position,
                }
            }
        })+
    };
}

variant!(products_by_id, product_variants);

impl From<queries::orders_by_id::OrderFields> for Order<'static> {
    fn from(order: queries::orders_by_id::OrderFields) -> Self {
        let total = order.total_price_set.shop_money;
        let refunds = order.refunds.into_iter().map(|refund| Refund {
            id: Cow::Owned(refund.id),
            processed_at: refund.processed_at,
            total_refunded_set: Bag::new(refund.total_refunded_set.shop_money.amount, None),
        });
        Self {
            id: Cow::Owned(order.id),
            name: order.name,
            created_at: order.created_at,
            processed_at: order.processed_at,
            updated_at: order.updated_at,
            cancelled_at: order.cancelled_at,
            test: order.test,
            display_financial_status: order.display_financial_status,
            display_fulfillment_status: Some(order.display_fulfillment_status),
            source_name: order.source_name,
            discount_codes: order.discount_codes,
            tags: order.tags,
            total_price_set: Bag::new(total.amount, Some(total.currency_code)),
            net_payment_set: Bag::new(order.net_payment_set.shop_money.amount, None),
            customer: order.customer.map(|customer| named(customer.id)),
            refunds: refunds.collect(),
        }
    }
}

macro_rules! line_item {
    ($($operation:ident),+) => {
        $(impl From<queries::$operation::LineItemFields> for LineItem<'static> {
            fn from(line: queries::$operation::LineItemFields) -> Self {
                Self {
                    parent: None,
                    id: Cow::Owned(line.id),
                    title: line.title,
                    variant_title: line.variant_title,
                    sku: line.sku,
                    quantity: line.quantity,
                    current_quantity: line.current_quantity,
                    product: line.product.map(|product| named(product.id)),
                    variant: line.variant.map(|variant| named(variant.id)),
                    original_total_set: Bag::new(line.original_total_set.shop_money.amount, None),
                    discounted_total_set: Bag::new(line.discounted_total_set.shop_money.amount, None),
                }
            }
        })+
    };
}

line_item!(orders_by_id, order_line_items);

macro_rules! agreement {
    ($($operation:ident),+) => {
        $(impl From<queries::$operation::AgreementFields> for Agreement<'static> {
            fn from(agreement: queries::$operation::AgreementFields) -> Self {
                Self {
                    parent: None,
                    id: Cow::Owned(agreement.id),
                    happened_at: agreement.happened_at,
                    reason: Cow::Owned(agreement.reason),
                }
            }
        })+
    };
}

agreement!(orders_by_id, order_agreements);

macro_rules! sale {
    ($($operation:ident),+) => {
        $(impl From<queries::$operation::SaleFields> for Sale<'static> {
            fn from(sale: queries::$operation::SaleFields) -> Self {
                let total = sale.total_amount.shop_money;
                let tax = sale.total_tax_amount.shop_money;
                let discount = sale.total_discount_amount_before_taxes.shop_money;
                let line_item = match sale.on {
                    queries::$operation::SaleFieldsOn::ProductSale(of) => Some(named(of.line_item.id)),
                    _ => None,
                };
                Self {
                    parent: None,
                    id: Cow::Owned(sale.id),
                    action_type: Cow::Owned(sale.action_type),
                    line_type: Cow::Owned(sale.line_type),
                    quantity: sale.quantity,
                    total_amount: Bag::new(total.amount, Some(total.currency_code)),
                    total_tax_amount: Bag::new(tax.amount, None),
                    total_discount_amount_before_taxes: Bag::new(discount.amount, None),
                    line_item,
                }
            }
        })+
    };
}

sale!(orders_by_id, order_agreements, agreement_sales);

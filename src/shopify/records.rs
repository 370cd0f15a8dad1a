//! The one mapping from what Shopify writes to what XBoard keeps: ids from gids, amounts in shop money, the
//! discount of a sale before taxes.

use std::borrow::Cow;

use super::error::ShopifyError;
use super::wire::{Agreement, Customer, LineItem, Order, Product, Refund, Sale, Variant};
use crate::domain::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId};
use crate::domain::record::{
    AgreementRecord, CustomerRecord, LineItemRecord, OrderRecord, ProductRecord, RefundRecord,
    SaleRecord, VariantRecord,
};
use crate::domain::sale::{AgreementReason, SaleAction, SaleLineType};

type Result<T> = std::result::Result<T, ShopifyError>;

fn id<T, E>(
    gid: &str,
    read: impl Fn(&str) -> std::result::Result<T, E>,
    of: &'static str,
) -> Result<T> {
    read(gid).or(Err(ShopifyError::Unconvertible(of)))
}

fn parent<'a>(parent: Option<&'a Cow<'_, str>>) -> Result<&'a str> {
    parent
        .map(Cow::as_ref)
        .ok_or(ShopifyError::Unconvertible("child without a parent"))
}

fn count(number: i64) -> Result<i32> {
    i32::try_from(number).or(Err(ShopifyError::Unconvertible("quantity")))
}

impl Customer<'_> {
    pub(super) fn into_record(self) -> Result<CustomerRecord> {
        Ok(CustomerRecord {
            id: id(&self.id, CustomerId::from_gid, "customer id")?,
            display_name: self.display_name.unwrap_or_default(),
            email: self
                .default_email_address
                .and_then(|email| email.email_address)
                .filter(|email| !email.is_empty()),
            tags: self.tags,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl Product<'_> {
    pub(super) fn into_record(self) -> Result<ProductRecord> {
        Ok(ProductRecord {
            id: id(&self.id, ProductId::from_gid, "product id")?,
            title: self.title,
            status: self.status,
            vendor: self.vendor,
            product_type: self.kind,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl Variant<'_> {
    pub(super) fn into_record(self) -> Result<VariantRecord> {
        Ok(VariantRecord {
            product: id(
                parent(self.parent.as_ref())?,
                ProductId::from_gid,
                "product id",
            )?,
            id: id(&self.id, VariantId::from_gid, "variant id")?,
            title: self.title,
            sku: self.sku,
            price: self.price.0,
            position: count(self.position)?,
        })
    }
}

impl Order<'_> {
    pub(super) fn into_record(self) -> Result<OrderRecord> {
        let customer = self
            .customer
            .map(|customer| id(&customer.id, CustomerId::from_gid, "customer id"))
            .transpose()?;
        let refunds = self.refunds.into_iter().map(Refund::into_record);
        Ok(OrderRecord {
            id: id(&self.id, OrderId::from_gid, "order id")?,
            name: self.name,
            customer,
            created_at: self.created_at,
            processed_at: self.processed_at,
            updated_at: self.updated_at,
            cancelled_at: self.cancelled_at,
            test: self.test,
            currency: self.total_price_set.currency()?,
            financial_status: self.display_financial_status,
            fulfillment_status: self.display_fulfillment_status,
            source_name: self.source_name,
            discount_codes: self.discount_codes,
            tags: self.tags,
            total_price: self.total_price_set.amount(),
            net_payment: self.net_payment_set.amount(),
            refunds: refunds.collect::<Result<_>>()?,
        })
    }
}

impl Refund<'_> {
    fn into_record(self) -> Result<RefundRecord> {
        Ok(RefundRecord {
            id: id(&self.id, RefundId::from_gid, "refund id")?,
            processed_at: self.processed_at,
            total_refunded: self.total_refunded_set.amount(),
        })
    }
}

impl LineItem<'_> {
    pub(super) fn into_record(self) -> Result<LineItemRecord> {
        let product = self
            .product
            .map(|product| id(&product.id, ProductId::from_gid, "product id"))
            .transpose()?;
        let variant = self
            .variant
            .map(|variant| id(&variant.id, VariantId::from_gid, "variant id"))
            .transpose()?;
        Ok(LineItemRecord {
            order: id(parent(self.parent.as_ref())?, OrderId::from_gid, "order id")?,
            id: id(&self.id, LineItemId::from_gid, "line item id")?,
            title: self.title,
            variant_title: self.variant_title,
            sku: self.sku,
            quantity: count(self.quantity)?,
            current_quantity: count(self.current_quantity)?,
            original_total: self.original_total_set.amount(),
            discounted_total: self.discounted_total_set.amount(),
            product,
            variant,
        })
    }
}

impl Agreement<'_> {
    pub(super) fn into_record(self) -> Result<AgreementRecord> {
        Ok(AgreementRecord {
            order: id(parent(self.parent.as_ref())?, OrderId::from_gid, "order id")?,
            gid: self.id.into_owned(),
            happened_at: self.happened_at,
            reason: AgreementReason::from_word(&self.reason),
        })
    }
}

impl Sale<'_> {
    pub(super) fn into_record(self) -> Result<SaleRecord> {
        let line_item = self
            .line_item
            .map(|line| id(&line.id, LineItemId::from_gid, "line item id"))
            .transpose()?;
        Ok(SaleRecord {
            agreement_gid: parent(self.parent.as_ref())?.to_owned(),
            gid: self.id.into_owned(),
            action: SaleAction::from_word(&self.action_type),
            line_type: SaleLineType::from_word(&self.line_type),
            quantity: self.quantity.map(count).transpose()?,
            currency: self.total_amount.currency()?,
            total: self.total_amount.amount(),
            tax: self.total_tax_amount.amount(),
            discount: self.total_discount_amount_before_taxes.amount(),
            line_item,
        })
    }
}

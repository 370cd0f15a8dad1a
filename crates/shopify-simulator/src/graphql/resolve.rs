//! Fields of the objects of a store.

use super::names::{FieldName, TypeName};
use super::plan::Planned;
use super::view::{FieldError, Object, Resolved, View};
use super::{bulk_fields, paging, roots};
use crate::store::{
    Agreement, Customer, LineItem, LineKind, Order, Product, Sale, SortValue, Variant,
};

/// The default of `limit` on a list that is no connection.
const LIST_LIMIT: usize = 250;

impl<'a> View<'a> {
    /// The value of a field of an object.
    pub(crate) fn resolve(
        &self,
        object: Object<'a>,
        field: &Planned,
    ) -> Result<Resolved<'a>, FieldError> {
        if field.name == FieldName::Typename {
            return Ok(Resolved::Text(object.type_name().as_str()));
        }
        if field.name == FieldName::Id
            && let Some((kind, id)) = object.gid()
        {
            return Ok(Resolved::Gid(kind, id));
        }
        let resolved = match object {
            Object::Query => return roots::resolve(self, field),
            Object::Mutation => bulk_fields::payload(self, field),
            Object::Shop => self.shop(field),
            Object::AppInstallation => self.installation(field),
            Object::AccessScope(handle) => Some(Resolved::Text(handle)),
            Object::Customer(customer) => return self.customer(customer, field),
            Object::Email(address) => Some(Resolved::Text(address)),
            Object::Product(product) => product_field(product, field)?,
            Object::Variant(variant, place) => self.variant(variant, place, field),
            Object::Order(order) => return self.order(order, field),
            Object::LineItem(order, line) => return self.line_item(order, line, field),
            Object::Refund(order, refund) => match field.name {
                FieldName::CreatedAt | FieldName::ProcessedAt => {
                    Some(Resolved::Moment(refund.processed_at))
                }
                FieldName::TotalRefundedSet => Some(bag(order, refund.total)),
                _ => None,
            },
            Object::Agreement(order, agreement) => agreement_field(order, agreement, field)?,
            Object::Sale(order, sale) => sale_field(order, sale, field),
            Object::MoneyBag(amount, currency) => {
                Some(Resolved::Object(Object::Money(amount, currency)))
            }
            Object::Money(amount, currency) => match field.name {
                FieldName::Amount => Some(Resolved::Amount(amount)),
                _ => Some(Resolved::Owned(currency.to_string())),
            },
            Object::Count(count, exact) => match field.name {
                FieldName::Count => i64::try_from(count).ok().map(Resolved::Number),
                _ => Some(Resolved::Text(if exact { "EXACT" } else { "AT_LEAST" })),
            },
            Object::BulkOperation(record) => bulk_fields::operation(record, field),
            Object::Subscription(one) => bulk_fields::subscription(one, field),
            Object::Payload(payload) => bulk_fields::of_payload(payload, field),
            Object::UserError(error) => bulk_fields::user_error(error, field),
        };
        resolved.ok_or_else(|| unanswered(object.type_name(), field))
    }

    fn shop(&self, field: &Planned) -> Option<Resolved<'a>> {
        let facts = self.facts;
        Some(match field.name {
            FieldName::Id => Resolved::Gid("Shop", facts.id),
            FieldName::Name => Resolved::Text(&facts.name),
            FieldName::MyshopifyDomain => Resolved::Text(&facts.domain),
            FieldName::CurrencyCode => Resolved::Owned(facts.currency.to_string()),
            FieldName::IanaTimezone => Resolved::Text(facts.zone_name()),
            _ => return None,
        })
    }

    fn installation(&self, field: &Planned) -> Option<Resolved<'a>> {
        Some(match field.name {
            FieldName::Id => Resolved::Gid("AppInstallation", self.facts.id),
            FieldName::AccessScopes => Resolved::List(
                self.access
                    .scopes
                    .iter()
                    .map(|scope| Some(Object::AccessScope(scope)))
                    .collect(),
            ),
            _ => return None,
        })
    }

    fn customer(
        &self,
        customer: &'a Customer,
        field: &Planned,
    ) -> Result<Resolved<'a>, FieldError> {
        let protected = matches!(
            field.name,
            FieldName::DisplayName | FieldName::DefaultEmailAddress
        );
        if protected && self.access.personal_data_refused {
            return Err(FieldError::protected(field.name.as_str()));
        }
        Ok(match field.name {
            FieldName::DisplayName => Resolved::Text(&customer.display_name),
            FieldName::DefaultEmailAddress => {
                customer.email.as_ref().map_or(Resolved::Null, |email| {
                    Resolved::Object(Object::Email(email))
                })
            }
            FieldName::CreatedAt => Resolved::Moment(customer.created_at),
            FieldName::UpdatedAt => Resolved::Moment(customer.updated_at),
            FieldName::Tags => Resolved::Texts(texts(&customer.tags)),
            _ => return Err(unanswered(TypeName::Customer, field)),
        })
    }

    fn variant(&self, variant: &'a Variant, place: usize, field: &Planned) -> Option<Resolved<'a>> {
        Some(match field.name {
            FieldName::Title => Resolved::Text(&variant.title),
            FieldName::Sku => optional(variant.sku.as_deref()),
            FieldName::Price => Resolved::Owned(variant.price.fixed(self.facts.currency)),
            FieldName::Position => Resolved::Number(i64::try_from(place + 1).unwrap_or(i64::MAX)),
            _ => return None,
        })
    }

    fn order(&self, order: &'a Order, field: &Planned) -> Result<Resolved<'a>, FieldError> {
        Ok(match field.name {
            FieldName::Name => Resolved::Owned(format!("#{}", order.number)),
            FieldName::CreatedAt => Resolved::Moment(order.created_at),
            FieldName::ProcessedAt => Resolved::Moment(order.processed_at),
            FieldName::UpdatedAt => Resolved::Moment(order.updated_at),
            FieldName::CancelledAt => order.cancelled_at.map_or(Resolved::Null, Resolved::Moment),
            FieldName::Test => Resolved::Truth(order.test),
            FieldName::CurrencyCode => Resolved::Text(order.currency.as_str()),
            FieldName::DisplayFinancialStatus => Resolved::Text(order.financial_status().as_str()),
            FieldName::DisplayFulfillmentStatus => Resolved::Text(if order.fulfilled {
                "FULFILLED"
            } else {
                "UNFULFILLED"
            }),
            FieldName::SourceName => Resolved::Text(&order.source),
            FieldName::DiscountCodes => Resolved::Texts(texts(&order.discount_codes)),
            FieldName::Tags => Resolved::Texts(texts(&order.tags)),
            FieldName::TotalPriceSet => bag(order, order.total()),
            FieldName::NetPaymentSet => bag(order, order.received - order.refunded()),
            FieldName::OriginalTotalPriceSet => bag(order, order.original_total()),
            FieldName::Customer => {
                let Some(id) = order.customer else {
                    return Ok(Resolved::Null);
                };
                self.require("read_customers", "customer")?;
                self.store
                    .customers
                    .get(id)
                    .map_or(Resolved::Null, |found| {
                        Resolved::Object(Object::Customer(found))
                    })
            }
            FieldName::Refunds => {
                let limit = field
                    .number("first")
                    .and_then(|first| usize::try_from(first).ok());
                let refunds = order.refunds.iter().take(limit.unwrap_or(LIST_LIMIT));
                Resolved::List(
                    refunds
                        .map(|refund| Some(Object::Refund(order, refund)))
                        .collect(),
                )
            }
            FieldName::LineItems => {
                Resolved::Connection(paging::slice(field, &order.line_items, |_, line| {
                    (Object::LineItem(order, line), line.id)
                })?)
            }
            FieldName::Agreements => {
                Resolved::Connection(paging::slice(field, &order.agreements, |_, agreement| {
                    (Object::Agreement(order, agreement), agreement.id)
                })?)
            }
            _ => return Err(unanswered(TypeName::Order, field)),
        })
    }

    fn line_item(
        &self,
        order: &'a Order,
        line: &'a LineItem,
        field: &Planned,
    ) -> Result<Resolved<'a>, FieldError> {
        let article = &line.article;
        let full = line.unit_price.times(line.quantity);
        Ok(match field.name {
            FieldName::Title | FieldName::Name => Resolved::Text(&article.title),
            FieldName::VariantTitle => optional(article.variant_title.as_deref()),
            FieldName::Sku => optional(article.sku.as_deref()),
            FieldName::Quantity => Resolved::Number(i64::from(line.quantity)),
            FieldName::CurrentQuantity => Resolved::Number(i64::from(line.current_quantity)),
            FieldName::IsGiftCard => Resolved::Truth(line.kind == LineKind::GiftCard),
            FieldName::OriginalTotalSet => bag(order, full),
            FieldName::DiscountedTotalSet => bag(order, full - line.discount),
            FieldName::Product => {
                let Some(id) = article.product else {
                    return Ok(Resolved::Null);
                };
                self.require("read_products", "product")?;
                self.store.products.get(id).map_or(Resolved::Null, |found| {
                    Resolved::Object(Object::Product(found))
                })
            }
            FieldName::Variant => {
                let (Some(product), Some(id)) = (article.product, article.variant) else {
                    return Ok(Resolved::Null);
                };
                self.require("read_products", "variant")?;
                let variants = self
                    .store
                    .products
                    .get(product)
                    .map(|found| &found.variants);
                variants
                    .and_then(|all| all.iter().enumerate().find(|(_, variant)| variant.id == id))
                    .map_or(Resolved::Null, |(place, variant)| {
                        Resolved::Object(Object::Variant(variant, place))
                    })
            }
            _ => return Err(unanswered(TypeName::LineItem, field)),
        })
    }
}

fn product_field<'a>(
    product: &'a Product,
    field: &Planned,
) -> Result<Option<Resolved<'a>>, FieldError> {
    Ok(Some(match field.name {
        FieldName::Title => Resolved::Text(&product.title),
        FieldName::Status => Resolved::Text(product.status.as_str()),
        FieldName::Vendor => Resolved::Text(&product.vendor),
        FieldName::ProductType => Resolved::Text(&product.product_type),
        FieldName::CreatedAt => Resolved::Moment(product.created_at),
        FieldName::UpdatedAt => Resolved::Moment(product.updated_at),
        FieldName::Variants => Resolved::Connection(paging::slice(field, &product.variants, {
            |place, variant| (Object::Variant(variant, place), variant.id)
        })?),
        _ => return Ok(None),
    }))
}

fn agreement_field<'a>(
    order: &'a Order,
    agreement: &'a Agreement,
    field: &Planned,
) -> Result<Option<Resolved<'a>>, FieldError> {
    Ok(Some(match field.name {
        FieldName::HappenedAt => Resolved::Moment(agreement.happened_at),
        FieldName::Reason => Resolved::Text(agreement.reason.as_str()),
        FieldName::Sales => Resolved::Connection(paging::slice(field, &agreement.sales, {
            |_, sale| (Object::Sale(order, sale), sale.id)
        })?),
        _ => return Ok(None),
    }))
}

fn sale_field<'a>(order: &'a Order, sale: &'a Sale, field: &Planned) -> Option<Resolved<'a>> {
    Some(match field.name {
        FieldName::ActionType => Resolved::Text(sale.action.as_str()),
        FieldName::LineType => Resolved::Text(sale.kind.line_type()),
        FieldName::Quantity => sale
            .quantity
            .map_or(Resolved::Null, |quantity| Resolved::Number(quantity.into())),
        FieldName::TotalAmount => bag(order, sale.total),
        FieldName::TotalTaxAmount => bag(order, sale.tax),
        FieldName::TotalDiscountAmountBeforeTaxes => bag(order, sale.discount),
        FieldName::TotalDiscountAmountAfterTaxes => bag(order, sale.discount_after_taxes),
        FieldName::LineItem => {
            let line = order.line_items.get(usize::try_from(sale.line?).ok()?)?;
            Resolved::Object(Object::LineItem(order, line))
        }
        _ => return None,
    })
}

fn bag<'a>(order: &Order, amount: crate::amount::Amount) -> Resolved<'a> {
    Resolved::Object(Object::MoneyBag(amount, order.currency))
}

fn optional(text: Option<&str>) -> Resolved<'_> {
    text.map_or(Resolved::Null, Resolved::Text)
}

fn texts(texts: &[Box<str>]) -> Vec<&str> {
    texts.iter().map(|text| &**text).collect()
}

/// The error for a field that the schema holds and the simulator does not answer.
pub(crate) fn unanswered(of: TypeName, field: &Planned) -> FieldError {
    FieldError::bad_request(format!(
        "the simulator does not answer `{}.{}`",
        of.as_str(),
        field.name.as_str()
    ))
}

/// The value that rows of a nested connection are sorted by: their id.
pub(crate) fn sorted_by_id(id: u64) -> SortValue {
    SortValue::Number(i64::try_from(id).unwrap_or(i64::MAX))
}
